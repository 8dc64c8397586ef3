//! A month of three platforms through the real clients: once in peace, once while processes die, platforms fail and
//! tokens run out. Both must end with what was written, and with the same decisions.

mod house;
mod judge;
pub(super) mod taught;
mod traffic;

use std::time::Duration;

use self::{
    house::House,
    judge::{Books, compare},
    traffic::{Crowd, Month},
};
use crate::{platforms::Trouble, reliability::Figure};
use rand::{RngExt, SeedableRng, rngs::StdRng};

const SEED: u64 = 20_261_122;
const CROWD: Crowd = Crowd { per_day: 70, writers: 105, likes_max: 4 };
/// Kills while one day is fetched, at most.
const KILLS: u32 = 3;
/// What happens beside kills.
#[derive(Debug, Default)]
struct Made {
    kills: u32,
    troubles: u32,
    expired: u32,
}

/// R38: `days` of traffic (a month has thirty), each four hours long so that X's seven days hold them.
pub(super) async fn run(days: u32) -> Vec<Figure> {
    let month = Month::write(SEED, days, CROWD);
    let (peace, _) = play(&month, None).await;
    let (faults, made) = play(&month, Some(StdRng::seed_from_u64(SEED))).await;
    peace.print("undisturbed");
    faults.print("disturbed");
    let same = compare(&peace, &faults);
    let Made { kills, troubles, expired } = made;
    let posts = format!(
        "{days} days, {} posts written by three platforms, {} to be stored; {kills} kills, {troubles} answers refused, cut \
         or wrong, {expired} tokens expired: {} missing or otherwise than written, {} more than written, {} jobs dead; without \
         any fault {}, {} and {}",
        month.written(),
        month.stored(),
        faults.wrong.len(),
        faults.extra,
        faults.dead,
        peace.wrong.len(),
        peace.extra,
        peace.dead,
    );
    let decisions = format!(
        "{} decisions, without faults {}: {} made of something else than without faults (but for the random key, the hour, \
         and counts by age), {} and {} not the same when made again from what is stored; the same mode, whatever key and \
         hour, in {:.1} %",
        faults.decisions.len(),
        peace.decisions.len(),
        same.differ.len(),
        faults.unrepeatable,
        peace.unrepeatable,
        100.0 * same.modes,
    );
    let quotas = format!(
        "{} calls, {} beyond what a window or day allows; without faults {} and {}",
        faults.calls, faults.over, peace.calls, peace.over
    );
    for line in faults.wrong.iter().chain(&peace.wrong).chain(&same.differ).take(20) {
        println!("{line}");
    }
    vec![
        Figure::new("R38", [&peace, &faults].iter().all(|b| b.complete()), posts),
        Figure::new("R38 decisions", same.holds(&peace, &faults), decisions),
        Figure::new("R38 quotas", peace.over + faults.over == 0, quotas),
    ]
}

/// The month, day by day; what is left.
async fn play(month: &Month, mut random: Option<StdRng>) -> (Books, Made) {
    let mut made = Made::default();
    let mut house = House::open().await;
    for day in month.days() {
        if let Some(random) = &mut random {
            trouble(&house, random, &mut made);
        }
        house.tell(&day.told).await;
        house.show(day);
        let mut kills = 0;
        house
            .until_read(&day.expected, async |house| {
                let Some(random) = random.as_mut().filter(|_| kills < KILLS) else { return };
                tokio::time::sleep(Duration::from_millis(random.random_range(0..400))).await;
                if random.random_bool(0.5) {
                    house.kill(random.random_range(0..2));
                    kills += 1;
                }
            })
            .await;
        made.kills += kills;
    }
    (house.books(month).await, made)
}

/// What the next calls of the platforms meet.
fn trouble(house: &House, random: &mut StdRng, made: &mut Made) {
    for (nth, platform) in house.platforms.iter().enumerate() {
        let soon = || Trouble::Limited(vec![("retry-after".into(), "1".into())]);
        let all =
            [Trouble::Status(503), Trouble::Status(500), Trouble::Cut, Trouble::ErrorsOnly, soon()];
        let fine = Trouble::Slow(Duration::from_millis(random.random_range(0..50)));
        let count = random.random_range(0..3);
        let chosen =
            (0..count).flat_map(|_| [fine.clone(), all[random.random_range(0..all.len())].clone()]);
        platform.trouble(chosen.collect::<Vec<_>>());
        made.troubles += count;
        // X's tokens of apps do not run out.
        if nth > 0 && random.random_bool(0.2) {
            platform.expire();
            made.expired += 1;
        }
    }
}
