//! What a backup contains.

use crate::data::Installation;
use anyhow::{Context, Result, ensure};
use bongsu_lane::snapshot;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a backup's layout is called.
const FORMAT: u32 = 1;

/// A backup's contents, and their hash.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// What is in it.
    pub contents: Contents,
    /// BLAKE3 of the contents as compact JSON.
    blake3: String,
}

/// What is in a backup.
#[derive(Debug, Serialize, Deserialize)]
pub struct Contents {
    /// The layout.
    format: u32,
    /// The release that wrote it.
    release: String,
    /// Whose data they are.
    pub installation: Installation,
    /// Each domain's snapshot, in the order in which they were taken.
    pub lanes: Vec<snapshot::Manifest>,
    /// Media files. Each is called by its own hash.
    pub media_files: u64,
    /// Their bytes.
    pub media_bytes: u64,
}

impl Contents {
    /// The contents of a backup that this release writes.
    pub fn new(
        installation: Installation,
        lanes: Vec<snapshot::Manifest>,
        media_files: u64,
        media_bytes: u64,
    ) -> Self {
        let release = env!("CARGO_PKG_VERSION").to_owned();
        Self {
            format: FORMAT,
            release,
            installation,
            lanes,
            media_files,
            media_bytes,
        }
    }

    fn hash(&self) -> Result<String> {
        Ok(blake3::hash(&serde_json::to_vec(self)?).to_string())
    }
}

impl Manifest {
    /// The manifest of these contents, as it is written.
    pub fn seal(contents: Contents) -> Result<Vec<u8>> {
        let blake3 = contents.hash()?;
        Ok(serde_json::to_vec_pretty(&Self { contents, blake3 })?)
    }

    /// Reads the manifest at `path` and sees that it is what was written, by a release whose backups
    /// this one knows.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let json = std::fs::read(path).with_context(|| {
            format!("{name} cannot be read; a backup that has no manifest is not whole")
        })?;
        let manifest: Self =
            serde_json::from_slice(&json).with_context(|| format!("{name} is damaged"))?;
        ensure!(
            manifest.blake3 == manifest.contents.hash()?,
            "{name} is damaged: its hash is not that of its contents"
        );
        let contents = &manifest.contents;
        ensure!(
            contents.format == FORMAT,
            "{name} has layout {}, and this release knows layout {FORMAT}; use release {}",
            contents.format,
            contents.release
        );
        contents
            .installation
            .check()
            .with_context(|| format!("{name}"))?;
        Ok(manifest)
    }

    /// The same, where there may be none.
    pub fn read_if_there(path: &Path) -> Result<Option<Self>> {
        if path.exists() {
            Self::read(path).map(Some)
        } else {
            Ok(None)
        }
    }
}
