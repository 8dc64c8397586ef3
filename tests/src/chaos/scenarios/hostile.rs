use crate::{App, Pg, client, hostile, reliability::Figure};

/// Deliveries of the small pass.
const SMALL_BYTES_MAX: usize = 64 << 10;

/// R17, R29: the hostile corpus, one delivery at a time, and everything that was stored read back.
pub(super) async fn run(percent: u32) -> Vec<Figure> {
    let db = Pg::database().await;
    let app = App::new(&db, &["all"]).env("MILLRACE__TELEMETRY__LEVEL", "error");
    // One at a time to measure them. Comparing thousands of hostile texts with each other is slow without optimisation.
    let (app, at_once) = match percent {
        100 => (app, 1),
        _ => (app.env("MILLRACE__CLASSIFY__EXACT_SCAN_ROWS_MAX", "100"), 8),
    };
    let app = app.ready().await;
    let pid = app.pid();
    let one_in = usize::try_from(100 / percent.clamp(1, 100)).unwrap();
    let (tried, mut cases) = hostile::corpus(one_in);
    // Hundreds of signals out of one delivery are slow without optimisation, too.
    cases.retain(|case| percent == 100 || case.body.len() <= SMALL_BYTES_MAX);
    let outcome = hostile::run(&app, &db, (tried, cases), at_once).await;
    let (texts, altered) = hostile::round_trips(&app).await;
    let reading = &outcome.reading;
    let alive = app.pid() == pid && client().get(app.url("/livez")).send().await.is_ok();
    let whole = outcome.unanswered.is_empty() && reading.problems.is_empty();
    // Too few inside would prove nothing.
    let tried = outcome.cases >= 60 && reading.events * 3 > outcome.sent;
    let good = alive && whole && tried && !reading.reasons.contains_key("normalizer_panicked");
    let held: usize = reading.reasons.values().sum();
    let ms = |time: std::time::Duration| time.as_secs_f64() * 1000.0;
    let ((answer, slowest), (read, longest)) = (&outcome.answer_max, &reading.read_max);
    let figure = format!(
        "{} things tried in {} requests: {} not answered 2xx or 4xx; {} stored, {} read back otherwise, {held} of them held or \
         ignored for a named reason; answers at most {:.0} ms ({slowest}), reads {:.0} ms ({longest})",
        outcome.cases,
        outcome.sent,
        outcome.unanswered.len(),
        reading.events,
        reading.problems.len(),
        ms(*answer),
        ms(*read),
    );
    let fast = ms(*answer) <= 100.0 && ms(*read) <= 50.0;
    for problem in outcome.unanswered.iter().chain(&reading.problems).chain(&altered) {
        println!("{problem}");
    }
    let sql = format!(
        "{texts} texts in 8 fields each, and asked with as filter, id and cursor: {} altered or run; all SQL is literals in \
         its rooms (`tidy::`)",
        altered.len()
    );
    vec![Figure::new("R17", good, figure).within(fast), Figure::new("R29", altered.is_empty(), sql)]
}
