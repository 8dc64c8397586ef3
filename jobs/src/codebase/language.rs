//! Which language a file is in, by its extension, its name or its first line.

use super::grammar::{self, Grammar};

/// A language by the name that users filter with.
#[derive(Debug)]
pub struct Language {
    /// Lower case, e.g. `rust`.
    pub name: &'static str,
    extensions: &'static [&'static str],
    /// Whole file names, for what has no extension.
    names: &'static [&'static str],
    /// Interpreters of a `#!` line.
    interpreters: &'static [&'static str],
    /// How to parse it; the rest is split as text.
    pub(super) grammar: Option<&'static Grammar>,
}

#[cfg(test)]
impl Language {
    /// One of them.
    pub(super) fn extension(&self) -> &'static str {
        self.extensions.first().copied().unwrap_or_default()
    }
}

macro_rules! languages {
    ($($name:literal [$($extension:literal)*] [$($file:literal)*] [$($program:literal)*] $grammar:expr;)*) => {
        /// All that are known.
        pub static ALL: &[Language] = &[$(Language {
            name: $name,
            extensions: &[$($extension),*],
            names: &[$($file),*],
            interpreters: &[$($program),*],
            grammar: $grammar,
        }),*];
    };
}

languages! {
    "rust"       ["rs"]                            []                       []                 Some(&grammar::RUST);
    "python"     ["py" "pyi" "pyw"]                ["SConstruct"]           ["python" "python3"] Some(&grammar::PYTHON);
    "typescript" ["ts" "mts" "cts"]                []                       ["deno" "ts-node"] Some(&grammar::TYPESCRIPT);
    "tsx"        ["tsx"]                           []                       []                 Some(&grammar::TSX);
    "javascript" ["js" "mjs" "cjs" "jsx"]          ["Jakefile"]             ["node"]           Some(&grammar::JAVASCRIPT);
    "go"         ["go"]                            []                       []                 Some(&grammar::GO);
    "java"       ["java"]                          []                       []                 Some(&grammar::JAVA);
    "c"          ["c" "h"]                         []                       []                 grammar::C;
    "cpp"        ["cc" "cpp" "cxx" "hh" "hpp" "hxx" "ipp" "inl"] []         []                 grammar::CPP;
    "csharp"     ["cs"]                            []                       []                 grammar::C_SHARP;
    "ruby"       ["rb" "rake" "gemspec"]           ["Rakefile" "Gemfile"]   ["ruby"]           grammar::RUBY;
    "php"        ["php" "phtml"]                   []                       ["php"]            grammar::PHP;
    "bash"       ["sh" "bash" "zsh"]               [".bashrc" ".profile"]   ["sh" "bash" "zsh" "dash"] grammar::BASH;
    "kotlin"     ["kt" "kts"]                      []                       []                 grammar::KOTLIN;
    "swift"      ["swift"]                         []                       []                 grammar::SWIFT;
    "scala"      ["scala" "sc" "sbt"]              []                       []                 grammar::SCALA;
    "markdown"   ["md" "markdown" "mdx"]           []                       []                 None;
    "sql"        ["sql"]                           []                       []                 None;
    "html"       ["html" "htm"]                    []                       []                 None;
    "css"        ["css" "scss" "sass" "less"]      []                       []                 None;
    "vue"        ["vue"]                           []                       []                 None;
    "svelte"     ["svelte"]                        []                       []                 None;
    "toml"       ["toml"]                          []                       []                 None;
    "yaml"       ["yaml" "yml"]                    []                       []                 None;
    "json"       ["json" "jsonc" "json5"]          []                       []                 None;
    "xml"        ["xml" "xsd" "xsl"]               []                       []                 None;
    "protobuf"   ["proto"]                         []                       []                 None;
    "dockerfile" ["dockerfile"]                    ["Dockerfile" "Containerfile"] []           None;
    "makefile"   ["mk"]                            ["Makefile" "makefile" "GNUmakefile"] ["make"] None;
    "text"       ["txt" "rst" "adoc"]              ["LICENSE" "NOTICE"]     []                 None;
}

/// The language of a file; none if nothing says it.
#[must_use]
pub fn of(path: &str, text: &str) -> Option<&'static Language> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some((_, extension)) = name.rsplit_once('.') {
        let extension = extension.to_ascii_lowercase();
        if let Some(found) = ALL.iter().find(|l| l.extensions.contains(&extension.as_str())) {
            return Some(found);
        }
    }
    ALL.iter().find(|l| l.names.contains(&name)).or_else(|| {
        let program = interpreter(text)?;
        ALL.iter().find(|l| l.interpreters.contains(&program))
    })
}

/// `python3` of `#!/usr/bin/env -S python3 -u`.
fn interpreter(text: &str) -> Option<&str> {
    let line = text.strip_prefix("#!")?.lines().next()?;
    let mut words = line.split_whitespace();
    let first = words.next()?.rsplit('/').next()?;
    if first == "env" {
        words.find(|word| !word.starts_with('-') && !word.contains('='))
    } else {
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_extension_name_and_first_line() {
        let name = |path, text| of(path, text).map(|l| l.name);
        assert_eq!(name("src/Main.RS", ""), Some("rust"));
        assert_eq!(name("a/Dockerfile", ""), Some("dockerfile"));
        assert_eq!(name("bin/run", "#!/usr/bin/env -S python3 -u\n"), Some("python"));
        assert_eq!(name("bin/run", "#!/bin/sh\n"), Some("bash"));
        assert_eq!(name("bin/run", "echo"), None);
        assert_eq!(name("x.unknown", ""), None);
    }

    #[test]
    fn no_extension_is_claimed_twice() {
        let mut seen: Vec<&str> = ALL.iter().flat_map(|l| l.extensions).copied().collect();
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }
}
