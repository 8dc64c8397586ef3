//! The numbers of a decision: the service's settings under the workspace's own, and what was learned since.

use std::fmt;

use millrace_config::Classify;
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;

use crate::{
    learning::suggestions::STEP,
    store::{signal_thresholds, workspaces},
};

/// A threshold that learns from what people say to suggestions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Learned {
    /// From where on projects are suggested.
    Suggestions,
    /// From where on they are linked without asking.
    AutoLinks,
}

impl Learned {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Suggestions, Self::AutoLinks];

    /// As people and columns write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suggestions => "SUGGESTIONS",
            Self::AutoLinks => "AUTO_LINKS",
        }
    }

    /// By that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.as_str() == name)
    }
}

impl fmt::Display for Learned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Thresholds of one workspace, all within 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Above, the signal belongs to the project.
    pub project_above: f32,
    /// Below, it belongs to none.
    pub initiative_below: f32,
    /// In between, it belongs to the project only above this ...
    pub undecided_above: f32,
    /// ... and this far ahead of the second best.
    pub margin_min: f32,
    /// Above, the link is written; above 1 never.
    pub auto_link_above: f32,
    /// From here on a project is suggested.
    pub suggest_from: f32,
    /// Cosine from which two texts say the same.
    pub near_duplicate_above: f32,
}

impl Thresholds {
    /// Reads `signalClassification` of the workspace's settings over the service's own; what is not a
    /// number within 0 to 1 is passed over. `signalAutomation.automationDepth = "manual"` forbids
    /// automatic links.
    #[must_use]
    pub fn new(defaults: &Classify, workspace: &Value) -> Self {
        let own = workspace.get("signalClassification");
        let read = |key: &str, default: f64| {
            let set = own.and_then(|o| o.get(key)).and_then(Value::as_f64);
            narrow(set.filter(|v| (0.0..=1.0).contains(v)).unwrap_or(default))
        };
        let depth = workspace.pointer("/signalAutomation/automationDepth").and_then(Value::as_str);
        let auto_link = read("autoLinkThreshold", defaults.auto_link_above);
        Self {
            project_above: read("projectThreshold", defaults.project_above),
            initiative_below: read("newInitiativeThreshold", defaults.initiative_below),
            undecided_above: read("undecidedThreshold", defaults.undecided_above),
            margin_min: read("marginThreshold", defaults.margin_min),
            auto_link_above: if depth == Some("manual") { f32::INFINITY } else { auto_link },
            suggest_from: read("suggestionThreshold", defaults.suggest_from),
            near_duplicate_above: read(
                "duplicateSimilarityThreshold",
                defaults.near_duplicate_above,
            ),
        }
    }

    /// What is wanted of those that learn; nothing of links that are forbidden.
    pub fn promises(&self) -> impl Iterator<Item = (Learned, f64)> {
        let all =
            [(Learned::Suggestions, self.suggest_from), (Learned::AutoLinks, self.auto_link_above)];
        all.into_iter().filter(|(_, promise)| promise.is_finite()).map(|(of, p)| (of, widen(p)))
    }

    /// With what was learned in place of what it was learned for; a setting that has changed since stands.
    #[must_use]
    pub fn learned<'a>(mut self, versions: impl IntoIterator<Item = (&'a str, f64, f64)>) -> Self {
        for (name, promise, above) in versions {
            let place = match Learned::named(name) {
                Some(Learned::Suggestions) => &mut self.suggest_from,
                Some(Learned::AutoLinks) => &mut self.auto_link_above,
                None => continue,
            };
            if is_same(widen(*place), promise) {
                *place = narrow(above);
            }
        }
        self
    }
}

/// From where on projects are suggested in a workspace, and from where on one in ten is, to be judged.
///
/// # Errors
/// Those of the database.
pub async fn suggested(
    conn: &mut PgConnection,
    defaults: &Classify,
    workspace_id: &str,
) -> sqlx::Result<(f32, f32)> {
    let own = workspaces::settings(conn, &[workspace_id]).await?;
    let own = own.into_iter().next().map_or(Value::Null, |(_, own)| own);
    let learned = signal_thresholds::in_force(&mut *conn, &[workspace_id]).await?;
    let learned = learned.iter().map(|(_, name, promise, above)| (name.as_str(), *promise, *above));
    let from = Thresholds::new(defaults, &own).learned(learned).suggest_from;
    Ok((from, from - narrow(STEP)))
}

/// Two promises are one.
pub(crate) fn is_same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6
}

/// As somebody would write it: without what single precision adds.
fn widen(x: f32) -> f64 {
    (f64::from(x) * 1e6).round() / 1e6
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a threshold needs no more than seven digits"
)]
const fn narrow(x: f64) -> f32 {
    x as f32
}
