//! What sets one set of texts apart from another.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, finite, positive, rates::Beta, shrink::Outcomes};

/// How much more a phrase belongs to the first set than to the second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// Difference of the logarithms of the odds that a text has it; above 0 where the first has it more.
    pub log_odds: f64,
    /// Its variance.
    pub variance: f64,
    /// The one over the root of the other; about standard normal, or narrower, where there is no difference.
    pub z: f64,
}

/// Log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, equations 15 to 20), of the two
/// outcomes that a text has the phrase or has not. The `prior`, of either set, is what is known of all texts: the same
/// share in both draws a phrase that few texts have to no difference.
pub fn log_odds(first: Outcomes, second: Outcomes, prior: Beta) -> Result<Contrast> {
    let side = |of: Outcomes| {
        let with = prior.updated(of.successes, of.trials - of.successes)?;
        Ok::<_, Error>((with.a.ln() - with.b.ln(), 1.0 / with.a + 1.0 / with.b))
    };
    let ((odds, of_first), (other, of_second)) = (side(first)?, side(second)?);
    let (log_odds, variance) = (finite(odds - other, "log-odds")?, of_first + of_second);
    Ok(Contrast { log_odds, variance, z: finite(log_odds / variance.sqrt(), "z")? })
}

/// Pointwise mutual information of a text's having the phrase and its being of the first set, in nats:
/// ln(p(both) / (p(phrase) p(first))) (Church & Hanks 1990). Needs a text of the first set that has it.
pub fn pmi(first: Outcomes, second: Outcomes) -> Result<f64> {
    let both = positive(first.successes, "texts with the phrase")?;
    let all = first.trials + second.trials;
    let (having, of_first) = (both + second.successes, positive(first.trials, "texts")?);
    finite((both / having).ln() - (of_first / all).ln(), "pmi")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(successes: f64, trials: f64) -> Outcomes {
        Outcomes { successes, trials }
    }

    #[test]
    fn it_is_the_formula_and_the_prior_draws_rare_phrases_to_nothing() {
        let prior = Beta::new(10.0, 90.0).unwrap();
        let found = log_odds(of(30.0, 100.0), of(50.0, 500.0), prior).unwrap();
        // ln(40/160) - ln(60/540), over the root of 1/40 + 1/160 + 1/60 + 1/540.
        assert!((found.log_odds - 0.810_930_216_216_329).abs() < 1e-12, "{found:?}");
        assert!((found.z - 3.635_014_3).abs() < 1e-6, "{found:?}");
        let rare = log_odds(of(2.0, 100.0), of(0.0, 500.0), Beta::new(0.4, 99.6).unwrap()).unwrap();
        assert!(rare.z < found.z && rare.z < 2.0, "{rare:?}");
        let none = log_odds(of(10.0, 100.0), of(50.0, 500.0), prior).unwrap();
        assert!(none.z.abs() < 1e-9 && (-1e-12..1e-12).contains(&none.log_odds));
    }

    #[test]
    fn mutual_information_is_none_where_a_phrase_is_as_frequent_everywhere() {
        assert!(pmi(of(10.0, 100.0), of(50.0, 500.0)).unwrap().abs() < 1e-12);
        let all = pmi(of(10.0, 100.0), of(0.0, 500.0)).unwrap();
        assert!((all - 6.0_f64.ln()).abs() < 1e-12);
        assert!(pmi(of(0.0, 100.0), of(50.0, 500.0)).is_err());
    }
}
