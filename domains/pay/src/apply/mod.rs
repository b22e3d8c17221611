//! Applying commands: one file a verb with its rules and their tests.
//!
//! A refusal under a key is an accepted command, since the key keeps it: a rule therefore refuses before it writes.

mod administer;
mod ask;
mod bank;
mod bill;
mod code;
mod dispute;
mod link;
mod money;
mod purchase;
mod review;
mod subscription;
mod sweep;
mod transfer;
mod wallet;
mod webhook;

/// What the lines of the books are of.
pub use money::code as codes;

use crate::Pay;
use crate::answer::Refused;
use crate::command::{Accepted, Command, Rejected};
use bongsu_lane::Refusal;

type Cx<'a> = bongsu_lane::Cx<'a, Pay>;
type Verdict = Result<Accepted, Refusal<Rejected>>;
type Ruled<T> = Result<T, Stop>;

/// Why a rule stops.
#[derive(Debug)]
enum Stop {
    /// It says no, and has written nothing.
    Refused(Refused),
    /// It says no, and what was written is to be undone: the key is not kept.
    Undone(Refused),
    /// This replica's storage failed.
    Storage(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error)
    }
}

impl From<Refused> for Stop {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Stop> for Refusal<Rejected> {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refused) | Stop::Undone(refused) => Self::Rejected(refused.into()),
            Stop::Storage(error) => Self::Local(error),
        }
    }
}

/// Applies one command.
pub fn apply(cx: &mut Cx<'_>, command: Command) -> Verdict {
    match command {
        Command::Ask(command) => ask::apply(cx, &command),
        Command::Close { by, key } => ask::close(cx, &by, &key),
        Command::Administer(command) => administer::apply(cx, &command),
        Command::BankSaid { order, said } => bank::said(cx, &order, &said),
        Command::Sweep { most } => sweep::apply(cx, most),
        Command::SetAside { order, said, why } => bank::set_aside(cx, &order, (&said, why)),
        Command::Tried(all) => webhook::tried(cx, &all),
    }
}

fn reject(why: Rejected) -> Refusal<Rejected> {
    Refusal::Rejected(why)
}
