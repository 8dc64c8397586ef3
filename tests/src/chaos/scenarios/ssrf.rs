use crate::{reliability::Figure, ssrf};

/// R28: addresses that are not public, in every writing, by name and by redirect.
pub(super) async fn run(times: u32) -> Vec<Figure> {
    let outcome = ssrf::run(usize::try_from(times).unwrap()).await;
    for wrong in &outcome.wrong {
        println!("{wrong}");
    }
    let [forbidden, public, names, redirects] = outcome.tried;
    let figure = format!(
        "{forbidden} writings of places that are not public, {names} names of this machine, {redirects} redirects, and {public} \
         public places that are to be taken: {} decided wrongly; what a name resolves to is filtered where it is connected to",
        outcome.wrong.len()
    );
    vec![Figure::new("R28", outcome.wrong.is_empty() && forbidden >= 60, figure)]
}
