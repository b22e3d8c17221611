//! What happens to a data centre's files: they are altered behind its back, or have no room.

use anyhow::{Context, Result, ensure};
use fastrand::Rng;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// All files below `folder` for which `wanted` says so, in the order of their names.
pub fn files(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        // Files and folders come and go.
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            match std::fs::symlink_metadata(&path) {
                Ok(meta) if meta.is_dir() => folders.push(path),
                Ok(meta) if meta.is_file() && wanted(&path) => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// How many bytes each file below `folder` has.
pub fn sizes(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let all = files(folder, |_| true).into_iter();
    all.map(|path| {
        let length = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        (path, length)
    })
    .collect()
}

/// By how many bytes files have grown, those that have come included. What became shorter or went makes up for nothing.
pub fn growth(before: &BTreeMap<PathBuf, u64>, after: &BTreeMap<PathBuf, u64>) -> u64 {
    let grown = |(path, length): (&PathBuf, &u64)| {
        let earlier = before.get(path).copied().unwrap_or(0);
        length.saturating_sub(earlier)
    };
    after.iter().map(grown).sum()
}

/// Changes `count` bytes in the middle four fifths of a file.
pub fn damage(path: &Path, count: usize, rng: &mut Rng) -> Result<()> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .with_context(|| path.display().to_string())?;
    let length = file.metadata()?.len();
    ensure!(
        length >= 10,
        "{} is too short to be damaged",
        path.display()
    );
    for _ in 0..count {
        let at = rng.u64(length / 10..length - length / 10);
        let mut byte = [0];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut byte)?;
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&[byte[0] ^ 0x5a])?;
    }
    file.sync_all()?;
    Ok(())
}

/// The largest of `files`.
pub fn largest(files: &[PathBuf]) -> Option<&PathBuf> {
    files.iter().max_by_key(|path| {
        File::open(path)
            .and_then(|file| file.metadata())
            .map_or(0, |meta| meta.len())
    })
}

/// The files, the one that was written last first.
pub fn newest(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    let written = |path: &PathBuf| {
        std::fs::metadata(path)
            .and_then(|meta| meta.modified())
            .ok()
    };
    files.sort_by_cached_key(|path| std::cmp::Reverse(written(path)));
    files
}

/// Puts a file system of `kib` KiB over `folder`, keeping the files that lie directly in it.
pub fn bound(folder: &Path, kib: u64) -> Result<()> {
    let kept = contents(folder)?;
    let size = format!("size={kib}k");
    run(Command::new("mount")
        .args(["-t", "tmpfs", "-o", &size, "bongsu-fire"])
        .arg(folder))?;
    for (name, content) in kept {
        std::fs::write(folder.join(name), content)?;
    }
    Ok(())
}

/// The files that lie directly in `folder`.
pub fn contents(folder: &Path) -> Result<Vec<(OsString, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)?.flatten() {
        if entry.metadata()?.is_file() {
            found.push((entry.file_name(), std::fs::read(entry.path())?));
        }
    }
    Ok(found)
}

/// Gives the file system over `folder` another size. One that has less room than is in use is full.
pub fn resize(folder: &Path, kib: u64) -> Result<()> {
    let size = format!("remount,size={kib}k");
    run(Command::new("mount").args(["-o", &size]).arg(folder))
}

/// How many KiB of the file system over `folder` are in use.
pub fn used_kib(folder: &Path) -> Result<u64> {
    let said = Command::new("df")
        .args(["-k", "--output=used"])
        .arg(folder)
        .output()?;
    let text = String::from_utf8_lossy(&said.stdout);
    let number = text.lines().nth(1).context("df says nothing")?;
    Ok(number.trim().parse()?)
}

/// Takes the file system over `folder` away.
pub fn unbound(folder: &Path) -> Result<()> {
    run(Command::new("umount").arg(folder))
}

/// Whether a file system can be mounted.
pub fn can_mount() -> bool {
    let Ok(folder) = tempfile::tempdir() else {
        return false;
    };
    let mounted = bound(folder.path(), 64).is_ok();
    mounted && unbound(folder.path()).is_ok()
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}", said.trim());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_changes_bytes_and_no_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        std::fs::create_dir(folder.path().join("a")).unwrap();
        std::fs::write(&path, vec![7; 1000]).unwrap();
        damage(&path, 1, &mut Rng::with_seed(1)).unwrap();
        let found = std::fs::read(&path).unwrap();
        assert_eq!(found.iter().filter(|byte| **byte != 7).count(), 1);
        assert_eq!(sizes(folder.path()), [(path.clone(), 1000)].into());
        assert_eq!(files(folder.path(), |_| true), [path]);
    }

    #[test]
    fn what_went_makes_up_for_nothing_that_came() {
        let sizes = |all: &[(&str, u64)]| -> BTreeMap<PathBuf, u64> {
            let all = all.iter();
            all.map(|(name, length)| (PathBuf::from(name), *length))
                .collect()
        };
        let before = sizes(&[("gone", 100), ("shorter", 50), ("longer", 5)]);
        let after = sizes(&[("shorter", 10), ("longer", 8), ("new", 7)]);
        assert_eq!(growth(&before, &after), 10);
    }
}
