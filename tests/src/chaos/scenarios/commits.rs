use std::time::Duration;

use crate::{
    chaos::{house::Shape, run::Run},
    proxy::Fault,
    reliability::Figure,
    wait_until,
};

const RATE: u32 = 100;
/// Such a rate that most statements get through, and many do not.
const ONE_IN: u64 = 20;
const LOST_WITHIN: Duration = Duration::from_secs(600);

/// R9: the transaction has ended, and nobody is told.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let run = Run::start(&Shape::default(), RATE).await;
    run.house.proxy.set(Fault::LoseAnswers(ONE_IN));
    let lost = async || (run.house.proxy.lost() >= u64::from(times)).then_some(());
    wait_until("enough answers to be lost", LOST_WITHIN, lost).await;
    run.house.proxy.set(Fault::None);
    let lost = run.house.proxy.lost();
    let (outcome, _) = run.finish().await;
    let figure = format!("{lost} answers lost after their transaction: {}", outcome.judged());
    vec![Figure::new("R9", outcome.verdict.is_good(), figure)]
}
