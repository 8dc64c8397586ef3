//! The figures of a day: one table of definitions over counts that add up.

use std::ops::AddAssign;

use crate::social::profile::KpiType;

/// Days after which a figure of a reply does not change any more: clicks and orders count for seven.
pub const RIPE_DAYS: i64 = 8;
/// As [`RIPE_DAYS`], of figures that are quoted for thirty.
pub const RIPE_30_DAYS: i64 = 31;
/// Days before a day that are its baseline.
pub const BASELINE_DAYS: i64 = 28;

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What happened on a day (of the profile's time zone) on a platform. What came of a reply counts on the day on
        /// which that was posted, all else on its own.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
        #[sqlx(default)]
        #[expect(missing_docs, reason = "a line may be about two of them")]
        pub struct Facts { $($(#[$doc])* pub $name: i64,)* }

        impl AddAssign for Facts {
            fn add_assign(&mut self, other: Self) {
                $(self.$name = self.$name.saturating_add(other.$name);)*
            }
        }
    };
}

facts! {
    /// Replies posted.
    replies,
    /// Of them: with a link.
    product,
    /// Of these: clicked in seven days.
    clicked,
    /// Clicks in seven days.
    clicks,
    /// Seconds that those stayed of whom it is known, and how many they are.
    dwell_s,
    dwelt,
    /// Clicks that filled a basket, of those of which it is known.
    carts,
    cart_known,
    /// Orders in seven days that are credited to a click of seven days.
    orders,
    /// Orders in thirty days that are credited to a click.
    orders_30d,
    /// US cents of `orders`.
    usd_cents,
    /// Of `orders`: of new customers, of those of whom it is known.
    new_customers,
    customers_known,
    /// Of `orders`: by somebody who had bought in the 90 days before, of those who are known.
    repeats,
    buyers_known,
    /// Of `orders`: with a coupon, of those of which it is known.
    coupons,
    coupon_known,
    /// Replies that were thanked or liked.
    thanked,
    /// Replies answered by whom they answer, in twenty minutes; of those whose author is known.
    op_answered,
    op_known,
    /// Answers and shares that replies had after 24 hours, and of how many that is known.
    ripple,
    ripple_known,
    /// Replies that their platform removed, or somebody reported.
    removed,
    /// Replies that we deleted.
    deleted,
    /// Answers to our replies, by how they speak.
    positive,
    negative,
    neutral,
    /// Decisions.
    decisions,
    /// Escalations.
    escalations,
    /// Of them: warnings by moderators.
    strikes,
    /// Posts that speak to us.
    addressed,
    /// Mentions of competitors.
    mentions,
}

/// A figure, and how many things it is about.
pub type Figure = Option<(f64, i64)>;

/// How a figure is made. Its target, and beyond what it is an alert, are in the profile.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// `kpi_metrics.metric_name`.
    pub name: &'static str,
    /// `kpi_metrics.metric_type`.
    pub kind: KpiType,
    /// What of what.
    pub about: &'static str,
    /// After so many days it is what it is.
    pub ripe_days: i64,
    /// From a day and its baseline; none if there is nothing to say.
    pub of: fn(&Facts, &Facts) -> Figure,
}

const fn define(
    kind: KpiType,
    name: &'static str,
    about: &'static str,
    of: fn(&Facts, &Facts) -> Figure,
) -> Definition {
    Definition { name, kind, about, ripe_days: RIPE_DAYS, of }
}

use KpiType::{Commercial, Love, Safety};

/// All of them (spec 5). Not here, for nobody tells us what they are made of: follows, approvals of moderators, reposts
/// by creators, karma, sentiment of followers.
#[rustfmt::skip]
pub const ALL: &[Definition] = &[
    define(Commercial, "ctr", "replies with a link that were clicked, of all with a link", |f, _| ratio(f.clicked, f.product)),
    define(Commercial, "dwell_seconds", "mean stay of a click", |f, _| ratio(f.dwell_s, f.dwelt)),
    define(Commercial, "add_to_cart", "clicks that filled a basket", |f, _| ratio(f.carts, f.cart_known)),
    define(Commercial, "conversion", "orders credited to a click of 7 days, of clicks", |f, _| ratio(f.orders, f.clicks)),
    Definition { ripe_days: RIPE_30_DAYS, ..define(Commercial, "conversion_30d", "orders credited to a click of 30 days, of clicks", |f, _| ratio(f.orders_30d, f.clicks)) },
    define(Commercial, "revenue_per_reply_usd", "orders in US dollars, of replies with a link", |f, _| (f.orders > 0).then(|| ratio(f.usd_cents, f.product.saturating_mul(100))).flatten()),
    define(Commercial, "new_customers", "orders of new customers", |f, _| ratio(f.new_customers, f.customers_known)),
    define(Commercial, "repeat_90d", "orders of who had bought in the 90 days before", |f, _| ratio(f.repeats, f.buyers_known)),
    define(Commercial, "coupon", "orders with a coupon", |f, _| ratio(f.coupons, f.coupon_known)),
    define(Commercial, "share_of_voice", "posts that speak to us, of those and mentions of competitors", |f, _| ratio(f.addressed, f.addressed.saturating_add(f.mentions))),
    define(Love, "thanks_or_like", "replies that were thanked or liked", |f, _| ratio(f.thanked, f.replies)),
    define(Love, "positive", "answers that praise, of those that praise or blame", |f, _| ratio(f.positive, f.positive.saturating_add(f.negative))),
    define(Love, "op_reply_20min", "replies that who was answered answers in 20 minutes", |f, _| ratio(f.op_answered, f.op_known)),
    define(Love, "ripple", "answers and shares of a reply after 24 hours", |f, _| ratio(f.ripple, f.ripple_known)),
    define(Safety, "removal", "replies removed or reported", |f, _| ratio(f.removed, f.replies)),
    define(Safety, "removal_vs_baseline", "replies removed or reported, against the 28 days before", against_baseline),
    define(Safety, "strikes", "warnings by moderators", |f, _| (f.replies > 0 || f.strikes > 0).then_some((float(f.strikes), i64::MAX))),
    define(Safety, "self_deletion", "replies that we deleted", |f, _| ratio(f.deleted, f.replies)),
    define(Safety, "escalation", "escalations, of decisions", |f, _| ratio(f.escalations, f.decisions)),
];

/// The definition of a name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Definition> {
    ALL.iter().find(|definition| definition.name == name)
}

#[expect(clippy::as_conversions, reason = "counts of a month")]
const fn float(n: i64) -> f64 {
    n as f64
}

fn ratio(part: i64, of: i64) -> Figure {
    (of > 0).then(|| (float(part) / float(of), of))
}

/// Nothing was removed before: there is no baseline to be compared with.
fn against_baseline(f: &Facts, before: &Facts) -> Figure {
    let (rate, _) = ratio(f.removed, f.replies)?;
    let (usual, _) = ratio(before.removed, before.replies).filter(|(usual, _)| *usual > 0.0)?;
    Some((rate / usual, f.replies.min(before.replies)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::social::profile::{Profile, SHIPPED};

    fn value(name: &str, facts: &Facts, before: &Facts) -> Option<f64> {
        (by_name(name).unwrap().of)(facts, before).map(|(value, _)| value)
    }

    #[test]
    fn nothing_is_no_figure() {
        for definition in ALL {
            let none = (definition.of)(&Facts::default(), &Facts::default());
            assert_eq!(none, None, "{}", definition.name);
        }
        let names: BTreeSet<_> = ALL.iter().map(|d| d.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn each_figure_is_what_it_says() {
        let facts = Facts {
            replies: 50,
            product: 40,
            clicked: 3,
            clicks: 10,
            dwell_s: 90,
            dwelt: 2,
            carts: 1,
            cart_known: 4,
            orders: 2,
            orders_30d: 4,
            usd_cents: 5_000,
            new_customers: 1,
            customers_known: 2,
            repeats: 1,
            buyers_known: 2,
            coupons: 0,
            coupon_known: 2,
            thanked: 5,
            op_answered: 10,
            op_known: 40,
            ripple: 60,
            ripple_known: 20,
            removed: 3,
            deleted: 1,
            positive: 6,
            negative: 2,
            neutral: 9,
            decisions: 200,
            escalations: 9,
            strikes: 0,
            addressed: 30,
            mentions: 90,
        };
        let before = Facts { replies: 100, removed: 2, ..Facts::default() };
        for (name, expected) in [
            ("ctr", 3.0 / 40.0),
            ("dwell_seconds", 45.0),
            ("add_to_cart", 0.25),
            ("conversion", 0.2),
            ("conversion_30d", 0.4),
            ("revenue_per_reply_usd", 1.25),
            ("new_customers", 0.5),
            ("repeat_90d", 0.5),
            ("coupon", 0.0),
            ("share_of_voice", 0.25),
            ("thanks_or_like", 0.1),
            ("positive", 0.75),
            ("op_reply_20min", 0.25),
            ("ripple", 3.0),
            ("removal", 0.06),
            ("removal_vs_baseline", 3.0),
            ("strikes", 0.0),
            ("self_deletion", 0.02),
            ("escalation", 0.045),
        ] {
            let found = value(name, &facts, &before).unwrap();
            assert!((found - expected).abs() < 1e-12, "{name}: {found}");
        }
        assert_eq!(value("removal_vs_baseline", &facts, &Facts::default()), None);
        let mut twice = facts;
        twice += facts;
        assert_eq!((twice.replies, twice.mentions), (100, 180));
        assert_eq!(value("ctr", &twice, &before), value("ctr", &facts, &before));
    }

    #[test]
    fn what_profiles_want_is_defined_or_known_not_to_be() {
        const NOBODY_TELLS: [&str; 5] = [
            "follows_per_100",
            "moderator_approvals",
            "creator_reposts_month",
            "karma_month",
            "follower_sentiment_drop",
        ];
        for (profile, text) in SHIPPED {
            for kpi in Profile::parse(text).unwrap().kpis {
                let known = by_name(&kpi.name).map(|d| d.kind);
                let none = NOBODY_TELLS.contains(&kpi.name.as_str()).then_some(kpi.kind);
                assert_eq!(known.or(none), Some(kpi.kind), "{profile}: {}", kpi.name);
            }
        }
    }
}
