//! What a domain gives to the lane that carries it.

use crate::cx::Cx;
use rusqlite::Connection;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// A deterministic state machine: its commands, its tables and its rules.
///
/// [`Domain::apply`] sees only the state, the record, the entry's time and the seed. It reads no clock,
/// makes no random number, does no I/O but through [`Cx::db`], and every `SELECT` of more than one row
/// has an `ORDER BY`.
pub trait Domain: Sized + Send + Sync + 'static {
    /// The lane's name in paths, metrics and messages; never changed once released.
    const NAME: &'static str;

    /// The highest behaviour this code knows. A log in which a higher one was activated stops it.
    const VERSION: u32;

    /// From which behaviour on `command` may be written: releases before it cannot decode it. A new command, and an old one that
    /// says something new, are of a new behaviour, which is activated once every data centre knows it.
    fn since(_command: &Self::Command) -> u32 {
        1
    }

    /// The view's schema, one batch of SQL statements a version. A released one is never changed.
    ///
    /// Tables whose names begin with `derived_` are no part of the digest, so that they may differ between replicas
    /// that came to a schema at different entries. What stands in them follows from other tables, and says so by a seal
    /// of its own.
    const MIGRATIONS: &'static [&'static str];

    /// Everything that may be asked. Encoded with postcard: variants are only ever appended, and a
    /// released variant never changes.
    type Command: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// What an accepted command answers.
    type Accepted: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static;

    /// Why a command was not accepted, for whoever asked.
    type Rejected: Serialize + DeserializeOwned + Clone + std::error::Error + Send + Sync + 'static;

    /// What the domain may want done outside itself.
    type Effect: Serialize + DeserializeOwned + Clone + Debug + Send + Sync + 'static;

    /// Does what migrations cannot say in SQL, in their transaction and after them. What it makes of the tables that the
    /// digest covers depends on their content alone.
    ///
    /// # Errors
    /// When the view cannot be read or written.
    fn migrated(_db: &Connection) -> rusqlite::Result<()> {
        Ok(())
    }

    /// Applies one command. What it wrote is undone when it refuses.
    ///
    /// # Errors
    /// [`Refusal::Rejected`] is recorded as the record's outcome; [`Refusal::Local`] stops the lane where
    /// this replica's storage failed.
    fn apply(
        cx: &mut Cx<'_, Self>,
        command: Self::Command,
    ) -> Result<Self::Accepted, Refusal<Self::Rejected>>;
}

/// Why a command was not applied.
#[derive(Debug)]
pub enum Refusal<R> {
    /// The domain's rules say no. The same in every replica.
    Rejected(R),
    /// This replica's storage failed, or the domain asked it for something impossible.
    Local(rusqlite::Error),
}

impl<R> From<rusqlite::Error> for Refusal<R> {
    fn from(error: rusqlite::Error) -> Self {
        Self::Local(error)
    }
}

/// The effect of a domain that has none.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum NoEffect {}

/// What applying a record gave; kept under the record's id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Outcome<A, R> {
    /// The domain accepted it.
    Accepted(A),
    /// The domain rejected it.
    Rejected(R),
    /// The domain's code failed on it (a panic, a broken constraint). Nothing was changed.
    Defect,
}
