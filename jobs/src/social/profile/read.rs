//! A file into typed sections, with every problem of it.

use std::{collections::BTreeSet, fmt};

use serde::{Serialize, de::DeserializeOwned};
use toml::{Table, Value};

use crate::social::text::phrases::BadPhrase;

/// What is wrong with a profile, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The key, as `competitors[3].price_point`; empty when the file is no TOML.
    pub path: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub advice: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let colon = if self.path.is_empty() { "" } else { ": " };
        write!(f, "{}{colon}{}; {}", self.path, self.problem, self.advice)
    }
}

/// A section of the file, or an element of one that is a list.
pub(super) trait Section: DeserializeOwned {
    /// Says what is wrong beyond types.
    fn check(&self, _wrong: &mut Wrong<'_>) {}

    /// What no other element of the list may have.
    fn key(&self) -> String {
        String::new()
    }
}

/// Where to say it.
pub(super) struct Wrong<'a> {
    path: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Wrong<'_> {
    /// Adds a problem of the section's `key`.
    pub(super) fn at(&mut self, key: &str, problem: impl Into<String>, advice: impl Into<String>) {
        let dot = if key.is_empty() { "" } else { "." };
        let path = format!("{}{dot}{key}", self.path);
        self.problems.push(Problem { path, problem: problem.into(), advice: advice.into() });
    }

    /// Adds one unless `low <= value <= high`.
    pub(super) fn within(&mut self, key: &str, value: f64, low: f64, high: f64) {
        if !(low..=high).contains(&value) {
            let advice = format!("write a number between {low} and {high}");
            self.at(key, format!("{value} is out of range"), advice);
        }
    }

    /// Adds one if the text is empty.
    pub(super) fn filled(&mut self, key: &str, value: &str) {
        if value.trim().is_empty() {
            self.at(key, "is empty", "write it");
        }
    }
}

/// Takes sections out of a file.
pub(super) struct Reader {
    table: Table,
    pub(super) problems: Vec<Problem>,
}

impl Reader {
    /// # Errors
    /// The place where the text stops being TOML.
    pub(super) fn new(text: &str) -> Result<Self, Problem> {
        let table = text.parse().map_err(|error: toml::de::Error| Problem {
            path: String::new(),
            problem: error.to_string().trim_end().to_owned(),
            advice: "mend the TOML there".into(),
        })?;
        Ok(Self { table, problems: Vec::new() })
    }

    /// A section; none if it is missing or wrong.
    pub(super) fn section<T: Section>(&mut self, name: &str) -> Option<T> {
        match self.table.remove(name) {
            Some(value) => self.read(name, value),
            None => {
                self.problem(
                    name,
                    "is missing",
                    &format!("write [{name}]; `millrace profile show neutral` has one"),
                );
                None
            }
        }
    }

    /// A list of tables; empty if it is missing. Wrong elements are left out.
    pub(super) fn list<T: Section>(&mut self, name: &str) -> Vec<T> {
        match self.table.remove(name) {
            None => Vec::new(),
            Some(Value::Array(values)) => {
                let (mut seen, mut list) = (BTreeSet::new(), Vec::new());
                for (nth, value) in values.into_iter().enumerate() {
                    let path = format!("{name}[{nth}]");
                    let Some(element) = self.read::<T>(&path, value) else { continue };
                    if !seen.insert(element.key().to_lowercase()) {
                        let problem = format!("{:?} is there twice", element.key());
                        self.problem(&path, &problem, "rename or remove one");
                    }
                    list.push(element);
                }
                list
            }
            Some(_) => {
                self.problem(name, "is no list", &format!("write each as [[{name}]]"));
                Vec::new()
            }
        }
    }

    /// What nobody took is a mistake.
    pub(super) fn rest(&mut self, known: &str) {
        for name in std::mem::take(&mut self.table).into_iter().map(|(name, _)| name) {
            self.problem(&name, "is no section", &format!("take it out; there are {known}"));
        }
    }

    /// What a section was compiled to; its problems are added.
    pub(super) fn compile<T>(&mut self, name: &str, made: Result<T, BadPhrase>) -> Option<T> {
        made.map_err(|bad| self.problem(name, &bad.to_string(), "mend it")).ok()
    }

    pub(super) fn problem(&mut self, path: &str, problem: &str, advice: &str) {
        let [path, problem, advice] = [path, problem, advice].map(ToOwned::to_owned);
        self.problems.push(Problem { path, problem, advice });
    }

    fn read<T: Section>(&mut self, path: &str, value: Value) -> Option<T> {
        match serde_path_to_error::deserialize::<_, T>(value) {
            Ok(section) => {
                section.check(&mut Wrong { path, problems: &mut self.problems });
                Some(section)
            }
            Err(error) => {
                let inner = error.path().to_string();
                let dot = if inner == "." || inner.starts_with('[') { "" } else { "." };
                let inner = if inner == "." { "" } else { inner.as_str() };
                // The parser's own words are a line each for what and where; where is said by the path.
                let problem = error.inner().to_string();
                let problem = problem.lines().next().unwrap_or_default().to_owned();
                self.problem(
                    &format!("{path}{dot}{inner}"),
                    problem.trim_end(),
                    "write it as the neutral profile does",
                );
                None
            }
        }
    }
}
