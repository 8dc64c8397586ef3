//! A folder of archives: files of lines, each beside a manifest that says what it must be.
//!
//! A file is named after its content, is whole before it has its name, and has its manifest before anybody deletes what it
//! holds. So whatever is interrupted is found again: a file without a manifest gets one, a file that was begun goes.

use std::{
    collections::HashSet,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use millrace_config::point::{Point, may_fail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::period::{Period, Relation};

const MANIFEST: &str = ".manifest.json";
const BEGUN: &str = ".begun-";
/// Bytes of a line at most: a post has at most 5000 characters in each of its versions.
const LINE_BYTES_MAX: u64 = 256 << 20;

/// So many lines, and the sum of their numbers: what `social.line_number` counts in the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// Lines.
    pub rows: i64,
    /// Sum of the first eight bytes of each line's SHA-256, as signed numbers.
    pub sum: i128,
}

/// What tells a line from all others.
pub type Key = u128;

impl Total {
    /// Counts a line; its key.
    pub fn add(&mut self, line: &str) -> Key {
        let digest: [u8; 32] = Sha256::digest(line).into();
        let key = digest.iter().take(16).fold(0, |key: u128, byte| (key << 8) | u128::from(*byte));
        let first = u64::try_from(key >> 64).unwrap_or(u64::MAX);
        self.rows += 1;
        self.sum += i128::from(first.cast_signed());
        key
    }
}

/// What a file must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Name of the file, in the same folder.
    pub file: String,
    /// What the rows are of.
    pub relation: Relation,
    /// `2026-08`, `2024Q3`, `2023`.
    pub period: Period,
    /// How many there are.
    pub rows: i64,
    /// See [`Total::sum`].
    pub sum: String,
    /// Of the file as it is, in hex.
    pub sha256: String,
    /// Of the file.
    pub bytes: u64,
    /// `ops.migrations` when they were read.
    pub schema_version: i64,
    /// When.
    pub made_at: DateTime<Utc>,
    /// The file in whose place it is: somebody was erased from that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
}

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// There is no such file, or it cannot be read.
    #[error("{0}")]
    Unreadable(#[from] io::Error),
    /// Its bytes are others.
    #[error("sha256 is {found}, not as in the manifest")]
    Changed {
        /// In hex.
        found: String,
    },
    /// Its lines are others.
    #[error("{found} rows, {manifest} in the manifest, or others")]
    Rows {
        /// In the file.
        found: i64,
        /// In the manifest.
        manifest: i64,
    },
}

/// A file to be written.
#[derive(Debug, Clone)]
pub struct Label {
    /// Of what.
    pub relation: Relation,
    /// From when.
    pub period: Period,
    /// `ops.migrations`.
    pub schema_version: i64,
    /// Now.
    pub made_at: DateTime<Utc>,
    /// See [`Manifest::replaces`].
    pub replaces: Option<String>,
}

struct Found {
    sha256: String,
    bytes: u64,
    total: Total,
}

/// The folder. What it does waits for the disk.
#[derive(Debug, Clone)]
pub struct Archive {
    folder: PathBuf,
}

impl Archive {
    /// The folder, made if it is not there: for its owner only, for it holds what people said.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Whether a file can be written there.
    ///
    /// # Errors
    /// Why not.
    pub fn try_out(&self) -> io::Result<()> {
        let path = self.begun();
        create(&path)?;
        fs::remove_file(path)
    }

    /// What is there, by name.
    ///
    /// # Errors
    /// If the folder or a manifest cannot be read.
    pub fn manifests(&self) -> io::Result<Vec<Manifest>> {
        let mut found = Vec::new();
        for name in self.names()? {
            if name.ends_with(MANIFEST) {
                let text = fs::read(self.folder.join(&name))?;
                let bad = |e| io::Error::new(io::ErrorKind::InvalidData, format!("{name}: {e}"));
                found.push(serde_json::from_slice(&text).map_err(bad)?);
            }
        }
        found.sort_by(|a: &Manifest, b| a.file.cmp(&b.file));
        Ok(found)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            names.extend(entry?.file_name().into_string().ok());
        }
        Ok(names)
    }

    /// Mend what an interruption left. Only for who has the archive alone.
    ///
    /// # Errors
    /// Those of the disk.
    pub fn mend(&self, schema_version: i64, now: DateTime<Utc>) -> io::Result<()> {
        let names: HashSet<String> = self.names()?.into_iter().collect();
        for name in &names {
            if name.starts_with(BEGUN) {
                fs::remove_file(self.folder.join(name))?;
            }
            let Some((relation, period)) = parts(name) else { continue };
            if !names.contains(&format!("{name}{MANIFEST}")) {
                let found = examine(&self.folder.join(name), relation)?;
                let label =
                    Label { relation, period, schema_version, made_at: now, replaces: None };
                if *name == file_name(&label, &found.sha256) {
                    self.say(&manifest(label, name.clone(), &found))?;
                }
            }
        }
        for manifest in self.manifests()? {
            if let Some(old) = &manifest.replaces {
                self.remove(old)?;
            }
        }
        Ok(())
    }

    /// Write lines to a file, read it back, give it its name and its manifest. `None`: there was no line (and nothing is
    /// to be replaced).
    ///
    /// # Errors
    /// Those of the disk and of the lines; or the file does not say what was written. Nothing has its name then.
    pub fn write(
        &self,
        label: Label,
        lines: impl Iterator<Item = io::Result<String>>,
    ) -> io::Result<Option<Manifest>> {
        let path = self.begun();
        let written = fill(&path, label.relation, lines).and_then(|written| {
            let found = examine(&path, label.relation)?;
            if found.total != written {
                return Err(io::Error::other("the file does not say what was written to it"));
            }
            Ok(found)
        });
        let found = match written {
            Ok(found) if found.total.rows > 0 || label.replaces.is_some() => found,
            other => {
                fs::remove_file(&path)?;
                return other.map(|_| None);
            }
        };
        let file = file_name(&label, &found.sha256);
        fs::rename(&path, self.folder.join(&file))?;
        self.sync()?;
        may_fail(Point::ArchiveWritten)?;
        let manifest = manifest(label, file, &found);
        self.say(&manifest)?;
        Ok(Some(manifest))
    }

    /// Its lines, in order.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn lines(
        &self,
        of: &Manifest,
    ) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
        lines(&self.folder.join(&of.file), of.relation)
    }

    /// Whether it is what its manifest says.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, of: &Manifest) -> Result<(), Wrong> {
        let found = examine(&self.folder.join(&of.file), of.relation)?;
        if found.sha256 != of.sha256 {
            return Err(Wrong::Changed { found: found.sha256 });
        }
        if found.total.rows != of.rows || found.total.sum.to_string() != of.sum {
            return Err(Wrong::Rows { found: found.total.rows, manifest: of.rows });
        }
        Ok(())
    }

    /// Take a file out; its manifest last, for a file without one would get one again.
    ///
    /// # Errors
    /// Those of the disk; that it is not there is none.
    pub fn remove(&self, file: &str) -> io::Result<()> {
        for name in [file.to_owned(), format!("{file}{MANIFEST}")] {
            match fs::remove_file(self.folder.join(name)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => self.sync()?,
            }
        }
        Ok(())
    }

    fn say(&self, manifest: &Manifest) -> io::Result<()> {
        let path = self.begun();
        let mut file = create(&path)?;
        file.write_all(serde_json::to_string_pretty(manifest)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(path, self.folder.join(format!("{}{MANIFEST}", manifest.file)))?;
        self.sync()
    }

    fn begun(&self) -> PathBuf {
        self.folder.join(format!("{BEGUN}{:016x}", rand::random::<u64>()))
    }

    /// Names are durable when their folder is.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn file_name(label: &Label, sha256: &str) -> String {
    let short = sha256.get(..12).unwrap_or(sha256);
    format!("{}-{}-{short}{}", label.relation.as_str(), label.period, label.relation.extension())
}

/// What the name of a data file says.
fn parts(name: &str) -> Option<(Relation, Period)> {
    let relation = *Relation::ALL.iter().find(|r| {
        name.strip_prefix(r.as_str()).is_some_and(|rest| rest.starts_with('-'))
            && name.ends_with(r.extension())
    })?;
    let rest = name.strip_prefix(relation.as_str())?.strip_prefix('-')?;
    let (period, _) = rest.strip_suffix(relation.extension())?.rsplit_once('-')?;
    Some((relation, period.parse().ok()?))
}

fn manifest(label: Label, file: String, found: &Found) -> Manifest {
    Manifest {
        file,
        relation: label.relation,
        period: label.period,
        rows: found.total.rows,
        sum: found.total.sum.to_string(),
        sha256: found.sha256.clone(),
        bytes: found.bytes,
        schema_version: label.schema_version,
        made_at: label.made_at,
        replaces: label.replaces,
    }
}

fn fill(
    path: &Path,
    relation: Relation,
    lines: impl Iterator<Item = io::Result<String>>,
) -> io::Result<Total> {
    let file = BufWriter::new(create(path)?);
    match relation.header() {
        Some(header) => {
            let mut file = file;
            writeln!(file, "{header}")?;
            let total = pour(&mut file, lines)?;
            file.into_inner()?.sync_all()?;
            Ok(total)
        }
        None => {
            let mut packed = GzEncoder::new(file, Compression::default());
            let total = pour(&mut packed, lines)?;
            packed.finish()?.into_inner()?.sync_all()?;
            Ok(total)
        }
    }
}

fn pour(
    file: &mut impl Write,
    lines: impl Iterator<Item = io::Result<String>>,
) -> io::Result<Total> {
    let mut total = Total::default();
    for line in lines {
        let line = line?;
        total.add(&line);
        writeln!(file, "{line}")?;
    }
    Ok(total)
}

fn lines(
    path: &Path,
    relation: Relation,
) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
    let file = File::open(path)?;
    let mut reader: Box<dyn BufRead + Send> = match relation.header() {
        Some(_) => Box::new(BufReader::new(file)),
        None => Box::new(BufReader::new(GzDecoder::new(BufReader::new(file)))),
    };
    if relation.header().is_some() {
        reader.read_line(&mut String::new())?;
    }
    Ok(std::iter::from_fn(move || {
        let mut line = String::new();
        match reader.by_ref().take(LINE_BYTES_MAX).read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(Ok(line.trim_end_matches('\n').to_owned())),
            Err(e) => Some(Err(e)),
        }
    }))
}

fn examine(path: &Path, relation: Relation) -> io::Result<Found> {
    let (mut hash, mut file) = (Sha256::new(), File::open(path)?);
    let mut buffer = vec![0; 64 << 10];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(buffer.get(..read).unwrap_or_default());
        bytes += u64::try_from(read).unwrap_or(0);
    }
    let mut total = Total::default();
    for line in lines(path, relation)? {
        total.add(&line?);
    }
    Ok(Found { sha256: hex::encode(hash.finalize()), bytes, total })
}
