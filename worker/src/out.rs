//! What commands print: tables for people, one JSON value for machines. The only room that prints.

use std::io::{IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// Where and how a command answers.
#[derive(Debug, Clone, Copy)]
pub struct Out {
    /// `--json`.
    pub json: bool,
}

impl Out {
    /// A line for people; nothing with `--json`.
    pub fn say(self, line: impl AsRef<str>) {
        if !self.json {
            write_line(line.as_ref());
        }
    }

    /// The answer: `value` as one line of JSON, or what `people` prints.
    ///
    /// # Errors
    /// If the value does not serialise.
    pub fn answer<T: Serialize>(self, value: &T, people: impl FnOnce()) -> anyhow::Result<()> {
        if self.json {
            write_line(&serde_json::to_string(value)?);
        } else {
            people();
        }
        Ok(())
    }

    /// Rows under headings, fitted to the terminal.
    pub fn table<const N: usize>(
        self,
        headings: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        if std::io::stdout().is_terminal() {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        table.set_header(headings);
        table.add_rows(rows);
        if table.is_empty() {
            write_line("nothing to show");
        } else {
            write_line(&table.to_string());
        }
    }

    /// A line on stderr, with and without `--json`.
    pub fn warn(self, line: impl AsRef<str>) {
        // Nobody is left to tell when stderr is closed.
        drop(writeln!(std::io::stderr(), "{}", line.as_ref()));
    }
}

fn write_line(line: &str) {
    // A closed pipe (`| head`) is the reader's choice, not an error.
    drop(writeln!(std::io::stdout(), "{line}"));
}
