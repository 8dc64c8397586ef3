use super::*;

#[test]
fn nul_and_lone_surrogates_become_replacement_characters() {
    assert_eq!(clean("a\0b"), (Cow::Owned("a\u{fffd}b".to_owned()), true));
    assert_eq!(clean("plain").0, "plain");
    assert_eq!(from_wtf8(b"a\xed\xa0\x80b"), "a\u{fffd}b");
    assert_eq!(from_wtf8(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    assert_eq!(from_wtf8("\u{1f600}".as_bytes()), "\u{1f600}");
}

#[test]
fn html_becomes_its_words() {
    let cases = [
        ("<p>Export &amp; import</p><p>fail</p>", "Export & import fail"),
        ("a<br/>b<!-- c --> d", "a b d"),
        ("<script>x<y</script>left<STYLE>p{}</STYLE>right", "left right"),
        ("5 < 6 and 7 > 2", "5 < 6 and 7 > 2"),
        ("&amp;lt;b&amp;gt; &#39;q&#x22; &unknown; &", "&lt;b&gt; 'q\" &unknown; &"),
        ("<a href=\"x\">cut", "cut"),
        ("never closed <b", "never closed <b"),
        ("<a<a<b>x<", "x<"),
        ("&#0;&#x110000;", "&#0;&#x110000;"),
    ];
    for (html, words) in cases {
        assert_eq!(strip_html(html), words, "{html}");
    }
}

#[test]
fn long_keys_stay_apart() {
    let long = "k".repeat(5_000);
    let a = bounded_ref(&long);
    let b = bounded_ref(&format!("{long}x"));
    assert!(a.len() <= limits::REF_BYTES_MAX && b.len() <= limits::REF_BYTES_MAX);
    assert_ne!(a, b);
    assert_eq!(bounded_ref("slack-T1-C1-1.2"), "slack-T1-C1-1.2");
    assert_eq!(bounded_ref(&a), a);
}

proptest::proptest! {
    #[test]
    fn html_never_grows_or_panics(html in "(?s)[<>&;#a-z/!\"\\-\\PC]{0,200}") {
        let words = strip_html(&html);
        proptest::prop_assert!(words.len() <= html.len().saturating_mul(2));
    }

    #[test]
    fn caps_hold_at_any_boundary(text in "\\PC{0,64}", max in 0usize..80) {
        let cut = cap(&text, max);
        proptest::prop_assert!(cut.len() <= max && text.starts_with(cut));
    }

    #[test]
    fn any_bytes_become_text(bytes in proptest::collection::vec(0u8.., 0..200)) {
        let text = from_wtf8(&bytes);
        proptest::prop_assert!(text.len() <= bytes.len().saturating_mul(3));
    }
}
