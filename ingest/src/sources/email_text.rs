//! The part of a mail that its sender wrote, without what they quote and sign with.

/// Lines that begin a quoted message, as the common mail programs write them. Each pair must occur in
/// this order in one line (or in two, where the program wraps it).
const ATTRIBUTIONS: [(&str, &str); 7] = [
    ("On ", " wrote:"),
    ("Am ", " schrieb"),
    ("Le ", " a \u{e9}crit"),
    ("El ", " escribi\u{f3}:"),
    ("Il ", " ha scritto:"),
    ("Op ", " schreef"),
    ("Em ", " escreveu:"),
];

/// The sender's own words; the whole text if nothing else would be left (a forward).
#[must_use]
pub(super) fn own_words(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let end = (0..lines.len()).find(|&at| ends_here(&lines, at)).unwrap_or(lines.len());
    let own: Vec<&str> =
        lines.iter().take(end).copied().filter(|l| !l.trim_start().starts_with('>')).collect();
    let own = own.join("\n").trim().to_owned();
    if own.is_empty() { text.trim().to_owned() } else { own }
}

/// Whether the sender's words end before this line.
fn ends_here(lines: &[&str], at: usize) -> bool {
    let line = |offset: usize| lines.get(at.saturating_add(offset)).copied().unwrap_or("").trim();
    let here = line(0);
    // RFC 3676: the signature separator is dash dash space; many programs lose the space.
    if here == "--" {
        return true;
    }
    if here.starts_with("-----Original Message-----")
        || here.starts_with("---------- Forwarded message")
    {
        return at > 0;
    }
    if here.len() >= 20 && here.chars().all(|c| c == '_') && line(1).starts_with("From:") {
        return true;
    }
    if here.starts_with("From:")
        && (1..4).any(|n| line(n).starts_with("Sent:") || line(n).starts_with("Date:"))
    {
        return at > 0;
    }
    ATTRIBUTIONS.iter().any(|(begin, end)| {
        here.starts_with(begin)
            && (here.contains(end)
                || format!("{here} {}", line(1)).trim_end().ends_with(end.trim_end()))
            && here.len() < 400
    })
}

#[cfg(test)]
mod tests {
    use super::own_words;

    #[test]
    fn quotes_and_signatures_are_cut() {
        let cases = [
            (
                "Export fails.\n\nOn Tue, 3 Jun 2025 at 10:00, Ana <a@b.test> wrote:\n> hi\n> there",
                "Export fails.",
            ),
            (
                "Export fails.\n\nOn Tue, 3 Jun 2025 at 10:00, Ana Long Name\n<a@b.test> wrote:\n> hi",
                "Export fails.",
            ),
            ("> old question\nMy answer below.", "My answer below."),
            ("Too slow.\n-- \nAna\nAcme", "Too slow."),
            ("Ja.\n\nAm 3.6.25 um 10:00 schrieb Ana:\n> was", "Ja."),
            ("New.\n\n________________________________\nFrom: Ana\nSent: today\nold", "New."),
            ("New.\n\nFrom: Ana\nSent: today\nTo: b\n\nold", "New."),
            ("New.\n-----Original Message-----\nold", "New."),
            ("On Mondays it fails. I wrote: nothing.", "On Mondays it fails. I wrote: nothing."),
            ("> only quoted", "> only quoted"),
            ("", ""),
        ];
        for (text, words) in cases {
            assert_eq!(own_words(text), words, "{text}");
        }
    }
}
