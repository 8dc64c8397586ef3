//! Posts of social platforms: stored, scored, decided upon, and learned from.

pub mod record;
