//! Bodies that were made to hurt, through every source: nothing panics, nothing grows, and what comes
//! out can be stored.

use millrace_tests::{fuzz, hostile};

#[test]
fn no_body_hurts_any_source() {
    let (tried, cases) = hostile::corpus(8);
    assert!(tried >= 60, "{tried} different things");
    for case in cases {
        fuzz::run(&case.kind, &fuzz::input(&case));
    }
}

#[test]
fn the_fuzzers_first_inputs_pass() {
    for target in fuzz::targets() {
        let seeds = fuzz::seeds(target);
        assert!(!seeds.is_empty(), "{target} starts with nothing");
        seeds.iter().for_each(|seed| fuzz::run(target, seed));
    }
}
