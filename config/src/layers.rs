//! Default file <- user's file <- environment, with every problem reported at once.

use std::{fmt, path::Path};

use toml::{Table, Value};

const ENV_PREFIX: &str = "MILLRACE__";

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted key, e.g. `http.listen`.
    pub key: String,
    /// Where the value came from: a file name, a variable name or `default`.
    pub origin: String,
    /// What is wrong and what to do. Never holds a secret's value.
    pub message: String,
}

/// All problems of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Problem>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the configuration has {} problem(s):", self.0.len())?;
        for p in &self.0 {
            writeln!(f, "  {} (from {}): {}", p.key, p.origin, p.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// The merged tree and what went wrong while merging.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    pub(crate) tree: Table,
    pub(crate) problems: Vec<Problem>,
    origins: Vec<(String, String)>,
}

impl Layers {
    pub(crate) fn new(default_toml: &str) -> Self {
        let mut layers = Self::default();
        match default_toml.parse::<Table>() {
            Ok(tree) => layers.tree = tree,
            Err(e) => layers.problem("", "default.toml", e.message()),
        }
        layers
    }

    pub(crate) fn problem(&mut self, key: &str, origin: &str, message: impl Into<String>) {
        self.problems.push(Problem {
            key: key.into(),
            origin: origin.into(),
            message: message.into(),
        });
    }

    /// Where the value of `key` came from.
    pub(crate) fn origin(&self, key: &str) -> String {
        let found = self.origins.iter().rev().find(|(k, _)| k == key);
        found.map_or_else(|| "default".into(), |(_, origin)| origin.clone())
    }

    pub(crate) fn file(&mut self, path: &Path) {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Err(e) => self.problem("", &name, format!("cannot be read: {e}")),
            Ok(text) => self.text(&name, &text),
        }
    }

    /// The text of the file called `name`.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        match text.parse::<Table>() {
            Err(e) => self.problem("", name, format!("is not TOML: {}", e.message())),
            Ok(table) => self.table("", name, table),
        }
    }

    fn table(&mut self, prefix: &str, origin: &str, table: Table) {
        for (key, value) in table {
            let path = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
            if let Value::Table(inner) = value {
                self.table(&path, origin, inner);
            } else {
                self.set(&path, origin, value);
            }
        }
    }

    /// `MILLRACE__HTTP__LISTEN` -> `http.listen`; the text takes the type of the default.
    pub(crate) fn env(&mut self, vars: impl Iterator<Item = (String, String)>) {
        for (name, text) in vars {
            if name == "DATABASE_URL" {
                self.set("database.url", &name, Value::String(text));
            } else if let Some(rest) = name.strip_prefix(ENV_PREFIX) {
                let path = rest.to_ascii_lowercase().replace("__", ".");
                let textual = self.get(&path).is_none_or(Value::is_str);
                let value = if textual { Value::String(text) } else { parse_scalar(&text) };
                self.set(&path, &name, value);
            }
        }
    }

    fn get(&self, path: &str) -> Option<&Value> {
        let mut parts = path.split('.');
        let mut at = self.tree.get(parts.next()?)?;
        for part in parts {
            at = at.as_table()?.get(part)?;
        }
        Some(at)
    }

    pub(crate) fn set(&mut self, path: &str, origin: &str, value: Value) {
        let Some(old) = self.get(path) else {
            let hint = self.nearest(path).map_or(String::new(), |k| format!("; did you mean {k}?"));
            return self.problem(path, origin, format!("is not a setting{hint}"));
        };
        let value = match (old, value) {
            (Value::Float(_), Value::Integer(i)) => {
                Value::Float(i32::try_from(i).unwrap_or(i32::MAX).into())
            }
            (old, value) if old.same_type(&value) => value,
            (old, value) => {
                let message = format!(
                    "must be {}, not {}",
                    article(old.type_str()),
                    article(value.type_str())
                );
                return self.problem(path, origin, message);
            }
        };
        let mut at = &mut self.tree;
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                at.insert(part.into(), value);
                break;
            }
            match at.get_mut(part).and_then(Value::as_table_mut) {
                Some(inner) => at = inner,
                None => return,
            }
        }
        self.origins.push((path.into(), origin.into()));
    }

    /// The known key that shares the most leading characters with `path`, if it shares its section.
    fn nearest(&self, path: &str) -> Option<String> {
        let (section, key) = path.split_once('.')?;
        let table = self.tree.get(section)?.as_table()?;
        let shared = |k: &str| k.bytes().zip(key.bytes()).take_while(|(a, b)| a == b).count();
        let best = table.keys().max_by_key(|k| shared(k))?;
        (shared(best) >= 2).then(|| format!("{section}.{best}"))
    }
}

fn parse_scalar(text: &str) -> Value {
    format!("v = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut t| t.remove("v"))
        .unwrap_or_else(|| Value::String(text.into()))
}

fn article(type_name: &str) -> String {
    if type_name.starts_with(['a', 'i']) {
        format!("an {type_name}")
    } else {
        format!("a {type_name}")
    }
}
