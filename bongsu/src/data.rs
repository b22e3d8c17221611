//! The data folder: where everything lies in it, whose it is, and who has it open.

mod installation;
mod lock;
mod session;

pub use installation::Installation;
pub use lock::Lock;
pub use session::{Ended, Session};

use anyhow::{Context, Result, bail};
use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// What to do where a folder is not the one that was meant.
const NAME_ANOTHER: &str = "name the server's data folder with --data, or its file with --config";

/// A data folder, which may not exist yet.
#[derive(Debug, Clone)]
pub struct DataDir {
    root: PathBuf,
}

impl DataDir {
    /// The data folder at `root`.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The log of `lane`.
    pub fn log(&self, lane: &str) -> PathBuf {
        self.root.join("log").join(format!("{lane}.sqlite"))
    }

    /// The view of `lane`.
    pub fn view(&self, lane: &str) -> PathBuf {
        self.root.join("view").join(format!("{lane}.sqlite"))
    }

    /// All lanes' snapshots.
    pub fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots")
    }

    /// The media store.
    pub fn media(&self) -> PathBuf {
        self.root.join("media")
    }

    /// What the simulated bank of this process has done.
    pub fn bank(&self) -> PathBuf {
        self.root.join("bank.sqlite")
    }

    /// The key that seals the keys of sign-in, where no other is named.
    pub fn sign_in_key(&self) -> PathBuf {
        self.root.join("sign-in.key")
    }

    /// The socket through which a running server is told things.
    pub fn control_socket(&self) -> PathBuf {
        self.root.join("control.sock")
    }

    /// The parts of the folder, and how many bytes their files have.
    pub fn sizes(&self) -> [(&'static str, u64); 4] {
        ["log", "view", "snapshots", "media"].map(|part| (part, size(&self.root.join(part))))
    }

    /// Where the server writes the address it serves.
    pub fn listen_addr(&self) -> PathBuf {
        self.root.join("listen.addr")
    }

    /// Stands here while a restore is under way.
    pub fn restoring(&self) -> PathBuf {
        self.root.join("restoring")
    }

    /// Makes the folder and those in it, for the owner alone.
    pub fn create(&self) -> Result<()> {
        for folder in [
            &self.root,
            &self.root.join("log"),
            &self.root.join("view"),
            &self.snapshots(),
        ] {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
            made.with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        }
        Ok(())
    }

    /// Refuses a folder that is not there.
    pub fn expect(&self) -> Result<()> {
        if !self.root.is_dir() {
            bail!(
                "there is no data folder {}; {NAME_ANOTHER}",
                self.root.display()
            );
        }
        if self.restoring().exists() {
            bail!(
                "a restore into {} did not come to its end; empty the folder and restore again",
                self.root.display()
            );
        }
        Ok(())
    }
}

/// Bytes of all files below `folder`.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let each = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => size(&entry.path()),
        _ => entry.metadata().map_or(0, |meta| meta.len()),
    };
    entries.flatten().map(each).sum()
}

/// Writes `content` to `path` so that a reader sees the old content or the new, never a part.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    let failed = || format!("{} cannot be written", path.display());
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    draft.write_all(content).with_context(failed)?;
    draft.as_file().sync_all().with_context(failed)?;
    draft.persist(path).with_context(failed)?;
    let folder = std::fs::File::open(folder).with_context(failed)?;
    folder.sync_all().with_context(failed)
}
