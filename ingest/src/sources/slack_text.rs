//! Slack's message markup as plain words.
//!
//! Only `&`, `<` and `>` are escaped; `<...>` holds mentions (`@U1`, `#C1|name`, `!here`) and links
//! (`url|label`). Slack, "Formatting text for app surfaces".

/// The words a reader of the message sees.
#[must_use]
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let inner = tail.get(1..).unwrap_or("");
        // The nearer of the two signs decides, so a row of `<` costs no more than any text.
        let end = inner.find(['<', '>']).filter(|end| inner.as_bytes().get(*end) == Some(&b'>'));
        if let Some((token, after)) = end.and_then(|end| inner.split_at_checked(end)) {
            push_token(&mut out, token);
            rest = after.strip_prefix('>').unwrap_or(after);
        } else {
            out.push('<');
            rest = inner;
        }
    }
    out.push_str(rest);
    unescape(&out)
}

fn push_token(out: &mut String, token: &str) {
    let (target, label) = token.split_once('|').unwrap_or((token, ""));
    let mut sign = target.chars();
    match (sign.next(), label) {
        (Some('@'), "") => out.push_str(target),
        (Some('@'), label) => push_signed(out, '@', label),
        (Some('#'), "") => out.push_str(target),
        (Some('#'), label) => push_signed(out, '#', label),
        // `!subteam^S1|@team` and `!date^...|text` carry what to show; `!here` is its own name.
        (Some('!'), "") => push_signed(out, '@', sign.as_str().split('^').next().unwrap_or("")),
        (Some('!'), label) => out.push_str(label),
        (_, "") => out.push_str(target.strip_prefix("mailto:").unwrap_or(target)),
        (_, label) if target.ends_with(label) => out.push_str(label),
        (_, label) => {
            out.push_str(label);
            out.push_str(" (");
            out.push_str(target);
            out.push(')');
        }
    }
}

fn push_signed(out: &mut String, sign: char, name: &str) {
    if !name.starts_with(sign) {
        out.push(sign);
    }
    out.push_str(name);
}

/// In this order, so that an escaped escape stays one: `&amp;lt;` is `&lt;`.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn markup_becomes_what_a_reader_sees() {
        let cases = [
            ("a &lt;b&gt; &amp; c", "a <b> & c"),
            ("&amp;lt;", "&lt;"),
            ("hi <@U0AB> in <#C0AB|general> and <#C9>", "hi @U0AB in #general and #C9"),
            (
                "<@U0AB|ana> <!here> <!subteam^S1|@ops> <!channel|@channel>",
                "@ana @here @ops @channel",
            ),
            ("see <https://a.test/x|the page>", "see the page (https://a.test/x)"),
            ("<https://a.test>", "https://a.test"),
            ("<mailto:a@b.test|a@b.test>", "a@b.test"),
            ("<http://a.test|a.test>", "a.test"),
            ("5 < 6 <", "5 < 6 <"),
            ("<<>", "<"),
            ("", ""),
        ];
        for (markup, words) in cases {
            assert_eq!(plain(markup), words, "{markup}");
        }
    }
}
