//! From probabilities to a decision: pure rules.

use serde::{Deserialize, Serialize};

use super::thresholds::Thresholds;

/// Matches kept per signal, and the confidence from which they are.
const MATCHES_MAX: usize = 5;
const MATCH_MIN: f32 = 0.05;
/// Confidence that a signal starts something new where nothing else exists.
const NO_CANDIDATE: f32 = 0.9;

/// One project a signal may belong to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Match {
    /// Project.
    pub project_id: String,
    /// Its name.
    pub project_name: String,
    /// Calibrated probability.
    pub confidence: f32,
    /// What spoke for it.
    pub match_reason: String,
}

/// What was decided about a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Best first.
    pub matches: Vec<Match>,
    /// The first match is the signal's project.
    pub belongs: bool,
    /// It belongs to none of the projects.
    pub is_new_initiative: bool,
    /// Of the decision: the project's, or that it is none.
    pub confidence: f32,
    /// Between the thresholds: somebody better informed may decide otherwise.
    pub undecided: bool,
    /// The link may be written without asking.
    pub auto_link: bool,
}

/// Decides by the workspace's thresholds. `none` is the probability that no project fits.
#[must_use]
pub fn decide(mut matches: Vec<Match>, none: f32, limits: &Thresholds) -> Decision {
    matches.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let best = matches.first().map(|m| m.confidence);
    let second = matches.get(1).map_or(0.0, |m| m.confidence);
    matches.retain(|m| m.confidence >= MATCH_MIN);
    matches.truncate(MATCHES_MAX);
    let Some(best) = best else {
        return Decision {
            matches,
            belongs: false,
            is_new_initiative: true,
            confidence: NO_CANDIDATE,
            undecided: false,
            auto_link: false,
        };
    };
    let ahead = best - second >= limits.margin_min;
    let clear = best > limits.project_above;
    let undecided = !clear && best >= limits.initiative_below;
    let belongs = clear || (undecided && best > limits.undecided_above && ahead);
    // Torn between two projects is not new: only what no project explains better is.
    let is_new_initiative = !belongs && none >= best;
    Decision {
        belongs,
        is_new_initiative,
        confidence: if is_new_initiative { 1.0 - best } else { best },
        undecided,
        auto_link: belongs && ahead && best > limits.auto_link_above,
        matches,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Thresholds = Thresholds {
        project_above: 0.75,
        initiative_below: 0.5,
        undecided_above: 0.6,
        margin_min: 0.1,
        auto_link_above: 0.85,
        suggest_from: 0.6,
        near_duplicate_above: 0.9,
    };

    fn outcome(confidences: &[f32]) -> (bool, bool, bool, bool) {
        let none = 1.0 - confidences.iter().sum::<f32>();
        let of = |(n, c): (usize, &f32)| Match {
            project_id: n.to_string(),
            project_name: String::new(),
            confidence: *c,
            match_reason: String::new(),
        };
        let d = decide(confidences.iter().enumerate().map(of).collect(), none, &LIMITS);
        (d.belongs, d.is_new_initiative, d.undecided, d.auto_link)
    }

    #[test]
    fn thresholds_hold_at_their_edges() {
        assert_eq!(outcome(&[]), (false, true, false, false));
        assert_eq!(outcome(&[0.9]), (true, false, false, true));
        assert_eq!(
            outcome(&[0.85]),
            (true, false, false, false),
            "exactly at the limit is not above"
        );
        assert_eq!(
            outcome(&[0.75]),
            (true, false, true, false),
            "the middle begins at exactly 0.75"
        );
        assert_eq!(outcome(&[0.65, 0.1]), (true, false, true, false));
        assert_eq!(outcome(&[0.6, 0.1]), (false, false, true, false));
        assert_eq!(outcome(&[0.5, 0.0]), (false, true, true, false));
        assert_eq!(outcome(&[0.48, 0.47]), (false, false, false, false), "torn, not new");
        assert_eq!(outcome(&[0.2, 0.1]), (false, true, false, false));
    }
}
