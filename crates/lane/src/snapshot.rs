//! Snapshots of a view in an object store, and views made from them.
//!
//! A snapshot is a copy of the view's file at one sequence and a manifest beside it. The manifest is
//! written last, so that a snapshot that has one is whole; what does not agree with its manifest is
//! refused, never guessed. The copy is named after its content: several processes that take snapshots
//! of one lane into one store never write over each other's.

use crate::open::Offload;
use crate::view::{CheckError, check_file};
use bongsu_base::{LogTime, Seq};
use bongsu_log::{Chain, Link};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::path::Path as StorePath;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;

/// How much of a file is in memory while it is copied.
const PIECE: usize = 1 << 20;

/// What a snapshot is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The lane it belongs to.
    pub lane: String,
    /// The last entry it contains.
    pub seq: Seq,
    /// That entry's time.
    pub time: LogTime,
    /// The chain's link at that entry, in hexadecimal.
    pub link: String,
    /// The digest of its content, in hexadecimal.
    pub digest: String,
    /// The behaviour that was active.
    pub active_version: u32,
    /// The schema's version.
    pub schema_version: usize,
    /// The release that wrote it.
    pub release: String,
    /// Length of its file.
    pub bytes: u64,
    /// BLAKE3 hash of its file, in hexadecimal.
    pub blake3: String,
}

impl Manifest {
    /// The chain up to the snapshot; what follows it in the log extends this.
    ///
    /// # Errors
    /// When the manifest's link is not 32 hexadecimal digits.
    pub fn chain(&self) -> Result<Chain, SnapshotError> {
        let mut link = [0; 16];
        let digits = (0..16).map(|n| {
            self.link
                .get(2 * n..2 * n + 2)
                .and_then(|d| u8::from_str_radix(d, 16).ok())
        });
        for (byte, digit) in link.iter_mut().zip(digits) {
            *byte = digit.ok_or_else(|| self.refuse("its link is malformed"))?;
        }
        Ok(Chain {
            seq: self.seq,
            link: Link::from_bytes(link),
        })
    }

    fn refuse(&self, what: &str) -> SnapshotError {
        SnapshotError::Refused {
            lane: self.lane.clone(),
            seq: self.seq,
            what: what.to_owned(),
        }
    }
}

/// Why a snapshot could not be taken or used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The store failed.
    #[error("the snapshot store failed: {0}")]
    Store(#[from] object_store::Error),
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: std::io::Error,
    },
    /// The view could not be copied.
    #[error("the view could not be copied: {0}")]
    Copy(#[from] rusqlite::Error),
    /// The copy is not sound, hence neither is the view.
    #[error("the view is damaged: {0}")]
    Damaged(#[from] CheckError),
    /// The snapshot is not what its manifest says, or not for this lane or release.
    #[error("snapshot {seq} of {lane} is refused: {what}")]
    Refused {
        /// Its lane.
        lane: String,
        /// Its sequence.
        seq: Seq,
        /// Why.
        what: String,
    },
}

/// Where one lane's snapshots are.
#[derive(Debug, Clone)]
pub struct Snapshots {
    store: Arc<dyn ObjectStore>,
    lane: &'static str,
}

impl Snapshots {
    /// The snapshots of the lane `lane` in `store`, under `<lane>/`.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>, lane: &'static str) -> Self {
        Self { store, lane }
    }

    fn path(&self, name: &str) -> StorePath {
        StorePath::from(format!("{}/{name}", self.lane))
    }

    fn file(&self, manifest: &Manifest) -> StorePath {
        let hash = manifest.blake3.get(..16).unwrap_or(&manifest.blake3);
        self.path(&format!("{:020}-{hash}.sqlite", manifest.seq.0))
    }

    /// Copies the view at `view` as it is now, while it is written, and stores the copy.
    ///
    /// # Errors
    /// See [`SnapshotError`]. A view that is damaged is never stored.
    pub async fn take(&self, view: &Path, offload: Offload) -> Result<Manifest, SnapshotError> {
        // A backup and the keeper may each copy at the same time, from processes of their own.
        let copy = view.with_extension(format!("copying-{}", std::process::id()));
        let (view, target, lane) = (view.to_owned(), copy.clone(), self.lane);
        let stored = match offload.run(move || copy_view(&view, &target, lane)).await {
            Ok(manifest) => self.store(&copy, manifest, offload).await,
            Err(error) => Err(error),
        };
        remove(&copy)?;
        stored
    }

    async fn store(
        &self,
        copy: &Path,
        manifest: Manifest,
        offload: Offload,
    ) -> Result<Manifest, SnapshotError> {
        let mut writer =
            BufWriter::with_capacity(self.store.clone(), self.file(&manifest), 8 * PIECE);
        if let Err(error) = pour(copy, &mut writer, offload).await {
            // What was sent of it is of no use; a store that fails here too forgets it by itself.
            let _ = writer.abort().await;
            return Err(error);
        }
        let json = serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data");
        self.store
            .put(
                &self.path(&format!("{:020}.json", manifest.seq.0)),
                json.into(),
            )
            .await?;
        Ok(manifest)
    }

    /// All snapshots that have a manifest, newest first.
    ///
    /// # Errors
    /// When the store fails. A manifest that cannot be read is passed over with a warning.
    pub async fn list(&self) -> Result<Vec<Manifest>, SnapshotError> {
        let prefix = StorePath::from(self.lane);
        let found: Vec<_> = self.store.list(Some(&prefix)).try_collect().await?;
        let mut manifests = Vec::new();
        for object in found
            .into_iter()
            .filter(|object| object.location.as_ref().ends_with(".json"))
        {
            let json = self.store.get(&object.location).await?.bytes().await?;
            match serde_json::from_slice::<Manifest>(&json) {
                Ok(manifest) if manifest.lane == self.lane => manifests.push(manifest),
                _ => {
                    tracing::warn!(manifest = %object.location, "passing over a snapshot without a sound manifest")
                }
            }
        }
        manifests.sort_by_key(|manifest| std::cmp::Reverse(manifest.seq));
        Ok(manifests)
    }

    /// Writes the snapshot `manifest` to `target`, once it has been found to be what its manifest says.
    ///
    /// # Errors
    /// See [`SnapshotError`]; nothing is left at `target` then.
    pub async fn restore(
        &self,
        manifest: &Manifest,
        target: &Path,
        schema_known: usize,
        offload: Offload,
    ) -> Result<(), SnapshotError> {
        if manifest.schema_version > schema_known {
            return Err(manifest.refuse(&format!(
                "it was written by release {} with schema {}, this one knows {schema_known}",
                manifest.release, manifest.schema_version
            )));
        }
        let part = target.with_extension("restoring");
        if let Err(error) = self.fetch(manifest, &part, offload).await {
            remove(&part)?;
            return Err(error);
        }
        for leftover in [
            target.to_owned(),
            sidecar(target, "-wal"),
            sidecar(target, "-shm"),
        ] {
            remove(&leftover)?;
        }
        std::fs::rename(&part, target).map_err(|error| SnapshotError::File {
            path: target.to_owned(),
            error,
        })
    }

    /// Writes the snapshot's file to `part` and looks it over.
    async fn fetch(
        &self,
        manifest: &Manifest,
        part: &Path,
        offload: Offload,
    ) -> Result<(), SnapshotError> {
        if self.download(manifest, part, offload).await? != manifest.blake3 {
            return Err(manifest.refuse("its file is not the one that its manifest names"));
        }
        let file = part.to_owned();
        let checked = offload.run(move || check_file(&file, |_| {})).await?;
        if checked.progress.chain != manifest.chain()?
            || checked.progress.digest.to_string() != manifest.digest
        {
            return Err(manifest.refuse("its content is not at the place its manifest names"));
        }
        Ok(())
    }

    async fn download(
        &self,
        manifest: &Manifest,
        part: &Path,
        offload: Offload,
    ) -> Result<String, SnapshotError> {
        let failed = |error| SnapshotError::File {
            path: part.to_owned(),
            error,
        };
        let mut stream = self.store.get(&self.file(manifest)).await?.into_stream();
        let mut file = File::create(part).map_err(failed)?;
        let mut hasher = blake3::Hasher::new();
        while let Some(piece) = stream.next().await {
            let piece = piece?;
            hasher.update(&piece);
            file = offload
                .run(move || file.write_all(&piece).map(|()| file))
                .await
                .map_err(failed)?;
        }
        offload.run(move || file.sync_all()).await.map_err(failed)?;
        Ok(hasher.finalize().to_string())
    }

    /// Forgets all but the newest `keep` snapshots, and what was never finished before them, and gives
    /// those that are left, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn prune(&self, keep: usize) -> Result<Vec<Manifest>, SnapshotError> {
        let mut manifests = self.list().await?;
        manifests.truncate(keep);
        let Some(oldest) = manifests.last().filter(|_| manifests.len() == keep) else {
            return Ok(manifests);
        };
        self.forget(|seq| seq < oldest.seq).await?;
        Ok(manifests)
    }

    /// Forgets the snapshots of what came after `seq`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_after(&self, seq: Seq) -> Result<(), SnapshotError> {
        self.forget(|of| of > seq).await
    }

    async fn forget(&self, those: impl Fn(Seq) -> bool) -> Result<(), SnapshotError> {
        let found: Vec<_> = self
            .store
            .list(Some(&StorePath::from(self.lane)))
            .try_collect()
            .await?;
        let seq = |path: &StorePath| path.filename()?.get(..20)?.parse().ok().map(Seq);
        let mut paths: Vec<_> = found
            .into_iter()
            .map(|object| object.location)
            .filter(|path| seq(path).is_some_and(&those))
            .collect();
        // The manifests go first, so that none is ever without its file.
        paths.sort_by_key(|path| (path.extension() != Some("json"), path.to_string()));
        for path in paths {
            match self.store.delete(&path).await {
                // Another process that shares the store was faster.
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Copies a view that may be in use, and looks the copy over.
fn copy_view(view: &Path, copy: &Path, lane: &str) -> Result<Manifest, SnapshotError> {
    remove(copy)?;
    let db = crate::view::open_reader(view)?;
    db.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    let schema: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let progress = check_file(copy, |_| {})?.progress;
    let failed = |error| SnapshotError::File {
        path: copy.to_owned(),
        error,
    };
    let mut hasher = blake3::Hasher::new();
    let bytes =
        std::io::copy(&mut File::open(copy).map_err(failed)?, &mut hasher).map_err(failed)?;
    Ok(Manifest {
        lane: lane.to_owned(),
        seq: progress.chain.seq,
        time: progress.time,
        link: progress
            .chain
            .link
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect(),
        digest: progress.digest.to_string(),
        active_version: progress.active_version,
        schema_version: schema as usize,
        release: env!("CARGO_PKG_VERSION").to_owned(),
        bytes,
        blake3: hasher.finalize().to_string(),
    })
}

/// Sends a file to a store, a piece at a time.
async fn pour(path: &Path, writer: &mut BufWriter, offload: Offload) -> Result<(), SnapshotError> {
    let failed = |error| SnapshotError::File {
        path: path.to_owned(),
        error,
    };
    let mut file = File::open(path).map_err(failed)?;
    loop {
        let read = offload.run(move || {
            let mut piece = Vec::with_capacity(PIECE);
            Read::take(&mut file, PIECE as u64)
                .read_to_end(&mut piece)
                .map(|_| (file, piece))
        });
        let (rest, piece) = read.await.map_err(failed)?;
        file = rest;
        if piece.is_empty() {
            return writer.shutdown().await.map_err(failed);
        }
        writer.put(Bytes::from(piece)).await?;
    }
}

/// The file that SQLite keeps beside `path` under this ending.
pub(crate) fn sidecar(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<(), SnapshotError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(SnapshotError::File {
            path: path.to_owned(),
            error,
        }),
        _ => Ok(()),
    }
}
