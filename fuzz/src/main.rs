//! One fuzz target of `millrace_tests::fuzz` under libFuzzer; see `scripts/fuzz`.
//!
//! `MILLRACE_FUZZ_TARGET` names it. `MILLRACE_FUZZ_WORST`, a folder, gets the input that took longest and the one that
//! held most memory, with their figures in their names.
#![no_main]

use std::{
    env, fs, panic,
    path::PathBuf,
    process,
    sync::{LazyLock, Mutex},
    time::Instant,
};

use libfuzzer_sys::fuzz_target;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What one input may hold on the heap.
const HEAP_BYTES_MAX: usize = 64 << 20;

static TARGET: LazyLock<String> =
    LazyLock::new(|| env::var("MILLRACE_FUZZ_TARGET").expect("MILLRACE_FUZZ_TARGET"));

/// Microseconds and bytes of the worst inputs so far.
static WORST: Mutex<[(&str, usize); 2]> = Mutex::new([("us", 0), ("bytes", 0)]);

/// A parser that is not ours may panic where that is caught; what is not caught ends the run.
static QUIET: LazyLock<()> = LazyLock::new(|| panic::set_hook(Box::new(|_| {})));

fuzz_target!(|input: &[u8]| {
    *QUIET;
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let started = Instant::now();
    if let Err(panic) = panic::catch_unwind(|| millrace_tests::fuzz::run(&TARGET, input)) {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        eprintln!("panic: {:?}", text.or(panic.downcast_ref::<&str>().copied()));
        process::abort();
    }
    let took = usize::try_from(started.elapsed().as_micros()).unwrap_or(usize::MAX);
    let held = MEMORY.peak_usage().saturating_sub(before);
    keep([took, held], input);
    if held > HEAP_BYTES_MAX {
        eprintln!("{held} bytes on the heap");
        process::abort();
    }
});

/// Keep an input that is worse than all before it.
fn keep(figures: [usize; 2], input: &[u8]) {
    let Some(folder) = env::var_os("MILLRACE_FUZZ_WORST").map(PathBuf::from) else { return };
    let mut worst = WORST.lock().expect("one thread");
    for ((unit, known), figure) in worst.iter_mut().zip(figures) {
        if figure > *known {
            let path = |figure: usize| folder.join(format!("{}.{figure}.{unit}", *TARGET));
            fs::remove_file(path(*known)).ok();
            fs::write(path(figure), input).expect("the folder of the worst inputs");
            *known = figure;
        }
    }
}
