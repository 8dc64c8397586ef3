//! Words that give a class away, with how much they weigh (natural log of the odds).

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

/// A pattern that speaks for one class.
#[derive(Debug)]
pub(super) struct Cue {
    pub(super) class: usize,
    pub(super) weight: f32,
    pattern: Regex,
}

impl Cue {
    /// Where it occurs first, in bytes; a negation right before it does not count.
    pub(super) fn find(&self, text: &str) -> Option<std::ops::Range<usize>> {
        self.pattern.find_iter(text).map(|m| m.range()).find(|at| {
            let before = text.get(..at.start).unwrap_or_default().trim_end().to_lowercase();
            !["not", "n't", "no", "never", "without", "isn’t"].iter().any(|n| before.ends_with(n))
        })
    }
}

fn cues(list: &[(usize, f32, &str)]) -> Vec<Cue> {
    let build = |(class, weight, words): &(usize, f32, &str)| {
        let pattern =
            RegexBuilder::new(&format!(r"\b(?:{words})\b")).case_insensitive(true).build();
        pattern.ok().map(|pattern| Cue { class: *class, weight: *weight, pattern })
    };
    list.iter().filter_map(build).collect()
}

/// Classes: 0 critical, 1 high, 2 medium, 3 low.
pub(super) static SEVERITY: LazyLock<Vec<Cue>> = LazyLock::new(|| {
    cues(&[
        (
            0,
            3.5,
            "data (?:loss|breach|leak)|lost (?:all )?(?:my|our|the|their|customer) (?:data|work|records|files)",
        ),
        (
            0,
            3.0,
            "security (?:hole|issue|incident|problem|vulnerability)|leak(?:s|ed|ing)? (?:customer|personal|our)",
        ),
        (
            0,
            3.0,
            "outage|production (?:is )?down|(?:is|are|was|went|completely) down|can(?:no|')?t (?:log|sign) in|locked out|unable to (?:log|sign) in",
        ),
        (
            0,
            2.5,
            "blocker|blocked (?:us|our)|show[- ]?stopper|can(?:no|')?t work|nobody can|no one can|emergency|losing (?:money|revenue|customers|deals|sales)|charged twice|double[- ]charged",
        ),
        (0, 2.0, "critical|urgent(?:ly)?|asap|immediately"),
        (
            1,
            2.5,
            "crash(?:es|ed|ing)?|hours? (?:of work )?(?:each|every|per|a) (?:day|week)|cancel(?:ling)? (?:our|my|the) (?:subscription|contract|plan)|switch(?:ing)? to (?:a |another |your )?competitor",
        ),
        (
            1,
            1.8,
            "fails?|failed|failing|broken|doesn'?t work|does not work|not working|stopped working|unusable|wrong (?:amount|numbers|totals|data)|overwrit(?:es|ten|e)",
        ),
        (1, 1.5, "major|serious(?:ly)?|severe(?:ly)?|painful|frustrat(?:ed|ing)|deal[- ]?breaker"),
        (
            2,
            1.5,
            "work(?:-| )?around|by hand|manually|confus(?:ed|ing)|slow(?:er|ly)?|cumbersome|tedious|clunky|inconvenient|annoying|extra (?:step|click)s?|have to (?:click|retype|copy|export)",
        ),
        (
            3,
            2.0,
            "nice[- ]to[- ]have|would be (?:nice|lovely|cool|great|wonderful|handy)|minor|cosmetic|typo|small (?:thing|detail|wish|issue)|dark (?:mode|theme)|nitpick|no (?:rush|hurry)|not urgent|some ?day",
        ),
    ])
});

/// Classes: 0 common, 1 occasional, 2 rare.
pub(super) static FREQUENCY: LazyLock<Vec<Cue>> = LazyLock::new(|| {
    cues(&[
        (
            0,
            3.0,
            "every (?:single )?(?:day|morning|time|evening|night|hour|shift)|each (?:day|morning|time)|daily|always|constantly|all the time|all day|continually|non-?stop|(?:several|many|four|five|ten) times (?:a|per) (?:day|hour)",
        ),
        (
            0,
            2.5,
            "most (?:of (?:us|our|my) )?(?:users|customers|people|colleagues|teams?)|all (?:of )?(?:our|my|the) (?:users|customers|team|colleagues|staff)|everyone|everybody|whenever",
        ),
        (
            0,
            1.5,
            "every (?:week|monday|tuesday|wednesday|thursday|friday|single one)|weekly|keeps? (?:happening|crashing|failing)|again and again|over and over",
        ),
        (
            1,
            2.5,
            "sometimes|occasional(?:ly)?|now and then|from time to time|once in a while|every so often|intermittent(?:ly)?|at times|some(?:times)? (?:users|customers)|a few (?:users|customers|times)|on and off|every few (?:days|weeks)|(?:once|twice|a couple of times) (?:a|per) month|monthly",
        ),
        (
            2,
            3.0,
            "rare(?:ly)?|seldom|hardly ever|(?:just|only|happened) once|one[- ]off|edge case|corner case|first time|once a year|once or twice|in one case|a single (?:user|customer|time)|yearly",
        ),
    ])
});
