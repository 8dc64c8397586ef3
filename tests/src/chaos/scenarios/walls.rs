use crate::{
    reliability::Figure,
    walls::{self, http},
};

/// R25: `times` requests, and as many runs of statements without their predicates.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let times = usize::try_from(times).unwrap();
    let found = walls::run(times, 25).await;
    let asked = http::run(times, 25).await;
    for leak in found.leaks.iter().chain(&asked.leaks) {
        println!("{leak}");
    }
    let noticed = found.noticed.values().sum::<usize>();
    let figure = format!(
        "{} requests, {} of them for what is another's: {} answered with it; {} statements of the service in {} runs \
         without predicates, with another's ids: {} saw or changed a foreign row (with the wall open {noticed} did)",
        asked.made,
        asked.foreign,
        asked.leaks.len(),
        found.statements,
        found.runs,
        found.leaks.len(),
    );
    let kept = found.leaks.is_empty() && asked.leaks.is_empty() && noticed > times / 10;
    vec![Figure::new("R25", kept, figure)]
}
