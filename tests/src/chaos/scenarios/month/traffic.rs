//! What people write in a month: from a seed, with what must come of each post.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde::Serialize;
use serde_json::{Value, json};

use crate::platforms::{Post, Writer};

/// Kinds of sources, in the order of [`PLATFORMS`].
pub(super) const KINDS: [&str; 3] = ["x", "reddit", "threads"];
const PLATFORMS: [&str; 3] = ["TWITTER", "REDDIT", "THREADS"];
/// A day of the month.
const DAY: TimeDelta = TimeDelta::hours(4);
/// So long before the newest post one may turn up that was not there.
const LATE: [TimeDelta; 3] =
    [TimeDelta::seconds(10), TimeDelta::seconds(120), TimeDelta::seconds(120)];

/// What becomes of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Decided,
    Spam,
    Refused,
}

const LINES: [(Fate, u32, &str); 19] = [
    (Fate::Decided, 4, "I have the worst hangover right now and I can't stop shaking, what helps?"),
    (Fate::Decided, 4, "woke up so hungover, headache and nausea, any advice please"),
    (Fate::Decided, 4, "hungover again, does anyone know a hangover cure that works?"),
    (Fate::Decided, 3, "my hangover is a reminder that I am not 21 any more lol"),
    (Fate::Decided, 3, "so hungover, I need to be at work in an hour and I feel awful"),
    (Fate::Decided, 3, "day two of this hangover, is that normal? asking for myself"),
    (Fate::Decided, 2, "never drinking again, the hangover won"),
    (Fate::Decided, 2, "Markets are hungover from the rate decision"),
    (Fate::Decided, 2, "The whole league looks hungover this season"),
    (Fate::Decided, 1, "I want to kill myself, this hangover is the last straw"),
    (
        Fate::Decided,
        1,
        "passed out, throwing up blood and so hungover, should I call an ambulance?",
    ),
    (Fate::Decided, 2, "Liquid I.V. did nothing for my hangover, what should I try instead?"),
    (Fate::Decided, 2, "Pedialyte saved me from this hangover, love it"),
    (Fate::Spam, 3, "no more hangover with our bitcoin presale, dm me for passive income"),
    (Fate::Spam, 2, "Bradley Cooper made me laugh, and now I have a hangover"),
    (Fate::Refused, 8, "a lovely day at the beach with my dog"),
    (Fate::Refused, 8, "the train to the office was on time for once"),
    (Fate::Refused, 6, "new recipe: red lentils with lemon and rice"),
    (Fate::Refused, 2, "the championship hangover is real in this town"),
];
const BIOS: [&str; 6] =
    ["", "nurse and mom of two", "runner", "comedian", "founder", "I like maps"];
const FOLLOWERS: [u64; 6] = [3, 120, 900, 6_000, 60_000, 600_000];

/// A post as it must be stored.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Expected {
    platform: &'static str,
    id: String,
    content: String,
    deleted: bool,
    spam: bool,
    superseded: bool,
    decisions: i64,
    refused: bool,
}

/// What happens on a day.
#[derive(Debug)]
pub(super) struct Day {
    /// Told by webhook, before anything is shown: kind of source, and what it says.
    pub(super) told: Vec<(usize, Value)>,
    /// Gone from the platform.
    pub(super) gone: Vec<(usize, String)>,
    /// New, or so from now on.
    pub(super) shown: Vec<(usize, Post)>,
    /// All posts so far, as they must be stored at the end of the day.
    pub(super) expected: Vec<Expected>,
}

impl Day {
    /// What is shown on it, as it must be stored at its end.
    pub(super) fn expected_of_shown(&self) -> Vec<Expected> {
        let shown: BTreeSet<&str> = self.shown.iter().map(|(_, post)| post.id.as_str()).collect();
        self.expected.iter().filter(|of| shown.contains(of.id.as_str())).cloned().collect()
    }
}

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crowd {
    /// Posts of one platform in a day, beside those that are late, edited or deleted.
    pub(super) per_day: usize,
    /// How many there are on a platform, at least as many.
    pub(super) writers: usize,
    /// Posts are liked up to so many times; X and Reddit say so.
    pub(super) likes_max: u64,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Month {
    days: Vec<Day>,
}

/// While it is written.
struct Pen {
    crowd: Crowd,
    random: StdRng,
    begins: DateTime<Utc>,
    written: usize,
    expected: BTreeMap<(usize, String), Expected>,
    /// For the day that follows.
    told: Vec<(usize, Value)>,
    gone: Vec<(usize, String)>,
    later: Vec<(usize, Post)>,
    changes: Vec<Change>,
}

/// What must be so from the next day on.
enum Change {
    Edited(usize, String, String),
    Superseded(String),
    Deleted(usize, String),
}

impl Month {
    /// So many days, the last of which has just ended.
    #[expect(clippy::disallowed_methods, reason = "platforms have the real time")]
    pub(super) fn write(seed: u64, days: u32, crowd: Crowd) -> Self {
        let count = i32::try_from(days).unwrap();
        let begins = Utc::now() - DAY * count - TimeDelta::minutes(10);
        let mut pen = Pen {
            crowd,
            random: StdRng::seed_from_u64(seed),
            begins,
            written: 0,
            expected: BTreeMap::new(),
            told: Vec::new(),
            gone: Vec::new(),
            later: Vec::new(),
            changes: Vec::new(),
        };
        let mut all: Vec<Day> = (0..count).map(|nth| pen.day(nth, false)).collect();
        // What the last day left for the next.
        all.push(pen.day(count, true));
        Self { days: all }
    }

    pub(super) fn days(&self) -> &[Day] {
        &self.days
    }

    /// Posts, their versions included.
    pub(super) fn written(&self) -> usize {
        self.days.iter().map(|day| day.shown.len()).sum()
    }

    /// As everything must be at the end.
    pub(super) fn end(&self) -> &[Expected] {
        &self.days.last().unwrap().expected
    }

    /// Posts that must be stored.
    pub(super) fn stored(&self) -> usize {
        self.end().iter().filter(|post| !post.refused).count()
    }
}

impl Pen {
    fn day(&mut self, nth: i32, last: bool) -> Day {
        let told = std::mem::take(&mut self.told);
        let gone = std::mem::take(&mut self.gone);
        let mut shown = std::mem::take(&mut self.later);
        for change in std::mem::take(&mut self.changes) {
            self.change(change);
        }
        let mut told = told;
        if !last {
            for platform in 0..KINDS.len() {
                self.people(platform, nth, &mut shown);
                told.extend(self.special(platform, nth, &mut shown));
            }
        }
        shown.iter().for_each(|(platform, post)| self.must(*platform, post));
        Day { told, gone, shown, expected: self.expected.values().cloned().collect() }
    }

    /// Nobody writes twice on a day: the order of two posts of one day is nobody's to promise.
    fn people(&mut self, platform: usize, day: i32, shown: &mut Vec<(usize, Post)>) {
        let mut writers: Vec<usize> = (0..self.crowd.writers).collect();
        writers.shuffle(&mut self.random);
        let mut posts: Vec<Post> = Vec::new();
        for writer in writers.into_iter().take(self.crowd.per_day) {
            let within =
                self.random.random_range(0..(DAY - TimeDelta::minutes(10)).num_milliseconds());
            let text = self.line(None);
            posts.push(self.post(
                platform,
                self.at(day, within),
                text,
                writer_of(platform, writer),
            ));
        }
        // One of them is deleted the next day, if the platform tells of it.
        let decided: Vec<&Post> = posts.iter().filter(|p| fate(&p.text) == Fate::Decided).collect();
        let victim = decided[self.random.random_range(0..decided.len())].id.clone();
        if let Some(told) = deletion(platform, &victim) {
            self.told.push((platform, told));
            self.gone.push((platform, victim.clone()));
            self.changes.push(Change::Deleted(platform, victim));
        }
        shown.extend(posts.into_iter().map(|post| (platform, post)));
    }

    /// One post that is edited or deleted the next day, one that is late, one whose deletion is told before it is seen.
    fn special(
        &mut self,
        platform: usize,
        day: i32,
        shown: &mut Vec<(usize, Post)>,
    ) -> Option<(usize, Value)> {
        let by = |who: &str| Writer {
            id: format!("{}{}", 9_000_000 + day, who.len()),
            name: format!("{who}{day}"),
            ..Writer::default()
        };
        let newest = DAY.num_milliseconds() - 60_000;
        let text = self.line(Some(Fate::Decided));
        let post = self.post(platform, self.at(day, newest), text, by("editor"));
        let mut next = Post { text: self.line(Some(Fate::Decided)), ..post.clone() };
        next.earlier.push(post.id.clone());
        match platform {
            0 => {
                let at = post.at + TimeDelta::seconds(40);
                next.id = Post::new("x", self.written, at).id;
                next.at = at;
                self.gone.push((platform, post.id.clone()));
                self.changes.push(Change::Superseded(post.id.clone()));
            }
            1 if day % 2 == 1 => {
                next = Post { gone: true, ..post.clone() };
                self.changes.push(Change::Deleted(platform, post.id.clone()));
            }
            _ => self.changes.push(Change::Edited(platform, post.id.clone(), next.text.clone())),
        }
        shown.push((platform, post));
        self.later.push((platform, next));

        let late = newest - LATE[platform].num_milliseconds();
        let text = self.line(Some(Fate::Decided));
        let late = self.post(platform, self.at(day, late), text, by("late"));
        self.later.push((platform, late));

        let text = self.line(Some(Fate::Decided));
        let hasty = self.post(platform, self.at(day, newest + 1_000), text, by("hasty"));
        let told = deletion(platform, &hasty.id)?;
        self.changes.push(Change::Deleted(platform, hasty.id.clone()));
        self.later.push((platform, hasty));
        Some((platform, told))
    }

    fn at(&self, day: i32, within_ms: i64) -> DateTime<Utc> {
        self.begins + DAY * day + TimeDelta::milliseconds(within_ms)
    }

    fn post(&mut self, platform: usize, at: DateTime<Utc>, text: String, by: Writer) -> Post {
        self.written += 1;
        let likes = self.likes();
        Post { text, by, likes, ..Post::new(KINDS[platform], self.written, at) }
    }

    /// Few of most posts, many of some: even in its logarithm.
    fn likes(&mut self) -> u64 {
        let most = self.crowd.likes_max;
        if most <= 4 { most } else { 1 << self.random.random_range(0..=most.ilog2()) }
    }

    fn line(&mut self, wanted: Option<Fate>) -> String {
        // Danger stays with those who write once a day.
        let fits = |(fate, _, line): &&(Fate, u32, &str)| {
            wanted.is_none_or(|wanted| {
                *fate == wanted && !line.contains("myself,") && !line.contains("blood")
            })
        };
        let lines: Vec<_> = LINES.iter().filter(fits).collect();
        let total: u32 = lines.iter().map(|(_, weight, _)| weight).sum();
        let mut at = self.random.random_range(0..total);
        let chosen = lines.iter().find(|(_, weight, _)| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        });
        let number: u32 = self.random.random_range(10_000..99_999);
        format!("{} ({number})", chosen.unwrap().2)
    }

    /// A post is shown: what must be stored of it, unless that is known already.
    fn must(&mut self, platform: usize, post: &Post) {
        let key = (platform, post.id.clone());
        let fate = fate(&post.text);
        self.expected.entry(key).or_insert_with(|| Expected {
            platform: PLATFORMS[platform],
            id: post.id.clone(),
            content: post.text.clone(),
            deleted: false,
            spam: fate == Fate::Spam,
            superseded: false,
            decisions: i64::from(fate == Fate::Decided),
            refused: fate == Fate::Refused,
        });
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Edited(platform, id, text) => {
                let post = self.expected.get_mut(&(platform, id)).unwrap();
                post.content = text;
                post.decisions += 1;
            }
            Change::Superseded(id) => {
                self.expected.get_mut(&(0, id)).unwrap().superseded = true;
            }
            Change::Deleted(platform, id) => {
                let platform_name = PLATFORMS[platform];
                let never_seen = || Expected {
                    platform: platform_name,
                    id: id.clone(),
                    content: String::new(),
                    deleted: true,
                    spam: false,
                    superseded: false,
                    decisions: 0,
                    refused: false,
                };
                let post = self.expected.entry((platform, id.clone())).or_insert_with(never_seen);
                (post.content, post.deleted) = ("[deleted]".into(), true);
            }
        }
    }
}

fn fate(text: &str) -> Fate {
    LINES.iter().find(|(_, _, line)| text.starts_with(line)).unwrap().0
}

fn writer_of(platform: usize, nth: usize) -> Writer {
    Writer {
        id: (1_000_000 * (platform + 1) + nth).to_string(),
        name: format!("{}_{nth}", KINDS[platform]),
        bio: BIOS[nth % BIOS.len()].into(),
        followers: FOLLOWERS[nth / BIOS.len() % FOLLOWERS.len()],
    }
}

/// What the platform's webhook says of a deletion. Reddit has none.
fn deletion(platform: usize, id: &str) -> Option<Value> {
    match platform {
        0 => Some(json!({ "for_user_id": "99", "tweet_delete_events": [
            { "status": { "id": id, "user_id": "1" }, "timestamp_ms": "1768478400000" }] })),
        1 => None,
        _ => Some(json!({ "app_id": "1", "values": { "field": "delete",
            "value": { "id": id, "deleted_at": "2026-01-15T12:00:00+0000" } } })),
    }
}
