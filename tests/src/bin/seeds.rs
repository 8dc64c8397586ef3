//! Writes the fuzzer's first inputs: one folder per target below the folder that is given.

use std::{env, fs, path::PathBuf};

use millrace_tests::fuzz;

fn main() -> std::io::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| std::io::Error::other("millrace-seeds FOLDER"))?;
    for target in fuzz::targets() {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        for (nth, seed) in fuzz::seeds(target).into_iter().enumerate() {
            fs::write(folder.join(format!("{nth:04}")), seed)?;
        }
    }
    Ok(())
}
