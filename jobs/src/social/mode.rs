//! The two choices of a decision, with what the rules know of them: which mode helps more, which archetype is light.

pub use super::profile::{Archetype, Mode};

/// The modes, each more helpful than the one before.
pub const LADDER: [Mode; 4] = [Mode::Disengaged, Mode::Engagement, Mode::Hybrid, Mode::Helpful];
/// Those in which something is said, likewise.
pub const ENGAGING: [Mode; 3] = [Mode::Engagement, Mode::Hybrid, Mode::Helpful];

/// A mode's place on the ladder, 0..=3.
#[must_use]
pub const fn rung(mode: Mode) -> usize {
    match mode {
        Mode::Disengaged => 0,
        Mode::Engagement => 1,
        Mode::Hybrid => 2,
        Mode::Helpful => 3,
    }
}

/// Out of place in a grave matter, and beside a competitor.
#[must_use]
pub const fn is_light(archetype: Archetype) -> bool {
    matches!(archetype, Archetype::HumorLight | Archetype::Storylet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_stands_on_its_rung() {
        assert_eq!(LADDER.map(rung), [0, 1, 2, 3]);
        assert_eq!(ENGAGING, LADDER[1..]);
    }
}
