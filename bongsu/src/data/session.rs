//! How the last use of a lane's view ended, which decides whether the view is known to hold everything
//! that was acknowledged.
//!
//! An answer is given after the view has committed, but a view's commit is not flushed to the disk: it
//! survives the end of the process, not that of the machine. While a lane is open, a mark with the
//! machine's boot id stands beside its view.

use super::write_whole;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// How the last use ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The view was closed and flushed, or the process ended while the machine ran on: the view holds
    /// all that was acknowledged.
    WithAllApplied,
    /// The machine stopped meanwhile, or nobody knows: the view may lack what the log holds.
    Unknown,
}

/// The mark beside one view.
#[derive(Debug)]
pub struct Session {
    mark: PathBuf,
}

impl Session {
    /// The mark beside the view at `view`, and how the last use of the view ended.
    pub fn look(view: &Path) -> (Self, Ended) {
        let mark = view.with_extension("open");
        let ended = match (std::fs::read_to_string(&mark), boot_id()) {
            (Err(error), _) if error.kind() == std::io::ErrorKind::NotFound => {
                Ended::WithAllApplied
            }
            (Ok(then), Some(now)) if then.trim() == now => Ended::WithAllApplied,
            _ => Ended::Unknown,
        };
        (Self { mark }, ended)
    }

    /// Marks the view as open. Only once it has applied all that the log held when it was opened: from
    /// then on it holds whatever this process acknowledges.
    pub fn begin(&self) -> Result<()> {
        write_whole(&self.mark, boot_id().unwrap_or_default().as_bytes())
    }

    /// Takes the mark away, once the view is closed.
    pub fn end(self) -> Result<()> {
        std::fs::remove_file(&self.mark)
            .with_context(|| format!("{} cannot be removed", self.mark.display()))
    }
}

/// Which start of the machine this is (Linux, `random(4)`).
fn boot_id() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_in_an_earlier_start_of_the_machine_proves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let view = folder.path().join("talk.sqlite");
        let (session, ended) = Session::look(&view);
        assert_eq!(ended, Ended::WithAllApplied, "it was never used");
        session.begin().unwrap();
        assert_eq!(
            Session::look(&view).1,
            Ended::WithAllApplied,
            "the same start of the machine"
        );
        std::fs::write(folder.path().join("talk.open"), "another start").unwrap();
        assert_eq!(Session::look(&view).1, Ended::Unknown);
        session.end().unwrap();
        assert_eq!(
            Session::look(&view).1,
            Ended::WithAllApplied,
            "it was closed"
        );
    }
}
