//! What one character is folded to.

use unicode_normalization::char::decompose_compatible;
use unicode_security::confusable_detection::skeleton;

/// Gives what `c` folds to, which is nothing for what is not seen. What it gives folds to itself.
pub(super) fn fold(c: char, give: &mut dyn FnMut(char)) {
    if c.is_ascii() {
        match c {
            '`' => give('\''),
            '-' | '\t'..='\r' => give(' '),
            '\0'..='\u{1f}' | '\u{7f}' => {}
            _ => give(c.to_ascii_lowercase()),
        }
        return;
    }
    if unseen(c) || diacritic(c) {
        return;
    }
    if let Some(mark) = mark(c).or_else(|| lookalike(c)) {
        return give(mark);
    }
    let mut whole = true;
    decompose_compatible(c, |part| {
        if part != c {
            whole = false;
            fold(part, give);
        }
    });
    if whole {
        let mut lower = c.to_lowercase();
        match (lower.next(), lower.next()) {
            (Some(same), None) if same == c => give(c),
            _ => c.to_lowercase().for_each(|part| fold(part, give)),
        }
    }
}

/// The part of Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt) outside ASCII, and
/// controls: zero-width characters, bidirectional marks, variation selectors, fillers, tags.
pub(super) fn unseen(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The blocks of combining diacritical marks. Marks of other blocks are vowels of their scripts and stay.
pub(super) fn diacritic(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}')
}

/// Punctuation and space in their ASCII form. Hyphens and dashes are spaces: `hung-over` is `hung over`.
fn mark(c: char) -> Option<char> {
    match c {
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2035}' | '\u{2bc}' | '\u{2bb}' | '\u{2b9}' | '\u{2ca}'
        | '\u{2cb}' | '\u{b4}' | '\u{ff40}' | '\u{ff07}' | '\u{a78c}' => Some('\''),
        '\u{201c}'..='\u{201f}' | '\u{ab}' | '\u{bb}' | '\u{2033}' | '\u{ff02}' => Some('"'),
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{2e3a}' | '\u{2e3b}' | '\u{fe58}'
        | '\u{fe63}' | '\u{ff0d}' | '\u{30fb}' | '\u{b7}'
        // Trade marks belong to no word.
        | '\u{2122}' | '\u{2120}' => Some(' '),
        _ if c.is_whitespace() => Some(' '),
        _ => None,
    }
}

/// The Latin letter that `c` is drawn like, by the confusables of Unicode Technical Standard 39, in the
/// scripts whose letters are swapped in. An upright stroke is an `i` when it is a capital, as in `ІРО`.
fn lookalike(c: char) -> Option<char> {
    if let Some(letter) = enclosed(c).or_else(|| small_capital(c)) {
        return Some(letter);
    }
    let swapped_in = matches!(c,
        '\u{c0}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{1c80}'..='\u{1c8f}' | '\u{1d00}'..='\u{1dbf}'
        | '\u{1e00}'..='\u{1fff}' | '\u{2c60}'..='\u{2cff}' | '\u{a4d0}'..='\u{a4ff}'
        | '\u{a640}'..='\u{a69f}' | '\u{a720}'..='\u{a7ff}' | '\u{ab30}'..='\u{abbf}');
    if !swapped_in || !c.is_alphabetic() {
        return None;
    }
    let mut buffer = [0; 4];
    let mut parts = skeleton(c.encode_utf8(&mut buffer)).filter(|part| !diacritic(*part));
    let (Some(first), None) = (parts.next(), parts.next()) else {
        return None;
    };
    match first {
        'l' if c.is_uppercase() => Some('i'),
        _ if first.is_ascii_alphabetic() => Some(first.to_ascii_lowercase()),
        _ => small_capital(first),
    }
}

/// Small capitals have no decomposition, and few are among the confusables. The names are Unicode's
/// (`LATIN LETTER SMALL CAPITAL ..`).
fn small_capital(c: char) -> Option<char> {
    const PAIRS: [(char, char); 27] = [
        ('ᴀ', 'a'),
        ('ʙ', 'b'),
        ('ᴄ', 'c'),
        ('ᴅ', 'd'),
        ('ᴇ', 'e'),
        ('ꜰ', 'f'),
        ('ɢ', 'g'),
        ('ʜ', 'h'),
        ('ɪ', 'i'),
        ('ᴊ', 'j'),
        ('ᴋ', 'k'),
        ('ʟ', 'l'),
        ('ᴍ', 'm'),
        ('ɴ', 'n'),
        ('ᴏ', 'o'),
        ('ᴘ', 'p'),
        ('ꞯ', 'q'),
        ('ʀ', 'r'),
        ('ꜱ', 's'),
        ('ᴛ', 't'),
        ('ᴜ', 'u'),
        ('ᴠ', 'v'),
        ('ᴡ', 'w'),
        ('ʏ', 'y'),
        ('ᴢ', 'z'),
        ('ɩ', 'i'),
        ('ǫ', 'q'),
    ];
    PAIRS.iter().find(|(from, _)| *from == c).map(|(_, to)| *to)
}

/// White letters on black circles and squares, which have no decomposition.
fn enclosed(c: char) -> Option<char> {
    let first = match c {
        '\u{1f150}'..='\u{1f169}' => 0x1f150,
        '\u{1f170}'..='\u{1f189}' => 0x1f170,
        _ => return None,
    };
    u8::try_from(u32::from(c) - first).ok().map(|nth| char::from(b'a' + nth))
}

#[cfg(test)]
mod tests {
    use super::fold;

    fn folded(text: &str) -> String {
        let mut out = String::new();
        text.chars().for_each(|c| fold(c, &mut |part| out.push(part)));
        out
    }

    #[test]
    fn every_character_folds_to_what_folds_to_itself() {
        for c in '\0'..=char::MAX {
            let once = folded(&c.to_string());
            assert_eq!(folded(&once), once, "{c:?} U+{:x}", u32::from(c));
        }
    }

    #[test]
    fn what_looks_the_same_folds_the_same() {
        for (from, to) in [
            ("HаngоvЕr", "hangover"),         // Cyrillic а о Е
            ("νοmιτ", "vomit"),               // Greek
            ("ΝΑUSΕΑ", "nausea"),             // Greek capitals: Ν is no v
            ("ＨＡＮＧＯＶＥＲ", "hangover"), // fullwidth
            ("𝓱𝖆𝗇𝕘𝑜𝐯𝚎𝓇", "hangover"),         // mathematical
            ("ʜᴀɴɢᴏᴠᴇʀ", "hangover"),         // small capitals
            ("🅷🅰🅽🅶🅾🆅🅴🆁 🅢🅘🅒🅚", "hangover sick"),
            ("ⓗⓐⓝⓖⓞⓥⓔⓡ", "hangover"),
            ("hángövęr øł ı", "hangover ol i"),
            ("h\u{335}a\u{336}n\u{301}g\u{20dd}over", "hangover"),
            ("ЅUІСІDЕ", "suicide"), // Cyrillic І drawn as an upright stroke
            ("ﬁx ½", "fix 1⁄2"),
            ("can’t canʼt can`t can´t", "can't can't can't can't"),
            ("hung-over hung‐over hung—over", "hung over hung over hung over"),
            ("Liquid I.V.™", "liquid i.v. "),
            ("二日酔い", "二日酔い"),
        ] {
            assert_eq!(folded(from), to);
        }
    }
}
