//! Tables on the terminal and in BENCHMARKS.md.

use std::fmt::Write;

/// One benchmark's table: a section of BENCHMARKS.md, replaced as a whole.
#[derive(Debug)]
pub(crate) struct Report {
    name: String,
    notes: Vec<String>,
    rows: Vec<[String; 4]>,
}

/// Median of a few runs.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    *values.get(values.len() / 2).unwrap_or(&0.0)
}

impl Report {
    /// An empty table.
    pub(crate) fn new(name: &str) -> Self {
        println!("== {name}");
        Self { name: name.into(), notes: Vec::new(), rows: Vec::new() }
    }

    /// A line of prose above the table.
    pub(crate) fn note(&mut self, line: impl Into<String>) {
        let line = line.into();
        println!("{line}");
        self.notes.push(line);
    }

    /// What was measured, the figure, its reference of the same run, the bar and whether it is met.
    pub(crate) fn row(&mut self, what: &str, figure: &str, reference: &str, bar: &str) {
        println!("{what:<52} {figure:>22} {reference:>30} {bar}");
        self.rows.push([what, figure, reference, bar].map(str::to_owned));
    }

    /// Put the table into BENCHMARKS.md.
    pub(crate) fn finish(self) {
        let usage = match self.name.as_str() {
            "texts" => "make bench ARGS=\"texts PATH\"".to_owned(),
            "fresh" => "make bench ARGS=\"fresh PATH\"".to_owned(),
            "learning" => "make eval-learning".to_owned(),
            "search" => "make eval-search ARGS=\"PATH...\"".to_owned(),
            "code" => "make bench ARGS=\"code PATH...\"".to_owned(),
            name => format!("make bench ARGS={name}"),
        };
        let mut section = format!("## {}\n\n`{usage}`\n\n", self.name);
        for note in &self.notes {
            writeln!(section, "{note}  ").unwrap();
        }
        section.push_str(
            "\n| measured | figure | reference of the same run | bar |\n|---|---|---|---|\n",
        );
        for row in &self.rows {
            writeln!(section, "| {} |", row.join(" | ")).unwrap();
        }
        let path = millrace_tests::root().join("BENCHMARKS.md");
        let old = std::fs::read_to_string(&path).unwrap_or_else(|_| "# Benchmarks\n".into());
        let heading = format!("## {}\n", self.name);
        let new = match old.find(&heading) {
            Some(from) => {
                let rest = old.get(from + heading.len()..).unwrap_or_default();
                let to = rest.find("\n## ").map_or(old.len(), |at| from + heading.len() + at + 1);
                let (before, after) = (old.get(..from).unwrap(), old.get(to..).unwrap());
                format!("{before}{section}{}{after}", if after.is_empty() { "" } else { "\n" })
            }
            None => format!("{}\n{section}", old.trim_end().to_owned() + "\n"),
        };
        std::fs::write(&path, new).unwrap();
    }
}
