//! What people reported to the administrators.

use bongsu_base::{LogTime, Position};
use rusqlite::Connection;

/// A report.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// Who reports.
    pub reporter: &'a str,
    /// The room it is about, or is in.
    pub room: Option<&'a str>,
    /// The event it is about.
    pub event: Option<&'a str>,
    /// The person it is about.
    pub user: Option<&'a str>,
    /// Why, for people to read.
    pub reason: Option<&'a str>,
    /// When.
    pub time: LogTime,
}

/// Keeps a report.
///
/// # Errors
/// When the view cannot be written.
pub fn insert(db: &Connection, at: Position, report: &Report<'_>) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO report (position, reporter, room, event, user, reason, time)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        at.as_i64(),
        report.reporter,
        report.room,
        report.event,
        report.user,
        report.reason,
        report.time.0,
    ))
    .map(drop)
}
