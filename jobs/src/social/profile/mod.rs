//! A brand's profile: everything about it that the rules need, from one TOML file.

mod calendar;
mod names;
mod read;
mod rules;
mod words;

use std::cmp::Reverse;

use sha2::{Digest, Sha256};

pub use calendar::{Around, Holiday, HolidayRule, TemporalRule, Weekday};
pub use names::{
    Archetype, CompetitorCategory, KpiType, Mode, PricePoint, Satisfaction, Sentiment,
};
pub use read::Problem;
pub use rules::{Archetypes, Brand, Cadence, Community, Kpi, ReplyShape, Thresholds, Weights};
pub use words::{
    Category, Claims, Competition, Competitor, Cues, Danger, Gravity, Persona, Relevance,
    SpamLevel, SpamList, SpamLists, SpamPair,
};

use super::{
    record::Platform,
    text::{competitors::Competitors, keywords::Taxonomy, phrases::BadPhrase},
    vocabulary::{self, Change},
};
use read::Reader;

/// The profiles that ship with the program, by name.
pub const SHIPPED: [(&str, &str); 2] = [
    ("neutral", include_str!("../../../../config/profiles/neutral.toml")),
    ("vita", include_str!("../../../../config/profiles/vita.toml")),
];

const SECTIONS: &str = "archetypes, brand, cadence, claims, communities, competition, competitors, cues, \
    holidays, kpis, personas, relevance, replies, safety, spam, taxonomy, temporal, thresholds, weights";

/// A profile, compiled.
#[derive(Debug)]
pub struct Profile {
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// Which changes of keywords are laid over it (`vocabulary::version`); empty: none.
    pub keywords: String,
    /// Who speaks.
    pub brand: Brand,
    /// What is looked for.
    pub taxonomy: Taxonomy,
    /// What is none of ours, or medical.
    pub relevance: Relevance,
    /// What is tagged as spam.
    pub spam: SpamLists,
    /// Who else sells.
    pub competitors: Competitors,
    /// How people speak of them.
    pub competition: Competition,
    /// What is dangerous, the gravest first.
    pub safety: Vec<Danger>,
    /// Words by which other signals are read.
    pub cues: Cues,
    /// Kinds of authors.
    pub personas: Vec<Persona>,
    /// Where rules change their mind.
    pub thresholds: Thresholds,
    /// Weights before anything is learned.
    pub weights: Weights,
    /// Which archetypes may answer.
    pub archetypes: Archetypes,
    /// Rules of the clock, the most important first.
    pub temporal: Vec<TemporalRule>,
    /// Holidays.
    pub holidays: Vec<Holiday>,
    /// What a reply may not claim.
    pub claims: Claims,
    /// How a reply looks, by platform.
    pub replies: Vec<ReplyShape>,
    /// How often we speak.
    pub cadence: Cadence,
    /// Communities that may be answered.
    pub communities: Vec<Community>,
    /// What figures should be.
    pub kpis: Vec<Kpi>,
}

impl Profile {
    /// Reads a file.
    ///
    /// # Errors
    /// Every problem of it.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut file = Reader::new(text).map_err(|problem| vec![problem])?;
        let profile = Self::read(&mut file, hex::encode(Sha256::digest(text)));
        file.rest(SECTIONS);
        match profile {
            Some(profile) if file.problems.is_empty() => Ok(profile),
            _ => Err(file.problems),
        }
    }

    /// A profile that ships with the program.
    #[must_use]
    pub fn shipped(name: &str) -> Option<&'static str> {
        SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
    }

    /// With changes of its keywords laid over it, in order.
    ///
    /// # Errors
    /// Terms that cannot match.
    pub fn changed(self, changes: &[Change]) -> Result<Self, BadPhrase> {
        let keywords = vocabulary::version(changes);
        Ok(Self { taxonomy: self.taxonomy.changed(changes)?, keywords, ..self })
    }

    /// How a reply looks on a platform; every profile says so for each.
    #[must_use]
    pub fn reply(&self, platform: Platform) -> Option<&ReplyShape> {
        self.replies.iter().find(|shape| shape.platform == platform)
    }

    /// How much is in it, by section.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, usize); 15] {
        let categories = self.taxonomy.categories();
        let terms = categories.iter().map(|category| category.terms.len() + category.common.len());
        let phrases = self.spam.lists.iter().map(|list| list.phrases.list().len());
        let dangers =
            self.safety.iter().map(|danger| danger.phrases.list().len() + danger.patterns.len());
        [
            ("taxonomy categories", categories.len()),
            ("taxonomy terms", terms.sum()),
            ("exclusions", self.relevance.exclusions.list().len()),
            ("disclaimers", self.relevance.disclaimers.list().len()),
            ("spam phrases", phrases.sum()),
            ("competitors", self.competitors.list().len()),
            ("safety categories", self.safety.len()),
            ("safety phrases", dangers.sum()),
            ("personas", self.personas.len()),
            ("temporal rules", self.temporal.len()),
            ("holidays", self.holidays.len()),
            ("prohibited claims", self.claims.seed.len() + self.claims.terms.list().len()),
            ("approved phrases", self.claims.approved.len()),
            ("communities", self.communities.len()),
            ("kpis", self.kpis.len()),
        ]
    }

    /// Takes all sections, also when one is missing, so that all problems are said.
    fn read(file: &mut Reader, sha256: String) -> Option<Self> {
        let brand = file.section("brand");
        let taxonomy = file.list("taxonomy");
        let taxonomy = file.compile("taxonomy", Taxonomy::new(taxonomy));
        let relevance = file.section("relevance");
        let spam = file.section("spam");
        let competitors = file.list("competitors");
        let competitors = file.compile("competitors", Competitors::new(competitors));
        let competition = file.section("competition");
        let mut safety: Vec<Danger> = file.list("safety");
        safety.sort_by_key(|danger| Reverse(danger.level));
        let cues = file.section("cues");
        let personas = file.list("personas");
        let thresholds = file.section("thresholds");
        let weights = file.section("weights");
        let archetypes = file.section("archetypes");
        let mut temporal: Vec<TemporalRule> = file.list("temporal");
        temporal.sort_by_key(|rule| Reverse(rule.priority));
        let holidays = file.list("holidays");
        let claims = file.section("claims");
        let replies: Vec<ReplyShape> = file.list("replies");
        for platform in Platform::ALL {
            if !replies.iter().any(|shape| shape.platform == platform) {
                let problem = format!("there is none for {}", platform.as_str());
                file.problem("replies", &problem, "write [[replies]] for it");
            }
        }
        let cadence = file.section("cadence");
        let communities = file.list("communities");
        let kpis = file.list("kpis");
        Some(Self {
            sha256,
            keywords: String::new(),
            brand: brand?,
            taxonomy: taxonomy?,
            relevance: relevance?,
            spam: spam?,
            competitors: competitors?,
            competition: competition?,
            safety,
            cues: cues?,
            personas,
            thresholds: thresholds?,
            weights: weights?,
            archetypes: archetypes?,
            temporal,
            holidays,
            claims: claims?,
            replies,
            cadence: cadence?,
            communities,
            kpis,
        })
    }
}

/// The shipped profile of the seed's brand, for tests of what reads profiles.
#[cfg(test)]
pub(in crate::social) fn vita() -> &'static Profile {
    static VITA: std::sync::LazyLock<Profile> =
        std::sync::LazyLock::new(|| Profile::parse(SHIPPED[1].1).unwrap());
    &VITA
}

#[cfg(test)]
mod tests {
    use super::{Mode, Profile, SHIPPED};

    const VITA: &str = SHIPPED[1].1;

    #[test]
    fn the_shipped_profiles_are_in_order() {
        for (name, text) in SHIPPED {
            let profile = Profile::parse(text).map_err(|problems| {
                problems.iter().map(|problem| format!("{name}: {problem}\n")).collect::<String>()
            });
            assert_eq!(profile.map(|profile| profile.sha256.len()).unwrap(), 64);
        }
        assert!(Profile::shipped("vita").is_some() && Profile::shipped("nobody").is_none());
    }

    #[test]
    fn the_seeds_brand_is_as_large_as_described() {
        let vita = Profile::parse(VITA).unwrap();
        let categories = vita.taxonomy.categories();
        let sizes: Vec<_> = categories.iter().map(|c| c.terms.len() + c.common.len()).collect();
        assert_eq!(sizes, [22, 26, 29, 29, 39, 28, 30, 25, 21]);
        let (exclusions, disclaimers) = (&vita.relevance.exclusions, &vita.relevance.disclaimers);
        assert_eq!((exclusions.list().len(), disclaimers.list().len()), (22, 8));
        let spam: Vec<_> = vita.spam.lists.iter().map(|list| list.phrases.list().len()).collect();
        assert_eq!(spam, [15, 27]);
        assert_eq!((vita.competitors.list().len(), vita.safety.len()), (16, 12));
        assert_eq!((vita.holidays.len(), vita.cues.creators.list().len()), (13, 12));
        assert!(!vita.archetypes.pools.contains_key(&Mode::Disengaged));
    }

    #[test]
    fn what_people_have_is_no_title() {
        for text in
            ["The hangover is awful", "a tequila sunrise too many", "we were in margaritaville"]
        {
            let text = crate::social::text::Folded::new(text);
            assert!(!super::vita().cues.titles.any(&text), "{}", text.text());
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let text = VITA
            .replace("time_zone = \"America/New_York\"", "time_zone = \"Mars/Base\"")
            .replace("sss_helpful = 0.82", "sss_helpful = 8.2")
            .replace("sss = 0.40", "sss = 0.30")
            .replacen("price_point = \"MID\"", "price_point = \"CHEAP\"", 1)
            .replace("keywords = [\"Pedialyte\"]", "keywords = []")
            .replace("\"hungover\", \"hung over\"", "\"hungover\", \"—\"")
            .replace(
                "nth = 4, weekday = \"thu\", month = 11",
                "nth = 5, weekday = \"thu\", month = 11",
            )
            .replace("[cadence]", "[cadense]")
            .replace("name = \"Nuun\"", "name = \"LMNT\"");
        let problems = Profile::parse(&text).unwrap_err();
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        for (path, part) in [
            ("brand.time_zone: ", "Mars/Base"),
            ("thresholds.sss_helpful: ", "8.2 is out of range; write a number between 0 and 1"),
            ("weights: ", "make them sum to 1"),
            ("competitors[0].price_point: ", "CHEAP"),
            ("competitors[1].keywords: ", "is empty"),
            ("competitors[4]: ", "\"LMNT\" is there twice; rename or remove one"),
            ("taxonomy: ", "nothing is left of \"—\""),
            ("holidays[10].on: ", "no such day every year"),
            ("cadence: ", "is missing; write [cadence]"),
            ("cadense: ", "is no section; take it out"),
        ] {
            let hit = |line: &&String| line.starts_with(path) && line.contains(part);
            assert_eq!(told.iter().filter(hit).count(), 1, "{path}{part}\n{told:#?}");
        }
        assert_eq!(told.len(), 10, "{told:#?}");
    }

    #[test]
    fn what_is_no_toml_says_where() {
        let problems = Profile::parse("[brand\nname = 1").unwrap_err();
        assert!(problems.len() == 1 && problems[0].problem.contains("line 1"), "{problems:?}");
        let unknown = VITA.replace("utm_source =", "utm_sauce =");
        let problems = Profile::parse(&unknown).unwrap_err();
        assert!(problems.len() == 1 && problems[0].problem.contains("utm_sauce"), "{problems:?}");
    }
}
