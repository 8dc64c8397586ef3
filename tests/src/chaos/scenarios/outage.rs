use std::time::Duration;

use tokio::time::Instant;

use crate::{
    App,
    chaos::{
        house::{House, Shape},
        load::End,
        run::{Outcome, Run},
    },
    client,
    proxy::Fault,
    reliability::Figure,
};

const RATE: u32 = 50;
const REFUSED_WITHIN: Duration = Duration::from_secs(2);
const UNREADY_WITHIN: Duration = Duration::from_secs(5);
const BACK_WITHIN: Duration = Duration::from_secs(5);
const REQUEST_MAX: Duration = Duration::from_secs(15);
const LATE: Duration = Duration::from_millis(500);

/// R7 and R10: the way to Postgres is cut, swallows everything, is late, loses its connections without a word; `seconds`
/// each.
pub(super) async fn run(seconds: u32) -> Vec<Figure> {
    let length = Duration::from_secs(seconds.into());
    let mut figures = Vec::new();
    for (id, fault) in [
        ("R7 reset", Fault::Reset),
        ("R7 swallowed", Fault::BlackHole),
        ("R10 late", Fault::Delay(LATE)),
        ("R10 half-open", Fault::HalfOpen),
    ] {
        figures.push(outage(id, fault, length).await);
    }
    figures
}

struct Watched {
    began: Instant,
    healed: Instant,
    /// From the fault until a receiver said so.
    unready: Option<Duration>,
    always_live: bool,
}

async fn outage(id: &'static str, fault: Fault, length: Duration) -> Figure {
    let run = Run::start(&Shape::default(), RATE).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let watched = watch(&run.house, fault, length).await;
    tokio::time::sleep(length.min(BACK_WITHIN)).await;
    let (outcome, _) = run.finish().await;
    judge(id, fault, length, &watched, &outcome)
}

async fn watch(house: &House, fault: Fault, length: Duration) -> Watched {
    let receiver = &house.apps[0];
    house.proxy.set(fault);
    let began = Instant::now();
    let (mut unready, mut always_live) = (None, true);
    while began.elapsed() < length {
        always_live &= status(receiver, "/livez").await == 200;
        if unready.is_none() && status(receiver, "/readyz").await == 503 {
            unready = Some(began.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    house.proxy.set(Fault::None);
    Watched { began, healed: Instant::now(), unready, always_live }
}

async fn status(app: &App, path: &str) -> u16 {
    client().get(app.url(path)).send().await.map_or(0, |answer| answer.status().as_u16())
}

fn judge(
    id: &'static str,
    fault: Fault,
    length: Duration,
    watched: &Watched,
    outcome: &Outcome,
) -> Figure {
    let during = |at: Instant| at > watched.began && at < watched.healed;
    let asked = outcome.samples.iter().filter(|s| during(s.sent));
    let refused = asked.clone().filter(|s| matches!(s.end, End::Answer(503))).count();
    let other = asked.clone().filter(|s| !matches!(s.end, End::Answer(200 | 503))).count();
    let longest = asked.map(|s| s.took).max().unwrap_or_default();
    let back = outcome.stalled_after(watched.healed);
    let away = matches!(fault, Fault::Reset | Fault::BlackHole);
    let unready = watched.unready.filter(|d| *d <= UNREADY_WITHIN).is_some() || !away;
    let kept = outcome.verdict.is_good() && watched.always_live && other == 0;
    let longest_max = if away { REFUSED_WITHIN } else { REQUEST_MAX };
    let fast = unready && longest <= longest_max && back <= BACK_WITHIN;
    let figure = format!(
        "{fault:?} for {} s: {}; {refused} refusals with 503, {other} other ends, longest answer {:.2} s; \
         alive throughout: {}; not ready after {:.1?} s; accepts again after {:.2} s",
        length.as_secs(),
        outcome.judged(),
        longest.as_secs_f64(),
        watched.always_live,
        watched.unready.map(|d| d.as_secs_f64()),
        back.as_secs_f64(),
    );
    Figure::new(id, kept, figure).within(fast)
}
