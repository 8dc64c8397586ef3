//! What an experiment counts.

/// What is a reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// A click, thanks or a like: what weights learn from.
    Engagement,
    /// A click.
    Clicks,
    /// Thanks or a like.
    Love,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Engagement, Self::Clicks, Self::Love];

    /// `experiments.metric`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Engagement => "engagement",
            Self::Clicks => "clicks",
            Self::Love => "love",
        }
    }

    /// The one of that name; what programs of the seed call otherwise is engagement.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self::ALL.into_iter().find(|metric| metric.as_str() == name).unwrap_or(Self::Engagement)
    }

    /// Whether it came of a reply.
    #[must_use]
    pub const fn is_reached(self, clicked: bool, loved: bool) -> bool {
        match self {
            Self::Engagement => clicked || loved,
            Self::Clicks => clicked,
            Self::Love => loved,
        }
    }
}
