//! The numbers of a decision: the service's settings under the workspace's own.

use millrace_config::Classify;
use serde_json::Value;

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
            near_duplicate_above: read(
                "duplicateSimilarityThreshold",
                defaults.near_duplicate_above,
            ),
        }
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a threshold needs no more than seven digits"
)]
const fn narrow(x: f64) -> f32 {
    x as f32
}
