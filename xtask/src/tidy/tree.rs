//! The repository's text files, read once.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Folders that hold nothing written by hand.
const SKIPPED: &[&str] = &[
    ".git",
    ".tools",
    "__pycache__",
    "data",
    "dist",
    "node_modules",
    "target",
];

/// A text file of the repository.
#[derive(Debug, Clone)]
pub struct File {
    /// Relative to the root, with `/` between the parts.
    pub path: String,
    /// What it holds.
    pub text: String,
}

impl File {
    /// The part of the name after its last dot, or the whole name if it has none.
    pub fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit('.').next().unwrap_or_default()
    }

    /// The lines with their numbers, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

/// All text files, sorted by path.
#[derive(Debug, Default)]
pub struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// Reads the repository at `root`; a file that is not UTF-8 is left out.
    ///
    /// # Errors
    /// If a folder or a file cannot be read.
    pub fn read(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        read_folder(root, root, &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// A small tree for a rule's own tests.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).into(),
            text: (*text).into(),
        };
        let mut files: Vec<File> = files.iter().map(file).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// The files whose extension is one of these.
    pub fn with_extension<'a>(&'a self, wanted: &'a [&str]) -> impl Iterator<Item = &'a File> {
        self.files()
            .filter(|file| wanted.contains(&file.extension()))
    }

    /// The file at `path`.
    pub fn get(&self, path: &str) -> Option<&File> {
        let found = self
            .files
            .binary_search_by(|file| file.path.as_str().cmp(path));
        found.ok().map(|index| &self.files[index])
    }

    /// Whether `path` is a file, or a folder with files in it.
    pub fn exists(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        self.files()
            .any(|file| file.path == path || file.path.starts_with(&folder))
    }
}

fn read_folder(root: &Path, folder: &Path, files: &mut Vec<File>) -> Result<()> {
    let failed = || format!("cannot read {}", folder.display());
    for entry in fs::read_dir(folder).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        let name = entry.file_name();
        let path = entry.path();
        if SKIPPED.iter().any(|skipped| name == *skipped) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            read_folder(root, &path, files)?;
        } else if let Ok(text) = String::from_utf8(fs::read(&path)?) {
            let path = path
                .strip_prefix(root)?
                .to_string_lossy()
                .replace('\\', "/");
            files.push(File { path, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_are_found() {
        let tree = Tree::of(&[("a/b.rs", ""), ("a/Makefile", "")]);
        assert!(tree.exists("a/b.rs") && tree.exists("a/") && tree.exists("a"));
        assert!(!tree.exists("a/b") && tree.get("a").is_none());
        assert_eq!(tree.get("a/b.rs").map(File::extension), Some("rs"));
        assert_eq!(
            tree.get("a/Makefile").map(File::extension),
            Some("Makefile")
        );
    }
}
