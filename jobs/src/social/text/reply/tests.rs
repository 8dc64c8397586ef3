use super::{Mode, Platform, Reply, Rule, Violation, check, length};
use crate::social::profile::vita;

fn said(content: &str, platform: Platform) -> Vec<Violation> {
    check(Reply { content, platform, link: None, utm_code: None, mode: None }, vita())
}

/// Rules broken by a text, the signature apart, with what is shown.
fn broken(text: &str) -> Vec<(Rule, Option<String>)> {
    let content = format!("{text} —Antone (Vita)");
    let shown = |v: Violation| {
        let span = v.span.map(|span| content.get(span.start..span.end).unwrap().to_owned());
        (v.rule, span)
    };
    said(&content, Platform::Threads).into_iter().map(shown).collect()
}

#[test]
fn the_seeds_rules_hold_with_its_messages() {
    let sign = "—Antone (Vita)";
    let of = |units: usize| format!("{}{sign}", "a".repeat(units - sign.chars().count()));
    for (content, rule, message) in [
        ("a".repeat(9), Rule::TooShort, "Reply too short"),
        (of(1001), Rule::TooLong, "Reply exceeds maximum length"),
        ("Take it slow. -Antone (Vita)".into(), Rule::Signature, "Reply must include signature"),
        (
            format!("This will cure you {sign}"),
            Rule::SeedClaim,
            "Reply contains prohibited medical claims",
        ),
    ] {
        let found = said(&content, Platform::Reddit);
        let hit = |v: &&Violation| v.rule == rule && v.message == message;
        assert_eq!(found.iter().filter(hit).count(), 1, "{content} {found:?}");
    }
    let rules = |content: &str| {
        said(content, Platform::Reddit).into_iter().map(|v| v.rule).collect::<Vec<_>>()
    };
    assert!(!rules(&"a".repeat(10)).contains(&Rule::TooShort));
    assert!(!rules(&of(1000)).contains(&Rule::TooLong));
    // The seed counts UTF-16: an emoji is two.
    assert!(!rules(&"🍹".repeat(5)).contains(&Rule::TooShort));
    assert_eq!(rules(&format!("Water first. {sign}")), []);
    for (code, fine) in [("a-z_09", true), ("", false), ("A", false), ("a b", false), ("é", false)]
    {
        let content = format!("Water first. {sign}");
        let reply = Reply {
            content: &content,
            platform: Platform::Reddit,
            link: None,
            utm_code: Some(code),
            mode: None,
        };
        let found = check(reply, vita());
        assert_eq!(found.is_empty(), fine, "{code}");
        assert!(found.iter().all(|v| v.message == "Invalid UTM code"));
    }
}

#[test]
fn the_seeds_claims_are_found_inside_words_and_through_evasion() {
    for (text, shown) in [
        ("feel secure", "cure"),
        ("a retreat", "treat"),
        ("my manicure", "cure"),
        ("treat yourself to a slow morning", "treat"),
        ("PREVENTS it", "PREVENT"),
        ("it c\u{200b}ures", "c\u{200b}ure"),
        ("it сurеs", "сurе"),
        ("clinically  proven", "clinically  proven"),
        ("clinically-proven", "clinically-proven"),
        ("it pre-vents", "pre-vent"),
        ("it c.u.r.e.s", "c.u.r.e"),
        ("it tréats", "tréat"),
    ] {
        let found = broken(text);
        assert!(found.contains(&(Rule::SeedClaim, Some(shown.into()))), "{text} {found:?}");
    }
    for text in ["a rest occurs", "pre event", "clinical. Proven", "three at"] {
        assert_eq!(broken(text), [], "{text}");
    }
}

#[test]
fn claims_are_words_unless_approved() {
    for (text, claims) in [
        ("FDA-approved", 1),
        ("it eliminates it", 1),
        ("it stops hangovers and blocks hangovers", 2),
        ("guaranteed!", 1),
        ("unguaranteed", 0),
        ("prescription   strength", 1),
        // The approved phrase, and one that is nearly so; at .85 of it.
        ("Satisfaction guaranteed or your money back", 0),
        ("satisfaction guaranteed, or your money back!", 0),
        ("satisfaction is guaranteed by our money", 1),
        ("satisfaction guaranteed or your money back, results guaranteed", 1),
    ] {
        let found = broken(text).into_iter().filter(|(rule, _)| *rule == Rule::Claim).count();
        assert_eq!(found, claims, "{text}");
    }
}

#[test]
fn lengths_count_signature_and_link_as_the_platform_does() {
    let sign = " —Antone (Vita)";
    for (platform, most) in
        [(Platform::Twitter, 280), (Platform::Threads, 320), (Platform::Reddit, 500)]
    {
        let link = "https://vita.example/a-long-path-that-x-counts-as-twenty-three";
        let counted = if platform == Platform::Twitter { 23 } else { link.len() };
        for (linked, over) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
            let rest = sign.chars().count() + if linked { counted + 1 } else { 0 };
            let content = format!("{}{sign}", "a".repeat(most - rest + over));
            let link = linked.then_some(link);
            let reply = Reply { content: &content, platform, link, utm_code: None, mode: None };
            let found = check(reply, vita());
            let told: Vec<_> = found.iter().map(|v| v.message.clone()).collect();
            let place = platform.as_str();
            let message =
                format!("Reply exceeds maximum length: {} of {most} on {place}", most + over);
            assert_eq!(told, if over > 0 { vec![message] } else { vec![] });
        }
    }
    for (text, x, threads) in [
        ("abc", 3, 3),
        ("é—“”", 4, 4),
        ("日本", 4, 2),
        ("👩‍👩‍👧 🇺🇸 👍🏽", 8, 11),
        ("see https://a.b/c?d=e now", 31, 25),
    ] {
        assert_eq!(
            (length(Platform::Twitter, text), length(Platform::Threads, text)),
            (x, threads)
        );
    }
}

#[test]
fn hashtags_emoji_and_links_have_their_measure() {
    let sign = "—Antone (Vita)";
    for (platform, text, rules) in [
        (Platform::Twitter, "water #first", vec![Rule::Hashtags]),
        (Platform::Threads, "#one #two", vec![]),
        (Platform::Threads, "#one #two #three", vec![Rule::Hashtags]),
        (Platform::Twitter, "a#b &#39; plain", vec![]),
        (Platform::Twitter, "💧👩‍👩‍👧", vec![]),
        (Platform::Twitter, "💧💧👍🏽", vec![Rule::Emoji]),
        (Platform::Threads, "💧💧👍🏽 © ™", vec![]),
        (Platform::Threads, "💧💧💧🇺🇸", vec![Rule::Emoji]),
        (Platform::Reddit, "💧", vec![Rule::Emoji]),
    ] {
        let found = said(&format!("{text} {sign}"), platform);
        assert_eq!(found.iter().map(|v| v.rule).collect::<Vec<_>>(), rules, "{text}");
    }
    let found = said(&format!("#one #two #three {sign}"), Platform::Threads);
    assert_eq!(found[0].message, "Too many hashtags: 3 of 2 on THREADS");
    assert_eq!(found[0].span.map(|s| (s.start, s.end)), Some((10, 16)));
    let content = format!("see www.vita.example {sign}");
    for (mode, links) in [(Mode::Engagement, 1), (Mode::Helpful, 0)] {
        let (platform, mode) = (Platform::Reddit, Some(mode));
        let reply = Reply { content: &content, platform, link: None, utm_code: None, mode };
        assert_eq!(check(reply, vita()).len(), links);
    }
}
