//! `bongsu restore`: a new data folder made of a backup.

use super::manifest::{Contents, Manifest};
use super::{Folder, copy_blob};
use crate::data::{DataDir, Lock, write_whole};
use crate::say::{self, Progress};
use crate::wiring::{LANES, snapshot_store};
use anyhow::{Context, Result, ensure};
use bongsu_identity::Identity;
use bongsu_lane::snapshot::{self, Snapshots};
use bongsu_lane::{Domain, Offload};
use bongsu_log::sqlite::SqliteLog;
use bongsu_media::{Limits, Media};
use bongsu_pay::Pay;
use bongsu_talk::Talk;
use std::path::Path;

/// Makes the data folder `data`, which is missing or empty, of the backup in `from`.
pub async fn restore(from: &Path, data: &DataDir) -> Result<()> {
    let folder = Folder::new(from);
    let Manifest { contents, .. } = Manifest::read(&folder.manifest())?;
    ensure!(
        is_empty(data.root())?,
        "{} is not empty; restore into a folder that is missing or empty (--data), then start the server on that",
        data.root().display()
    );
    data.create()?;
    let lock = Lock::take(data, "restore")?;
    // Until this is gone, nothing will take the folder for whole.
    write_whole(
        &data.restoring(),
        b"A restore is under way, or did not come to its end.\n",
    )?;
    // Backups that were taken before there was money hold none, and it begins empty.
    if contents.lanes.iter().any(|taken| taken.lane == Pay::NAME) {
        restore_lane::<Pay>(&folder, &contents, data).await?;
    }
    restore_lane::<Talk>(&folder, &contents, data).await?;
    restore_lane::<Identity>(&folder, &contents, data).await?;
    restore_media(&folder, &contents, data).await?;
    contents.installation.write(data)?;
    std::fs::remove_file(data.restoring()).context("the mark of the restore cannot be removed")?;
    drop(lock);
    say::line(format_args!(
        "Restored the installation `{}` into {}.",
        contents.installation.server_name,
        data.root().display()
    ));
    Ok(())
}

/// Places the lane's view and snapshot, compared with the manifest, and a log that begins after them.
async fn restore_lane<D: Domain>(
    folder: &Folder,
    contents: &Contents,
    data: &DataDir,
) -> Result<()> {
    debug_assert!(LANES.contains(&D::NAME), "what is backed up is restored");
    let taken = contents.lanes.iter().find(|taken| taken.lane == D::NAME);
    let taken: &snapshot::Manifest =
        taken.with_context(|| format!("the backup lacks {}", D::NAME))?;
    let view = data.view(D::NAME);
    let snapshots = folder.snapshots(D::NAME)?;
    snapshots
        .restore(taken, &view, D::MIGRATIONS.len(), Offload::Thread)
        .await?;
    let (path, chain, time) = (data.log(D::NAME), taken.chain()?, taken.time);
    tokio::task::spawn_blocking(move || SqliteLog::create_after(&path, D::NAME, chain, time))
        .await??;
    // The log does not reach back to the beginning; should the view be lost, this is what it is made of.
    let own = Snapshots::new(snapshot_store(&data.snapshots())?, D::NAME);
    own.take(&view, Offload::Thread).await?;
    say::line(format_args!(
        "{}: up to entry {}, {} bytes",
        D::NAME,
        taken.seq,
        taken.bytes
    ));
    Ok(())
}

async fn restore_media(folder: &Folder, contents: &Contents, data: &DataDir) -> Result<()> {
    let from = folder.media()?;
    let to = Media::local(&data.media(), Limits::default())?;
    let progress = Progress::bytes("copying media");
    let blobs = from.list().await?;
    let total = blobs.iter().map(|blob| blob.bytes).sum();
    let mut done = 0;
    for blob in &blobs {
        copy_blob(&from, &to, blob.hash, blob.bytes).await?;
        done += blob.bytes;
        progress.at(done, Some(total));
    }
    ensure!(
        blobs.len() as u64 >= contents.media_files,
        "the backup has {} media files, but its manifest says {}",
        blobs.len(),
        contents.media_files
    );
    say::line(format_args!("media: {} files", blobs.len()));
    Ok(())
}

/// Whether nothing but a lock is in `folder`, or it is missing.
fn is_empty(folder: &Path) -> Result<bool> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(true),
        entries => {
            entries.with_context(|| format!("the folder {} cannot be read", folder.display()))?
        }
    };
    for entry in entries {
        if entry?.file_name() != "lock" {
            return Ok(false);
        }
    }
    Ok(true)
}
