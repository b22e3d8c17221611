//! `bongsu backup`: a copy of everything, while the server runs or not.
//!
//! A backup is a folder with snapshots of the views, the media, and a manifest that is written last.
//! What refers to something is copied before what it refers to, so that nothing referred to is missing:
//! rooms before people, both before media.

mod manifest;
mod restore;

pub use restore::restore;

use crate::data::{DataDir, Installation, write_whole};
use crate::say::{self, Progress};
use crate::wiring::{LANES, snapshot_store};
use anyhow::{Context, Result, ensure};
use bongsu_lane::Offload;
use bongsu_lane::snapshot::Snapshots;
use bongsu_media::{Limits, Media, MediaError};
use manifest::{Contents, Manifest};
use std::path::{Path, PathBuf};

/// Snapshots that a backup keeps of each domain: the newest one, and the one before it for as long as
/// the newest is being written.
const KEPT: usize = 1;

/// Where things are in a backup.
struct Folder {
    root: PathBuf,
}

impl Folder {
    fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    fn manifest(&self) -> PathBuf {
        self.root.join("manifest.json")
    }

    fn snapshots(&self, lane: &'static str) -> Result<Snapshots> {
        let folder = self.root.join("snapshots");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
        Ok(Snapshots::new(snapshot_store(&folder)?, lane))
    }

    fn media(&self) -> Result<Media, MediaError> {
        Media::local(&self.root.join("media"), Limits::default())
    }
}

/// Copies everything in the data folder into `to`.
pub async fn backup(data: &DataDir, to: &Path) -> Result<()> {
    let installation = Installation::expect(data, None)?;
    let folder = Folder::new(to);
    if let Some(earlier) = Manifest::read_if_there(&folder.manifest())? {
        ensure!(
            earlier.contents.installation == installation,
            "{} holds a backup of the installation `{}`, not of `{}`; choose another folder",
            to.display(),
            earlier.contents.installation.server_name,
            installation.server_name
        );
    }
    std::fs::create_dir_all(to)
        .with_context(|| format!("the folder {} cannot be made", to.display()))?;
    let mut lanes = Vec::new();
    for lane in LANES {
        let taken = folder
            .snapshots(lane)?
            .take(&data.view(lane), Offload::Thread)
            .await;
        let taken = taken.with_context(|| format!("the view of {lane} cannot be copied"))?;
        say::line(format_args!(
            "{lane}: up to entry {}, {} bytes",
            taken.seq, taken.bytes
        ));
        lanes.push(taken);
    }
    let (blobs, bytes) = copy_media(data, &folder).await?;
    let contents = Contents::new(installation, lanes, blobs, bytes);
    write_whole(&folder.manifest(), &Manifest::seal(contents)?)?;
    for lane in LANES {
        folder.snapshots(lane)?.prune(KEPT).await?;
    }
    say::line(format_args!(
        "The backup in {} is whole: {blobs} media files.",
        to.display()
    ));
    Ok(())
}

/// Copies the media files that the backup does not have; gives how many it has then, and their bytes.
async fn copy_media(data: &DataDir, folder: &Folder) -> Result<(u64, u64)> {
    // Only read here: opening it as its owner would sweep what a running server uploads.
    let root = data.media();
    std::fs::create_dir_all(&root).with_context(|| format!("the folder {}", root.display()))?;
    let from = Media::new(snapshot_store(&root)?, Limits::default());
    let to = folder.media()?;
    let blobs = from.list().await?;
    let total: u64 = blobs.iter().map(|blob| blob.bytes).sum();
    let progress = Progress::bytes("copying media");
    let mut done = 0;
    for blob in &blobs {
        if to.exists(blob.hash).await? != Some(*blob) {
            copy_blob(&from, &to, blob.hash, blob.bytes).await?;
        }
        done += blob.bytes;
        progress.at(done, Some(total));
    }
    Ok((blobs.len() as u64, total))
}

/// Copies one media file, comparing it with its id.
async fn copy_blob(from: &Media, to: &Media, id: bongsu_media::BlobId, bytes: u64) -> Result<()> {
    let (_, pieces) = from.get(id).await?;
    let copied = to.put(pieces, bytes).await?;
    ensure!(copied.hash == id, "the media file {id} is damaged");
    Ok(())
}
