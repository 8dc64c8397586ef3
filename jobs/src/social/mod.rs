//! Posts of social platforms: stored, scored, decided upon, and learned from.

pub mod brand;
pub mod decide;
pub mod facts;
pub mod judge;
pub mod mode;
pub mod opinion;
pub mod outcomes;
pub mod oversight;
pub mod profile;
pub mod record;
pub mod relationship;
pub mod retention;
pub mod score;
pub mod semantic;
pub mod temporal;
pub mod text;
pub mod tiers;
pub mod triage;
pub mod trials;
pub mod vocabulary;
