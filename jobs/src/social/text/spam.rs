//! Spam is tagged, never dropped: so that the filter can be judged.

use serde::Serialize;

use super::{Folded, Span, phrases::Phrases};
use crate::social::profile::{Profile, SpamLevel};

/// One reason to take a post for spam.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpamReason {
    /// The tag: `film`, `urls`, `large_verified_account`, ..
    pub reason: String,
    /// How sure it is.
    pub level: SpamLevel,
    /// What was found, as the profile writes it.
    pub term: Option<String>,
    /// Where, in the original text.
    pub span: Option<Span>,
    /// Whether it filters.
    pub filters: bool,
}

/// What the lists say of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spam {
    /// `posts.spam_filtered`: no decision is made for it.
    pub filtered: bool,
    /// The surest reason's; low without one.
    pub level: SpamLevel,
    /// All reasons, the surest first.
    pub reasons: Vec<SpamReason>,
}

/// Who wrote it, as far as the platform says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Account {
    /// Followers.
    pub followers: Option<i64>,
    /// Verified by the platform.
    pub verified: Option<bool>,
}

/// Tags.
#[must_use]
pub fn spam(text: &Folded<'_>, account: Account, profile: &Profile) -> Spam {
    let lists = &profile.spam;
    let mut reasons = Vec::new();
    for list in &lists.lists {
        reasons.extend(found(&list.phrases, text, &list.reason, list.level));
    }
    for pair in &lists.pairs {
        if pair.first.any(text) {
            reasons.extend(found(&pair.second, text, &pair.reason, pair.level));
        }
    }
    if urls(text.text()) > lists.urls_max {
        reasons.push(SpamReason::of_account("urls", lists.urls_level, true));
    }
    let large = account.followers.is_some_and(|n| n > lists.large_account_followers);
    if large && account.verified == Some(true) {
        let (level, filters) = (lists.large_account_level, lists.large_account_filters);
        reasons.push(SpamReason::of_account("large_verified_account", level, filters));
    }
    reasons.sort_by_key(|reason| std::cmp::Reverse((reason.filters, reason.level)));
    Spam {
        filtered: reasons.iter().any(|reason| reason.filters && reason.level > SpamLevel::Low),
        level: reasons.iter().map(|reason| reason.level).max().unwrap_or(SpamLevel::Low),
        reasons,
    }
}

impl SpamReason {
    fn of_account(reason: &str, level: SpamLevel, filters: bool) -> Self {
        Self { reason: reason.into(), level, term: None, span: None, filters }
    }
}

fn found<'f>(
    list: &'f Phrases,
    text: &'f Folded<'_>,
    reason: &'f str,
    level: SpamLevel,
) -> impl Iterator<Item = SpamReason> + 'f {
    list.find(text).map(move |hit| SpamReason {
        reason: reason.to_owned(),
        level,
        term: Some(list.phrase(&hit).to_owned()),
        span: Some(text.span(&hit.at)),
        filters: true,
    })
}

/// Links, with or without a scheme.
fn urls(folded: &str) -> usize {
    let schemes = folded.matches("http://").count() + folded.matches("https://").count();
    let bare = |word: &&str| word.trim_start_matches('(').starts_with("www.");
    schemes + folded.split(' ').filter(bare).count()
}

#[cfg(test)]
mod tests {
    use super::{Account, Folded, SpamLevel, spam};
    use crate::social::profile::vita;

    fn tagged(text: &str, account: Account) -> (bool, SpamLevel, Vec<String>) {
        let profile = vita();
        let spam = spam(&Folded::new(text), account, profile);
        (spam.filtered, spam.level, spam.reasons.into_iter().map(|reason| reason.reason).collect())
    }

    #[test]
    fn spam_is_tagged_with_its_reasons() {
        use SpamLevel::{High, Low, Medium};
        let five = "http://a.b https://c.d WWW.e.f https://g.h https://i.j";
        for (text, filtered, level, reasons) in [
            ("hungover again", false, Low, vec![]),
            ("Bradley\u{200b} Cooper in it", true, Medium, vec!["film"]),
            ("Bіtcоin to-the-moon", true, High, vec!["promotion", "promotion"]),
            ("cooper bradley", false, Low, vec![]),
            ("bradley cooper and an airdrop", true, High, vec!["promotion", "film"]),
            (five, false, Low, vec![]),
            (&format!("{five} (www.k.l)"), true, Medium, vec!["urls"]),
            ("my token of thanks", false, Low, vec![]),
            ("what a price for wine", false, Low, vec![]),
            ("this token has a price", true, High, vec!["crypto_price"]),
        ] {
            let reasons: Vec<_> = reasons.into_iter().map(str::to_owned).collect();
            assert_eq!(tagged(text, Account::default()), (filtered, level, reasons), "{text}");
        }
    }

    #[test]
    fn large_verified_accounts_are_tagged_and_pass() {
        for (followers, verified, tag) in [
            (Some(50_000), Some(true), false),
            (Some(50_001), Some(true), true),
            (Some(50_001), Some(false), false),
            (Some(50_001), None, false),
            (None, Some(true), false),
        ] {
            let (filtered, level, reasons) = tagged("so hungover", Account { followers, verified });
            assert_eq!(
                (filtered, level == SpamLevel::High, reasons.len()),
                (false, tag, tag.into())
            );
        }
    }
}
