use crate::{canary, reliability::Figure};

/// R26, first half: recognisable secrets in every place for one, a day on which everything goes wrong, and a search.
pub(super) async fn run(days: u32) -> Vec<Figure> {
    let (mut found, mut texts, mut bytes) = (Vec::new(), 0, 0);
    for _ in 0..days {
        let canaries = canary::run().await;
        texts += canaries.searched.0;
        bytes += canaries.searched.1;
        found.extend(canaries.found);
    }
    for place in &found {
        println!("{place}");
    }
    let figure = format!(
        "{} found in {texts} answers, outputs, logs, Debug texts and tables ({} KiB)",
        found.len(),
        bytes / 1024
    );
    vec![Figure::new("R26 canaries", found.is_empty(), figure)]
}
