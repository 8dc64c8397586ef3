//! What reading a post by the brand's lists costs, on one core: no queue, no database, no model.

use std::time::Instant;

use millrace_jobs::social::{
    profile::Profile,
    text::{
        Folded,
        competitors::mentions,
        keywords::keywords,
        safety::{Circumstances, Opinion, safety},
        spam::{Account, spam},
    },
};

use crate::report::{Report, median};

const SENTENCES: &str = concat!(
    include_str!("../../../../jobs/src/social/text/examples/high.txt"),
    include_str!("../../../../jobs/src/social/text/examples/low.txt"),
    include_str!("../../../../jobs/src/social/text/examples/unrelated.txt"),
);
/// Bytes that each round reads at least.
const ROUND: usize = 4 << 20;

/// Reads them all.
pub(crate) fn run(report: &mut Report) {
    let profile = Profile::parse(Profile::shipped("vita").unwrap()).unwrap();
    let posts: Vec<&str> = SENTENCES.lines().collect();
    let bytes: usize = posts.iter().map(|post| post.len()).sum();
    let rounds = ROUND.div_ceil(bytes);
    let beside = Circumstances { prior_concern: Some(false), opinion: Opinion::None };
    let measure = |read: &dyn Fn(&str) -> usize| {
        let once = || {
            let started = Instant::now();
            let seen: usize = (0..rounds).flat_map(|_| &posts).map(|post| read(post)).sum();
            assert!(seen > 0);
            (rounds * bytes) as f64 / 1e6 / started.elapsed().as_secs_f64()
        };
        median((0..5).map(|_| once()).collect())
    };
    let (count, mean) = (posts.len(), bytes / posts.len());
    report.note(format!("{count} posts of {mean} bytes on average, the profile `vita`, one core."));
    let folding = measure(&|post| Folded::new(post).text().len());
    let lists = measure(&|post| {
        let text = Folded::new(post);
        let found = keywords(&text, &profile).hits.len();
        found + spam(&text, Account::default(), &profile).reasons.len()
    });
    let all = measure(&|post| {
        let text = Folded::new(post);
        let found = keywords(&text, &profile).hits.len() + mentions(&text, &profile).len();
        let spam = spam(&text, Account::default(), &profile).reasons.len();
        found + spam + safety(&text, beside, &profile).flags.len()
    });
    let reference = format!("folding alone {folding:.0} MB/s");
    report.row("folded, keywords and spam", &format!("{lists:.1} MB/s"), &reference, "");
    report.row("and competitors and safety", &format!("{all:.1} MB/s"), &reference, "");
}
