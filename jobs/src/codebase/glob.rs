//! Path patterns of people as regular expressions of Postgres.

/// `*` is any part of a name, `**` any folders (none, too), `?` one character, `{a,b}` either. A pattern without `/` is
/// one of names, wherever they are; the others are of whole paths.
#[must_use]
pub fn regex(glob: &str) -> String {
    let mut out = String::from("^");
    let (glob, anywhere) = match glob.strip_prefix('/') {
        Some(rest) => (rest, false),
        None => (glob, !glob.contains('/')),
    };
    if anywhere {
        out.push_str("(.*/)?");
    }
    let mut rest = glob;
    let mut open = 0;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '*' if rest.starts_with("**/") => (3, "(.*/)?"),
            '*' if rest.starts_with("**") => (2, ".*"),
            '*' => (1, "[^/]*"),
            '?' => (1, "[^/]"),
            '{' => (1, "("),
            '}' if open > 0 => (1, ")"),
            ',' if open > 0 => (1, "|"),
            _ => (0, ""),
        };
        open += i32::from(c == '{') - i32::from(c == '}' && open > 0);
        let length = match taken {
            (0, _) => {
                if !c.is_alphanumeric() && c != '/' && c != '_' {
                    out.push('\\');
                }
                out.push(c);
                c.len_utf8()
            }
            (length, regex) => {
                out.push_str(regex);
                length
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    out.extend(std::iter::repeat_n(')', usize::try_from(open).unwrap_or(0)));
    if glob.ends_with('/') {
        out.push_str(".*");
    }
    out.push('$');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_what_people_mean() {
        let cases = [
            (
                "src/**/a.ts",
                &["src/a.ts", "src/x/a.ts", "src/x/y/a.ts"][..],
                &["a.ts", "src/xa.ts"][..],
            ),
            ("*.rs", &["a.rs", "x/y/a.rs"], &["a.rsx", "rs"]),
            ("/*.rs", &["a.rs"], &["x/a.rs"]),
            ("src/*.rs", &["src/a.rs"], &["src/x/a.rs", "x/src/a.rs"]),
            ("src/", &["src/a", "src/x/a"], &["xsrc/a"]),
            ("**/tests/**", &["tests/a", "x/tests/y/a"], &["x/mytests/a"]),
            ("a?.{ts,tsx}", &["ab.ts", "x/ab.tsx"], &["a.ts", "abc.ts"]),
            ("a+b(c).rs", &["a+b(c).rs"], &["aab(c).rs"]),
            ("{a,b", &["a", "x/b"], &["c"]),
        ];
        for (glob, found, not) in cases {
            let regex = regex::Regex::new(&regex(glob)).unwrap();
            for path in found {
                assert!(regex.is_match(path), "{glob} {path}");
            }
            for path in not {
                assert!(!regex.is_match(path), "{glob} {path}");
            }
        }
    }
}
