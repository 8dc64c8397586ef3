//! A waiting post as the inputs of its decision: what the profile, the rows and the model say of it. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    decide::{
        Archetypes, AuthorState, Competitor, Conversation, Inputs, PostFacts, Safety, Segment,
        Signals, Thresholds, Values, Weights,
    },
    mode::Archetype,
    profile::Profile,
    record::{Metrics, Platform},
    relationship,
    score::{
        AuthorFacts, Persona, Prior, Snapshot, Span, Terms, Watched, ars, daypart_factor, evs,
        personas, sss, trs,
    },
    temporal::{Calendar, Temporal},
    text::{
        Folded,
        competitors::mentions,
        keywords::{KeywordHit, keywords},
        phrases::Phrases,
        safety::{Circumstances, Opinion, safety},
    },
    tiers::{Engagement, Reach, Standing, UserTier},
    trials::Trials,
};
use crate::{
    learning::{hold_back::is_held_back, policy::InForce, rows},
    store::social::{
        around::{Said, SegmentRow, Volume},
        waiting::Waiting,
    },
};

/// Version of the rules of `decide` and of this file: whoever changes what they say raises it.
pub const POLICY: &str = "4";

/// What a batch of decisions of one workspace has in common.
#[derive(Debug)]
pub struct Around<'a> {
    /// The brand.
    pub profile: &'a Profile,
    /// Its time.
    pub calendar: &'a Calendar,
    /// Weights in force.
    pub weights: &'a [SegmentRow],
    /// The learned policy.
    pub policy: Option<&'a InForce>,
    /// Experiments, and what they led to.
    pub trials: &'a Trials,
    /// Of the platforms.
    pub volumes: &'a BTreeMap<Platform, Volume>,
    /// Decisions beside each competitor today.
    pub beside_competitors: &'a BTreeMap<String, i64>,
    /// How the archetypes did.
    pub performance: &'a [(String, f64, i64)],
}

/// A post made ready.
#[derive(Debug)]
pub struct Ready {
    /// What its decision depends on.
    pub inputs: Inputs,
    /// The author's tier from now on.
    pub standing: Standing,
    /// Who the author seems to be.
    pub personas: Vec<Persona>,
    /// What the author's posts gather.
    pub engagement: Option<Engagement>,
}

/// Everything about one post. `semantic` is how far it seeks help (`semantic::Prototypes`), unless a model has said so;
/// `key` is what all randomness comes from.
#[must_use]
pub fn ready(
    post: &Waiting,
    said: &Said,
    around: &Around<'_>,
    semantic: Option<f64>,
    key: u64,
) -> Ready {
    let profile = around.profile;
    let platform = named(&post.platform).unwrap_or(Platform::Twitter);
    let folded = Folded::new(&post.content);
    let terms = terms(&folded, profile);
    let temporal = around.calendar.at(post.now);
    let relation = relationship::fold(&post.events, post.now);
    let personas = of_author(post, profile);
    let engagement = engagement(post);
    let standing = standing(post, profile, engagement);
    let opinion = post.opinion.as_ref().map(|told| told.0);
    let sss = sss(&post.content, &terms, opinion.and_then(|told| told.seeks_help).or(semantic));
    let author = AuthorFacts {
        relationship: Some(relation.score),
        events: relation.events,
        personas: personas.clone(),
        account_days: post.account_created_at.map(|since| days(post.now - since)),
        followers: post.followers.map(Into::into),
        has_bio: post
            .bio_known
            .then(|| post.bio.as_ref().is_some_and(|bio| !bio.trim().is_empty())),
        troll: relation.troll,
    };
    let season = season(around.calendar, post.posted_at.unwrap_or(post.now));
    let watched =
        from_birth(Watched { posted_at: post.posted_at, snapshots: post.snapshots.0.clone() });
    let signals = Signals {
        ars: ars(&author),
        evs: evs(&watched, &post.past, Prior::of(platform, standing.tier), season),
        trs: trs(&post.content, &terms, opinion.and_then(|told| told.p_metaphor), post.addressed),
        sss,
    };
    let age_hours_max = profile.cadence.post_hours_max;
    let thresholds = Thresholds { age_hours_max, ..Thresholds::of(&profile.thresholds) };
    let (thresholds, experiment) = around.trials.place(&post.author_id, thresholds);
    let brand = profile.sha256.get(..12).unwrap_or_default();
    let mut inputs = Inputs {
        key,
        policy_version: format!("{POLICY}+{brand}{}{}", profile.keywords, around.trials.version()),
        safety: danger(&folded, post, profile),
        post: PostFacts {
            platform,
            age_hours: post.posted_at.map(|posted| hours(post.now - posted)),
            community_forbids: forbidden(post, platform, profile, &temporal),
            limit_reached: limited(platform, said, around),
            already_answered: false,
            conversation: Conversation::of(&signals.sss, false),
        },
        author: AuthorState {
            tier: standing.tier,
            rejected: relation.rejected,
            personas: personas.clone(),
        },
        competitor: competitor(&folded, around),
        weights: weights(around, platform, &temporal, &post.author_id),
        archetypes: archetypes(said, platform, around),
        signals,
        temporal,
        thresholds,
        experiment,
        learned: None,
    }
    .settled();
    inputs.learned = around
        .policy
        .and_then(|known| known.model.learned(&known.version, known.stage.share(), &inputs));
    Ready { inputs, standing, personas, engagement }
}

/// A word of a column as its type.
fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(Value::String(name.to_owned())).ok()
}

fn terms(text: &Folded<'_>, profile: &Profile) -> Terms {
    let found =
        |phrases: &Phrases| phrases.find(text).map(|hit| text.span(&hit.at)).collect::<Vec<Span>>();
    let spans = |hits: &[KeywordHit]| hits.iter().map(|hit| hit.span).collect::<Vec<Span>>();
    let (keywords, cues) = (keywords(text, profile), &profile.cues);
    let mut entertainment = found(&cues.entertainment);
    entertainment.extend(found(&cues.titles));
    Terms {
        topic: spans(&keywords.hits),
        symptom: found(&cues.symptoms),
        pain: found(&cues.pain),
        impairment: found(&cues.impairment),
        metaphor: found(&cues.metaphor),
        entertainment,
        jargon: found(&cues.jargon),
        collision: found(&cues.brand_collisions),
        medical: if keywords.medical { spans(&keywords.disclaimers) } else { Vec::new() },
    }
}

/// By generic words, and by the profile's.
fn of_author(post: &Waiting, profile: &Profile) -> Vec<Persona> {
    let name = post.display_name.as_deref().unwrap_or_default();
    let bio = post.bio.as_deref().unwrap_or_default();
    let mut all = personas(name, bio);
    let said = format!("{name}\n{bio}");
    let said = Folded::new(&said);
    let of_profile = profile.personas.iter().filter(|persona| persona.cues.any(&said));
    all.extend(of_profile.filter_map(|persona| named::<Persona>(&persona.name)));
    all.sort_unstable();
    all.dedup();
    all
}

/// Of the author's last twenty posts.
fn engagement(post: &Waiting) -> Option<Engagement> {
    let followers = post.followers?;
    let all = |m: &Metrics| [m.likes, m.replies, m.reposts].into_iter().flatten().sum::<i64>();
    let last =
        |watched: &Watched| watched.snapshots.iter().max_by_key(|s| s.at).map(|s| all(&s.metrics));
    let posts: Vec<f64> = post.past.iter().take(20).filter_map(last).map(number).collect();
    Engagement::of(&posts, followers.into())
}

fn standing(post: &Waiting, profile: &Profile, engagement: Option<Engagement>) -> Standing {
    let bio = Folded::new(post.bio.as_deref().unwrap_or_default());
    let reach = Reach {
        followers: post.followers.map(Into::into),
        engagement,
        verified: post.is_verified,
        creator_bio: profile.cues.creators.any(&bio),
    };
    let tier = named::<UserTier>(&post.user_tier).unwrap_or_default();
    Standing { tier, below_since: post.tier_below_since }.after(&reach, post.now)
}

/// When it was written a post had gathered nothing: that is a snapshot too.
fn from_birth(mut watched: Watched) -> Watched {
    let first = watched.snapshots.iter().min_by_key(|s| s.at).map(|s| (s.at, s.metrics));
    if let (Some(posted), Some((at, first))) = (watched.posted_at, first)
        && posted < at
    {
        let none = |count: Option<i64>| count.map(|_| 0);
        let metrics = Metrics {
            likes: none(first.likes),
            replies: none(first.replies),
            reposts: none(first.reposts),
            quotes: none(first.quotes),
            views: none(first.views),
        };
        watched.snapshots.push(Snapshot { at: posted, metrics });
    }
    watched
}

fn season(calendar: &Calendar, at: DateTime<Utc>) -> f64 {
    use chrono::{Datelike, Timelike};
    let local = at.with_timezone(&calendar.zone);
    daypart_factor(local.hour(), local.weekday().num_days_from_sunday())
}

fn danger(text: &Folded<'_>, post: &Waiting, profile: &Profile) -> Safety {
    let opinion = post.opinion.as_ref().map_or(Opinion::None, |told| told.0.safety);
    let beside = Circumstances { prior_concern: Some(post.prior_concern), opinion };
    let found = Safety::of(&safety(text, beside, profile));
    Safety {
        opinion: Some(opinion).filter(|of| *of != Opinion::None && found.level.is_some()),
        ..found
    }
}

/// Reddit is answered where the profile says so; a profile that says nothing of communities leaves all of them open.
fn forbidden(post: &Waiting, platform: Platform, profile: &Profile, temporal: &Temporal) -> bool {
    let (Platform::Reddit, Some(community)) = (platform, &post.community) else { return false };
    let today = temporal.local.date();
    let open =
        |c: &super::profile::Community| c.name.eq_ignore_ascii_case(community) && c.open(today);
    !profile.communities.is_empty() && !profile.communities.iter().any(open)
}

fn limited(platform: Platform, said: &Said, around: &Around<'_>) -> bool {
    let reached = |count: i64, most: u32| count >= i64::from(most);
    let of_platform = around.volumes.get(&platform).zip(around.profile.reply(platform));
    reached(said.thread_replies, around.profile.cadence.per_thread)
        || of_platform.is_some_and(|(volume, shape)| {
            reached(volume.hour, shape.per_hour) || reached(volume.day, shape.per_day)
        })
}

/// The one with the most to gain, and whether the caps of the day leave room for it.
fn competitor(text: &Folded<'_>, around: &Around<'_>) -> Option<Competitor> {
    let rules = &around.profile.competition;
    let best = mentions(text, around.profile)
        .into_iter()
        .max_by(|a, b| a.opportunity.total_cmp(&b.opportunity))?;
    let beside = around.beside_competitors.get(&best.competitor).copied().unwrap_or(0);
    let all: i64 = around.beside_competitors.values().sum();
    let allowed = beside < i64::from(rules.per_competitor_day)
        && (all < i64::from(rules.per_day) || best.opportunity > rules.over_cap_opportunity);
    Some(Competitor { name: best.competitor, opportunity: best.opportunity, allowed })
}

/// Those in force; those before of a segment whose last change the author is held back from.
fn weights(
    around: &Around<'_>,
    platform: Platform,
    temporal: &Temporal,
    author_id: &str,
) -> Weights {
    let day = u8::try_from(temporal.day).unwrap_or_default();
    let chain = [
        rows::Segment::Global,
        rows::Segment::DayOfWeek(day),
        rows::Segment::TimeOfDay(temporal.daypart),
        rows::Segment::Platform(platform),
        rows::Segment::Combined(platform, temporal.daypart),
    ];
    let chain = chain.map(|of| {
        let is = |row: &&SegmentRow| {
            let all = of == rows::Segment::Global;
            row.segment_type == of.kind() && (all || row.segment_key == of.key())
        };
        around.weights.iter().find(is)
    });
    let before = |row: &SegmentRow| -> Option<(i32, [f64; 4])> {
        let weights = row.weights_before.clone()?.try_into().ok()?;
        let before = row.before.filter(|_| is_held_back(author_id, &row.segment_key, row.version));
        Some((before?, weights))
    };
    let version = |row: &SegmentRow| before(row).map_or(row.version, |(version, _)| version);
    let versions: Vec<String> =
        chain.iter().flatten().map(|row| format!("{}:{}", row.segment_key, version(row))).collect();
    let segment = |row: &SegmentRow| Segment {
        key: row.segment_key.clone(),
        values: {
            let now = [row.sss_weight, row.ars_weight, row.evs_weight, row.trs_weight];
            let [sss, ars, evs, trs] = before(row).map_or(now, |(_, weights)| weights);
            Values { sss, ars, evs, trs, ..Values::default() }
        },
        sample_size: row.sample_size.into(),
    };
    let [global, weekday, daypart, platform, combined] = chain.map(|row| row.map(segment));
    let documented = &around.profile.weights;
    let of_profile = || Segment {
        key: "GLOBAL".into(),
        values: Values {
            sss: documented.sss,
            ars: documented.ars,
            evs: documented.evs,
            trs: documented.trs,
            ..Values::default()
        },
        sample_size: 0,
    };
    let version = if versions.is_empty() { "GLOBAL:1".into() } else { versions.join(",") };
    let global = global.or_else(|| Some(of_profile()));
    Weights { version, global, weekday, daypart, platform, combined }
}

fn archetypes(said: &Said, platform: Platform, around: &Around<'_>) -> Archetypes {
    let all =
        |names: &[String]| names.iter().filter_map(|name| named(name)).collect::<Vec<Archetype>>();
    let performance = around.performance.iter().filter_map(|(name, mean, n)| {
        let n = u32::try_from(*n).unwrap_or(u32::MAX);
        Some((named(name)?, super::decide::Performance { mean: *mean, n }))
    });
    Archetypes {
        recent_author: all(&said.author),
        recent_thread: all(&said.thread),
        recent_brand: around.volumes.get(&platform).map(|v| all(&v.archetypes)).unwrap_or_default(),
        performance: performance.collect(),
        ..Archetypes::of(&around.profile.archetypes, platform)
    }
}

/// When the brand's day began.
#[must_use]
pub fn midnight(calendar: &Calendar, now: DateTime<Utc>) -> DateTime<Utc> {
    let day = now.with_timezone(&calendar.zone).date_naive().and_time(NaiveTime::MIN);
    // Where a zone skips midnight its day begins an hour later.
    let hour = TimeDelta::hours(1);
    let begins = |at| calendar.zone.from_local_datetime(&at).earliest();
    begins(day).or_else(|| begins(day + hour)).map_or(now - TimeDelta::days(1), |at| at.to_utc())
}

fn number(n: i64) -> f64 {
    f64::from(i32::try_from(n).unwrap_or(i32::MAX))
}

fn hours(span: TimeDelta) -> f64 {
    number(span.num_seconds()) / 3600.0
}

fn days(span: TimeDelta) -> f64 {
    hours(span) / 24.0
}
