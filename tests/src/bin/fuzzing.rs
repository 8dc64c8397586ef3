//! For `scripts/fuzz`: `millrace-fuzzing seeds FOLDER` writes the first inputs, one folder per target, and
//! `millrace-fuzzing record SECONDS SUMMARY` puts what came of them into RELIABILITY.md.

use std::{
    env, fs,
    io::{Error, Result},
    path::Path,
};

use millrace_tests::{fuzz, reliability};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["seeds", folder] => seeds(Path::new(folder)),
        ["record", seconds, summary] => record(seconds, &fs::read_to_string(summary)?),
        _ => Err(Error::other("millrace-fuzzing seeds FOLDER | record SECONDS SUMMARY")),
    }
}

fn seeds(folder: &Path) -> Result<()> {
    for target in fuzz::targets() {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        for (nth, seed) in fuzz::seeds(target).into_iter().enumerate() {
            fs::write(folder.join(format!("{nth:04}")), seed)?;
        }
    }
    Ok(())
}

fn record(seconds: &str, summary: &str) -> Result<()> {
    let figure = fuzz::figure(seconds, summary)
        .ok_or_else(|| Error::other("the summary is not one of scripts/fuzz"))?;
    reliability::record("make fuzz", &[figure]);
    Ok(())
}
