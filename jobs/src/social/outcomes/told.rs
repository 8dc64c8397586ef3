//! What a shop, a link shortener or a person tells of a reply.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::social::{record::Platform, relationship::EventKind};

/// One thing that came of a reply. Told again under its id it is the same; of two versions the earlier counts, and of
/// two of one time the smaller, so that the order in which they arrive is nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The sender's id of it, unique in the workspace among its kind.
    pub id: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What it came of.
    pub of: Of,
    /// Who it was, as the sender knows them: SHA-256 of the sender's id, hex. It joins orders to clicks.
    pub visitor: Option<String>,
    /// Who it was, as a platform knows them.
    pub account: Option<Account>,
    /// What happened.
    pub what: What,
}

/// How a reply is named; any of it may be absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    /// `social.replies.id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_id: Option<String>,
    /// Its link's code, or its id where that stands for a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utm_code: Option<String>,
    /// Where it was posted, and its id there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<(Platform, String)>,
}

/// An account on a platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Where.
    pub platform: Platform,
    /// Its id there.
    pub platform_id: String,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum What {
    /// Somebody followed the reply's link.
    Click {
        /// Seconds that they stayed.
        dwell_s: Option<f64>,
        /// They put something into their basket.
        cart: Option<bool>,
    },
    /// Somebody bought.
    Order {
        /// Hundredths of the currency.
        cents: i64,
        /// ISO 4217.
        currency: String,
        /// Their first order; unknown if absent.
        new_customer: Option<bool>,
        /// With a coupon of ours.
        coupon: Option<bool>,
    },
    /// Something between an author and us.
    Relation {
        /// Neither a click nor a purchase: those follow from the events of that name.
        kind: EventKind,
    },
}
