//! Who speaks: size or plan of the company, and role. Only what the text says itself.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::{Found, chars};

/// A pattern and the word it stands for.
type Pattern = (&'static str, Regex);

fn patterns(list: &[(&'static str, &str)]) -> Vec<Pattern> {
    let build = |(word, pattern): &(&'static str, &str)| {
        let regex = RegexBuilder::new(pattern).case_insensitive(true).build();
        regex.ok().map(|r| (*word, r))
    };
    list.iter().filter_map(build).collect()
}

static SIZES: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    patterns(&[
        (
            "enterprise",
            r"\b(?:we(?: are|'re)|as|for|our|at) (?:an? |our )?(?:large )?enterprise\b|\benterprise (?:plan|tier|customer|account|contract|admin\w*)|\bfortune \d+|\b(?:we|our) .{0,20}\b\d{1,3}[.,]?\d{3} (?:employees|seats|people|staff)\b",
        ),
        (
            "mid-market",
            r"\bmid-?(?:market|size[d]?)\b|\b(?:we|our) .{0,20}\b[1-9]\d{2} (?:employees|seats|people|staff)\b",
        ),
        (
            "small business",
            r"\bsmall (?:business|company|firm|shop|team)\b|\bsmb\b|\b(?:we are|we're|team of|company of) (?:only |just )?(?:[2-9]|[1-4]\d|two|three|four|five|six|seven|eight|nine|ten|twelve)(?: people| of us| employees)?\b",
        ),
        (
            "startup",
            r"\b(?:we(?: are|'re)|as|our|at our) (?:an? )?(?:early[- ]stage |young |small )?start-?up\b",
        ),
        (
            "free plan",
            r"\b(?:on|using|with) (?:the|your|a) free (?:plan|tier|version)\b|\bfree (?:plan|tier) user\b",
        ),
        (
            "prosumer",
            r"\b(?:i am|i'm|as) an? (?:freelancer|sole trader|solo founder|hobbyist|self-employed \w+)\b|\bas a freelance \w+",
        ),
    ])
});

static ROLES: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    patterns(&[
        (
            "admin",
            r"\b(?:i am|i'm|i work as|as|our|from the|from our) (?:an? |the |our )?(?:\w+ )?(?:admins?|administrators?|it department|it team)\b|\bwe administer\b",
        ),
        (
            "developer",
            r"\b(?:i am|i'm|as|our|we are|we're) (?:an? |the )?(?:\w+ )?(?:developers?|engineers?|programmers?)\b",
        ),
        ("designer", r"\b(?:i am|i'm|as|our) (?:an? |the )?(?:\w+ )?designers?\b"),
        ("product manager", r"\b(?:i am|i'm|as|our) (?:an? |the )?product (?:manager|owner)s?\b"),
        (
            "sales",
            r"\b(?:i am|i'm|as|our|my) (?:an? |the |in )?(?:sales (?:team|rep\w*|manager|people)|account executives?)\b",
        ),
        (
            "support agent",
            r"\b(?:i am|i'm|as|our|my) (?:an? |the |in )?(?:customer )?support (?:team|agents?|staff)\b",
        ),
        (
            "finance",
            r"\b(?:i am|i'm|as|our|my|from) (?:an? |the |in )?(?:finance (?:team|department)|accountants?|accounting|bookkeepers?|controllers?|cfo)\b",
        ),
        ("teacher", r"\b(?:i am|i'm|as|our) (?:an? |the )?(?:\w+ )?(?:teachers?|professors?)\b"),
        ("student", r"\b(?:i am|i'm|as) an? (?:\w+ )?student\b"),
        ("founder", r"\b(?:i am|i'm|as) (?:an? |the )?(?:co-?)?(?:founder|ceo|owner)\b"),
        (
            "manager",
            r"\b(?:i am|i'm|as) (?:an? |the )?(?:\w+ )?(?:manager|team lead|head of \w+)\b",
        ),
    ])
});

/// The segment that the text names, e.g. `enterprise admin`.
pub(super) fn find(text: &str) -> Option<Found> {
    let first = |list: &'static [Pattern]| {
        list.iter().find_map(|(word, r)| r.find(text).map(|m| (*word, m.range())))
    };
    let (value, at, confidence) = match (first(&SIZES), first(&ROLES)) {
        (Some((size, a)), Some((role, b))) => {
            (format!("{size} {role}"), a.start.min(b.start)..a.end.max(b.end), 0.85)
        }
        (Some((size, at)), None) => (size.to_owned(), at, 0.8),
        (None, Some((role, at))) => (role.to_owned(), at, 0.8),
        (None, None) => return None,
    };
    Some(Found { value, confidence, evidence: Some(chars(text, at)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_who_they_say_they_are() {
        let value = |text| find(text).map(|f| f.value);
        assert_eq!(
            value("As an enterprise customer, our admins need audit logs.").as_deref(),
            Some("enterprise admin")
        );
        assert_eq!(
            value("We're a team of 12 and the price hurts.").as_deref(),
            Some("small business")
        );
        assert_eq!(value("Our company has 4,000 employees on it.").as_deref(), Some("enterprise"));
        assert_eq!(value("I am a freelancer.").as_deref(), Some("prosumer"));
        assert_eq!(value("The admin page is slow."), None);
    }
}
