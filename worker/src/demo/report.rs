//! What became of the demo's deliveries, per source and in total.

use std::{collections::BTreeMap, time::Duration};

use millrace_jobs::store::outcome::Became;
use serde::Serialize;

use crate::out::Out;

/// How the deliveries of one source were answered.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Tally {
    /// Name of the source; `total` for all.
    pub source: String,
    /// Requests sent and answered.
    pub received: i64,
    /// Stored as new events.
    pub accepted: i64,
    /// Known already.
    pub duplicate: i64,
    /// Turned away.
    pub refused: i64,
    /// Handshakes answered.
    pub replied: i64,
}

/// One line of the table.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Row {
    /// Answers.
    #[serde(flatten)]
    pub tally: Tally,
    /// Effects.
    #[serde(flatten)]
    pub became: Became,
}

/// The demo's result.
#[derive(Debug, Serialize)]
pub struct Report {
    /// All sources together.
    pub totals: Row,
    /// Per source.
    pub sources: Vec<Row>,
    /// From the first delivery to the last result, milliseconds.
    pub took_ms: u64,
    /// Deliveries that did not end as they had to.
    pub surprises: Vec<String>,
}

impl Tally {
    pub(super) fn new(source: &str) -> Self {
        Self { source: source.into(), ..Self::default() }
    }

    pub(super) fn count(&mut self, outcome: &str) {
        self.received += 1;
        match outcome {
            "accepted" => self.accepted += 1,
            "duplicate" => self.duplicate += 1,
            "refused" => self.refused += 1,
            "replied" => self.replied += 1,
            // Not answered by Millrace: left out, so that the sum does not add up.
            _ => {}
        }
    }

    fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.accepted += other.accepted;
        self.duplicate += other.duplicate;
        self.refused += other.refused;
        self.replied += other.replied;
    }

    const fn adds_up(&self) -> bool {
        self.received == self.accepted + self.duplicate + self.refused + self.replied
    }
}

impl Report {
    pub(super) fn new(
        tallies: BTreeMap<String, Tally>,
        (total, mut by_source): (Became, BTreeMap<String, Became>),
        surprises: Vec<String>,
        took: Duration,
    ) -> Self {
        let mut all = Tally::new("total");
        let mut sources = Vec::new();
        for (id, tally) in tallies {
            all.add(&tally);
            sources.push(Row { tally, became: by_source.remove(&id).unwrap_or_default() });
        }
        sources.sort_by(|a, b| a.tally.source.cmp(&b.tally.source));
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Self { totals: Row { tally: all, became: total }, sources, took_ms, surprises }
    }

    /// Every delivery was answered as it had to be, and every stored one has been dealt with.
    #[must_use]
    pub fn accounted_for(&self) -> bool {
        let became = &self.totals.became;
        let dealt_with = became.normalized + became.ignored + became.quarantined == became.events;
        self.totals.tally.adds_up() && dealt_with && self.surprises.is_empty()
    }

    /// The table.
    pub fn show(&self, out: Out) {
        let ms = |ms: Option<f64>| ms.map_or_else(|| "-".into(), |ms| format!("{ms:.0} ms"));
        let row = |row: &Row| {
            let (t, b) = (&row.tally, &row.became);
            [
                t.source.clone(),
                t.received.to_string(),
                t.accepted.to_string(),
                t.duplicate.to_string(),
                t.refused.to_string(),
                b.signals.to_string(),
                b.classified.to_string(),
                b.new_initiative.to_string(),
                b.near_duplicates.to_string(),
                ms(b.p50_ms),
                ms(b.p95_ms),
            ]
        };
        let headings = [
            "source",
            "received",
            "accepted",
            "duplicate",
            "refused",
            "signals",
            "to a project",
            "new initiative",
            "near-duplicate",
            "p50",
            "p95",
        ];
        out.table(headings, self.sources.iter().chain([&self.totals]).map(row));
        let b = &self.totals.became;
        out.say(format!(
            "{} handshake(s) answered; of the events {} became signals, {} were ignored with a reason, {} are held; \
             {} signal(s) edited, {} deleted, {} linked; p50 and p95 are from receipt to result",
            self.totals.tally.replied, b.normalized, b.ignored, b.quarantined, b.edited, b.deleted, b.linked,
        ));
        for surprise in &self.surprises {
            out.warn(format!("not as it had to be: {surprise}"));
        }
    }
}
