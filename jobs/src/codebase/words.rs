//! Code as words: what full-text search and people's questions have in common.
//!
//! Measured reason: the same ranker on unsplit code finds next to nothing (spec/codeindex.md, section 0, 2).

/// Longer words are data.
const WORD_MAX: usize = 40;

/// The words of a text, lower case: `HttpClient::read_line2` is `http client httpclient read line2 readline2`.
#[must_use]
pub fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for name in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
        let name = name.trim_matches('_');
        if name.is_empty() || name.len() > 3 * WORD_MAX {
            continue;
        }
        let before = out.len();
        let (mut parts, mut start) = (0, 0);
        for end in ends(name) {
            let part = name.get(start..end).unwrap_or_default().trim_matches('_');
            start = end;
            if !part.is_empty() && part.len() <= WORD_MAX {
                push(&mut out, part);
                parts += 1;
            }
        }
        if parts > 1 && out.len() - before <= WORD_MAX + parts {
            push(&mut out, &name.replace('_', ""));
        }
    }
    out
}

fn push(out: &mut String, word: &str) {
    if !out.is_empty() {
        out.push(' ');
    }
    out.extend(word.chars().flat_map(char::to_lowercase));
}

/// Where the parts of a name end: before a capital that follows a small letter (`aB`) or is followed by one (`ABc`), and
/// behind underscores.
fn ends(name: &str) -> Vec<usize> {
    let chars: Vec<(usize, char)> = name.char_indices().collect();
    let mut ends = Vec::new();
    for (nth, pair) in chars.windows(2).enumerate() {
        let &[(_, before), (at, here)] = pair else { continue };
        let next = chars.get(nth + 2).map(|(_, c)| *c);
        let rises = here.is_uppercase() && !before.is_uppercase();
        let last_capital =
            here.is_uppercase() && before.is_uppercase() && next.is_some_and(char::is_lowercase);
        if rises || last_capital || before == '_' {
            ends.push(at);
        }
    }
    ends.push(name.len());
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_and_kept() {
        let cases = [
            ("HttpClient::read_line2(x)", "http client httpclient read line2 readline2 x"),
            ("parseHTTPRequest", "parse http request parsehttprequest"),
            ("__init__", "init"),
            ("SOME_CONST = 1", "some const someconst 1"),
            ("größeÄndern", "größe ändern größeändern"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text), expected);
        }
    }
}
