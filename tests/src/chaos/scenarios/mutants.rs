use crate::{App, Pg, client, hostile, oracle, reliability::Figure, wait_until};

/// For all jobs of the mutants that were accepted.
const DONE_WITHIN: std::time::Duration = std::time::Duration::from_secs(600);

/// R16 HTTP: recorded deliveries altered at random, against the whole service.
pub(super) async fn run(count: u32) -> Vec<Figure> {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"])
        .env("MILLRACE__TELEMETRY__LEVEL", "error")
        .env("MILLRACE__CLASSIFY__EXACT_SCAN_ROWS_MAX", "100")
        .ready()
        .await;
    let pid = app.pid();
    let seed = 20_261_121;
    let found = hostile::mutants(&app, seed, count).await;
    let ended = async || (oracle::jobs(&db.pool).await == 0).then_some(());
    wait_until("the mutants' jobs to end", DONE_WITHIN, ended).await;
    let dead: i64 = sqlx::query_scalar("select count(*) from ops.dead_letters")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    let alive = app.pid() == pid && client().get(app.url("/livez")).send().await.is_ok();
    for bad in &found.bad {
        println!("{bad}");
    }
    let taken: u64 = found.statuses.range(200..300).map(|(_, n)| n).sum();
    let figure = format!(
        "{count} mutants of seed {seed}: {} answered 5xx or not at all, {} sent again on a new connection; {taken} accepted, {dead} dead letters; same process: \
         {alive}; answers {:?}",
        found.bad.len(),
        found.repeated,
        found.statuses,
    );
    vec![Figure::new("R16 HTTP", found.bad.is_empty() && dead == 0 && alive && taken > 0, figure)]
}
