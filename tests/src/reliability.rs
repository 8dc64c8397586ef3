//! RELIABILITY.md: one row per bar, with the last figure and the command that gave it.

use std::fmt::Write;

/// What was measured against one bar.
#[derive(Debug, Clone)]
pub struct Figure {
    /// First cell of its row, e.g. `R3`; the bar itself stands beside it in RELIABILITY.md.
    pub id: &'static str,
    /// What was measured, in words and numbers.
    pub figure: String,
    /// Whether what was promised holds.
    pub kept: bool,
    /// Whether it also was as fast as the bar asks for; tests do not look at it.
    pub fast: bool,
}

impl Figure {
    /// One figure that has nothing to do with time.
    #[must_use]
    pub fn new(id: &'static str, kept: bool, figure: impl Into<String>) -> Self {
        Self { id, figure: figure.into(), kept, fast: true }
    }

    /// The same, whose bar has a time, too.
    #[must_use]
    pub fn within(self, fast: bool) -> Self {
        Self { fast, ..self }
    }

    /// Whether the bar is met.
    #[must_use]
    pub const fn met(&self) -> bool {
        self.kept && self.fast
    }
}

/// For tests: what was promised holds. No figures: the scenario has said why it was skipped.
///
/// # Panics
/// If it does not.
pub fn hold(figures: &[Figure]) {
    let broken: Vec<&Figure> = figures.iter().filter(|f| !f.kept).collect();
    assert!(broken.is_empty(), "broken: {broken:#?}");
}

/// Print the figures and put them into their rows.
///
/// # Panics
/// If a figure has no row, or the file cannot be written.
pub fn record(command: &str, figures: &[Figure]) {
    let path = crate::root().join("RELIABILITY.md");
    let mut text = std::fs::read_to_string(&path).unwrap();
    for measured in figures {
        let Figure { id, figure, .. } = measured;
        let met = if measured.met() { "yes" } else { "**no**" };
        println!("{id:12} {met:7} {figure}");
        text = with_row(&text, id, &[figure, met, &format!("`{command}`")])
            .unwrap_or_else(|| panic!("RELIABILITY.md has no row {id}"));
    }
    std::fs::write(&path, text).unwrap();
}

/// The text with the cells after the bar of row `id` replaced; nothing if there is no such row.
fn with_row(text: &str, id: &str, cells: &[&str; 3]) -> Option<String> {
    let (mut changed, mut found) = (String::new(), false);
    for line in text.lines() {
        let bar =
            line.strip_prefix(&format!("| {id} | ")).and_then(|rest| rest.split(" | ").next());
        match bar {
            Some(bar) => {
                found = true;
                writeln!(changed, "| {id} | {bar} | {} |", cells.join(" | ")).unwrap();
            }
            None => writeln!(changed, "{line}").unwrap(),
        }
    }
    found.then_some(changed)
}
