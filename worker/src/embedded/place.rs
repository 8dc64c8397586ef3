//! Where the server's programs and data are, and who runs it.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

/// Where state goes when the unprivileged server cannot reach the state folder.
const REACHABLE: &str = "/var/lib/millrace";
/// uid and gid of `nobody` where the user list does not say.
const NOBODY: RunAs = RunAs { uid: 65534, gid: 65534 };

/// The unprivileged user that runs the server, because Postgres refuses to run as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunAs {
    /// User id.
    pub uid: u32,
    /// Group id; there are no others.
    pub gid: u32,
}

/// Programs, data and owner of one cluster.
#[derive(Debug, Clone)]
pub struct Place {
    /// Holds `bin`, `lib` and `share`.
    pub server: PathBuf,
    /// Holds `data`, `run` (the socket), `password` and `log`.
    pub cluster: PathBuf,
    /// Set when we are root.
    pub run_as: Option<RunAs>,
    /// Said to the person who started it, when the place is not the obvious one.
    pub note: Option<String>,
}

impl Place {
    /// The place of the cluster of `home` (an absolute path).
    ///
    /// # Errors
    /// If `scripts/setup` has not run for this home.
    pub fn of(home: &Path) -> Result<Self> {
        let mut place = Self::with_cluster(home, &home.join("cluster"))?;
        if place.run_as.is_some_and(|ids| !reachable(home, ids)) {
            place.cluster = Path::new(REACHABLE).join(cluster_id(home)?);
            place.note = Some(format!(
                "Postgres may not run as root and its user cannot enter {}: its data is in {}",
                home.display(),
                place.cluster.display()
            ));
        }
        Ok(place)
    }

    /// A cluster in a folder of the caller's choice, with the programs of `home`.
    ///
    /// # Errors
    /// If `scripts/setup` has not run for this home.
    pub fn with_cluster(home: &Path, cluster: &Path) -> Result<Self> {
        let wheel = home.join("postgres");
        let server = wheel.join("server/18");
        ensure!(
            server.join("bin/postgres").exists(),
            "no Postgres in {}: run scripts/setup (with MILLRACE_HOME={}), or set DATABASE_URL",
            server.display(),
            home.display()
        );
        // Through links, so that every folder on the way is seen.
        let (wheel, server) = (wheel.canonicalize()?, server.canonicalize()?);
        let (cluster, note) = (cluster.to_path_buf(), None);
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { server, cluster, run_as: None, note });
        }
        let ids = unprivileged(home)?;
        let server = if reachable(&server, ids) { server } else { copied(&wheel)? };
        Ok(Self { server, cluster, run_as: Some(ids), note })
    }

    /// Path of one of the server's programs.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.server.join("bin").join(name)
    }

    /// A command as the server's user, in a process group of its own (Ctrl-C in the terminal is for us:
    /// the server must outlive our drain), without our environment and its secrets.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
        command.current_dir(&self.cluster).process_group(0);
        if let Some(ids) = self.run_as {
            command.uid(ids.uid).gid(ids.gid);
        }
        command
    }

    /// Hands a file over to the server's user.
    ///
    /// # Errors
    /// If the owner cannot be changed.
    pub fn give(&self, path: &Path) -> Result<()> {
        match self.run_as {
            Some(ids) => Ok(chown(path, Some(ids.uid), Some(ids.gid))?),
            None => Ok(()),
        }
    }
}

/// Who owns the folder around `home` (a person under sudo), else `nobody`.
fn unprivileged(home: &Path) -> Result<RunAs> {
    let around = fs::metadata(home.parent().unwrap_or(home))?;
    if around.uid() != 0 {
        return Ok(RunAs { uid: around.uid(), gid: around.gid() });
    }
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    Ok(users.lines().find_map(nobody).unwrap_or(NOBODY))
}

/// `nobody:*:65534:65534:...`; some systems write the ids as negative numbers.
fn nobody(line: &str) -> Option<RunAs> {
    let mut fields = line.strip_prefix("nobody:")?.split(':').skip(1);
    let mut id = || {
        let id = fields.next()?.parse::<i64>().ok()?;
        u32::try_from(id & i64::from(u32::MAX)).ok()
    };
    Some(RunAs { uid: id()?, gid: id()? })
}

/// Whether `ids` may pass every folder on the way to `path`.
fn reachable(path: &Path, ids: RunAs) -> bool {
    path.ancestors().filter_map(|folder| fs::metadata(folder).ok()).all(|folder| {
        let enter = if folder.uid() == ids.uid {
            0o100
        } else if folder.gid() == ids.gid {
            0o010
        } else {
            0o001
        };
        folder.mode() & enter != 0
    })
}

/// A copy of the server's programs where an unprivileged user can reach them, named by their stamp.
fn copied(wheel: &Path) -> Result<PathBuf> {
    let stamp = fs::read_to_string(wheel.join(".stamp"))?;
    let name = stamp.rsplit(' ').next().unwrap_or_default().trim();
    let short = name.get(..12).context("the stamp of the Postgres programs is damaged")?;
    let target = Path::new(REACHABLE).join(format!("postgres-{short}"));
    if !target.exists() {
        let half = target.with_extension(format!("new-{}", std::process::id()));
        copy_tree(wheel, &half)?;
        // Whoever comes second finds it there.
        if fs::rename(&half, &target).is_err() {
            fs::remove_dir_all(&half)?;
        }
    }
    Ok(target.join("server/18"))
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// A random name kept in `home`, so that a deleted and remade home does not find old data.
fn cluster_id(home: &Path) -> Result<String> {
    let file = home.join("cluster.id");
    if let Ok(id) = fs::read_to_string(&file) {
        return Ok(id);
    }
    let id = format!("cluster-{}", hex::encode(rand::random::<[u8; 8]>()));
    fs::write(&file, &id)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_read_from_the_user_list() {
        let linux = "nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin";
        assert_eq!(nobody(linux), Some(RunAs { uid: 65534, gid: 65533 }));
        let mac = "nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false";
        assert_eq!(nobody(mac), Some(RunAs { uid: 4_294_967_294, gid: 4_294_967_294 }));
        assert_eq!(nobody("root:x:0:0::/root:/bin/sh"), None);
    }

    #[test]
    fn a_closed_folder_on_the_way_is_noticed() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let stranger = RunAs { uid: 54_321, gid: 54_321 };
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(reachable(&inner, stranger));
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!reachable(&inner, stranger));
    }
}
