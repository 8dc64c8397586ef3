use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;

fn night() -> DateTime<Utc> {
    DateTime::from_timestamp(1_780_000_000, 0).unwrap()
}

fn known(above: f64, promise: f64) -> Known {
    Known { above, promise, since: None, locked: false }
}

fn settings() -> Current {
    [(Learned::Suggestions, known(0.6, 0.6)), (Learned::AutoLinks, known(0.85, 0.85))].into()
}

fn row(confidence: f64, is_right: bool) -> Row {
    let born = night() - Duration::days(10);
    Row { confidence, is_right, said: true, asked_anyway: true, born }
}

/// So many right ones of so many.
fn rows(confidence: f64, right: u32, n: u32) -> Vec<Row> {
    (0..n).map(|nth| row(confidence, nth < right)).collect()
}

fn of(found: &[Finding], which: Learned) -> &Finding {
    found.iter().find(|one| one.threshold == which).unwrap()
}

#[test]
fn what_is_wrong_is_suggested_later_and_what_is_right_is_linked_sooner() {
    let mut all = rows(0.62, 20, 80);
    all.extend(rows(0.82, 60, 60));
    let found = learn(&all, &settings(), night());
    let (suggest, link) = (of(&found, Learned::Suggestions), of(&found, Learned::AutoLinks));
    assert_eq!((suggest.skip, suggest.candidate), (None, 0.65), "{suggest:?}");
    assert_eq!((link.skip, link.candidate), (None, 0.80), "{link:?}");
    assert!(suggest.margin.below_promise > 0.99 && link.below.below_promise < 0.05);
    // Those that were looked for say nothing of what all would say.
    let sought: Vec<Row> =
        rows(0.57, 80, 80).into_iter().map(|row| Row { asked_anyway: false, ..row }).collect();
    let found = learn(&sought, &settings(), night());
    assert_eq!(of(&found, Learned::Suggestions).skip, Some(Skip::InsufficientSampleSize));
    let found = learn(&rows(0.57, 80, 80), &settings(), night());
    assert_eq!(of(&found, Learned::Suggestions).candidate, 0.55);
}

#[test]
fn silence_is_consent_to_a_link_and_says_nothing_of_a_suggestion() {
    let silent = |n| rows(0.9, n, n).into_iter().map(|row| Row { said: false, ..row });
    let mut all: Vec<Row> = silent(95).collect();
    all.extend(rows(0.9, 0, 5));
    let found = learn(&all, &settings(), night());
    assert_eq!(of(&found, Learned::AutoLinks).skip, Some(Skip::InsufficientEvidence), "5 of 100");
    assert_eq!(
        of(&found, Learned::Suggestions).n(),
        0,
        "who minds a link does not judge suggestions"
    );
    all.extend(rows(0.9, 0, 60));
    assert_eq!(of(&learn(&all, &settings(), night()), Learned::AutoLinks).candidate, 0.9);
}

#[test]
fn a_person_a_fresh_step_and_the_ends_are_respected() {
    let all = rows(0.62, 0, 200);
    let with = |known: Known| {
        let mut current = settings();
        current.insert(Learned::Suggestions, known);
        of(&learn(&all, &current, night()), Learned::Suggestions).clone()
    };
    let at = |above: f64| known(above, 0.6);
    assert_eq!(with(Known { locked: true, ..at(0.6) }).skip, Some(Skip::Locked));
    let fresh = Known { since: Some(night() - Duration::minutes(1)), ..at(0.6) };
    assert_eq!(with(fresh).skip, Some(Skip::Cooldown));
    let found = with(Known { since: Some(night() - Duration::days(5)), ..at(0.6) });
    assert_eq!(
        (found.skip, found.shortfall),
        (Some(Skip::InsufficientSampleSize), 20),
        "older ones were counted"
    );
    // Just below what is linked there is no room.
    let far: Vec<Row> = rows(0.81, 0, 300);
    let mut current = settings();
    current.insert(Learned::Suggestions, at(0.80));
    let found = learn(&far, &current, night());
    assert_eq!(of(&found, Learned::Suggestions).skip, Some(Skip::NoChange));
}

#[test]
fn where_the_promise_is_kept_five_hundred_nights_seldom_move_anything() {
    let mut random = StdRng::seed_from_u64(11);
    let moved = (0..200)
        .filter(|_| {
            let mut all: Vec<Row> = Vec::new();
            (0..500).any(|_| {
                for (confidence, precision) in
                    [(0.62, 0.6), (0.57, 0.6), (0.82, 0.85), (0.87, 0.85)]
                {
                    all.push(row(confidence, random.random_bool(precision)));
                }
                learn(&all, &settings(), night()).iter().any(Finding::is_adjusted)
            })
        })
        .count();
    assert!(moved <= 10, "{moved} of 200 lives");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_is_of_no_matter_and_more_wrong_ones_never_lower(
        judged in proptest::collection::vec((0.3..1.0_f64, any::<bool>(), any::<bool>(), any::<bool>()), 0..150),
        turn in 0_usize..150,
    ) {
        let made: Vec<Row> = judged.iter().map(|(confidence, is_right, said, asked_anyway)| {
            Row { said: *said, asked_anyway: *asked_anyway, ..row(*confidence, *is_right || !*said) }
        }).collect();
        let found = learn(&made, &settings(), night());
        let mut turned = made.clone();
        turned.rotate_left(turn.min(made.len()));
        turned.reverse();
        prop_assert_eq!(&learn(&turned, &settings(), night()), &found);
        for (confidence, which) in [(0.61, Learned::Suggestions), (0.86, Learned::AutoLinks)] {
            let mut worse = made.clone();
            worse.push(row(confidence, false));
            let (before, after) = (of(&found, which), learn(&worse, &settings(), night()));
            let after = of(&after, which);
            prop_assert!(after.margin.below_promise >= before.margin.below_promise - 1e-12);
            // Below the floor there is no evidence, of either kind.
            if before.above.n >= VERDICTS_MIN {
                prop_assert!(after.log_e_raise >= before.log_e_raise - 1e-9);
            }
            if before.is_adjusted() && before.candidate > before.now {
                prop_assert!(after.candidate > after.now, "{:?}", after);
            }
        }
    }
}
