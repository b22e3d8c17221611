//! The rules of STYLE.md that can be checked in the text itself, one file a rule.

mod arrows;
mod banned;
mod hosts;
mod length;
mod lints;
mod map;
mod modules;
mod paths;
mod pure;
mod tree;
mod whitespace;

pub use tree::{File, Tree};

use crate::workspace;
use anyhow::Result;
use std::fmt;
use std::path::Path;

/// A place where a rule is broken, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Complaint {
    /// The file, relative to the root.
    pub path: String,
    /// The line, counted from 1; 0 if it is about the file as a whole.
    pub line: usize,
    /// What is wrong and what to do.
    pub text: String,
}

impl Complaint {
    fn new(file: &File, line: usize, text: impl Into<String>) -> Self {
        Self {
            path: file.path.clone(),
            line,
            text: text.into(),
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.text),
            line => write!(f, "{}:{line}: {}", self.path, self.text),
        }
    }
}

/// Checks every rule on the repository at `root`.
///
/// # Errors
/// If a file cannot be read or cargo cannot be run.
pub fn check(root: &Path) -> Result<Vec<Complaint>> {
    let tree = Tree::read(root)?;
    let members = workspace::metadata(root)?.members;
    let mut complaints = map::check(&tree, &members);
    for rule in [
        arrows::check,
        banned::check,
        hosts::check,
        length::check,
        lints::check,
        modules::check,
        paths::check,
        pure::check,
        whitespace::check,
    ] {
        complaints.extend(rule(&tree));
    }
    complaints.sort();
    Ok(complaints)
}
