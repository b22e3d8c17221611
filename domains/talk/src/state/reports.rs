//! What people reported to the administrators.

use bongsu_base::{LogTime, Position};
use rusqlite::{Connection, Row};

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

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Who closed it.
    pub who: String,
    /// What they said.
    pub note: Option<String>,
    /// When.
    pub time: LogTime,
}

/// A report as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its number: where it was made.
    pub n: i64,
    /// Who reported.
    pub reporter: String,
    /// The room it is about, or is in.
    pub room: Option<String>,
    /// The event it is about.
    pub event: Option<String>,
    /// The person it is about.
    pub user: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub time: LogTime,
    /// What became of it.
    pub resolved: Option<Resolved>,
}

impl Kept {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let who: Option<String> = row.get(7)?;
        let resolved = who
            .map(|who| {
                Ok::<_, rusqlite::Error>(Resolved {
                    who,
                    note: row.get(8)?,
                    time: LogTime(row.get(9)?),
                })
            })
            .transpose()?;
        Ok(Self {
            n: row.get(0)?,
            reporter: row.get(1)?,
            room: row.get(2)?,
            event: row.get(3)?,
            user: row.get(4)?,
            reason: row.get(5)?,
            time: LogTime(row.get(6)?),
            resolved,
        })
    }
}

/// Up to `limit` reports before the one numbered `before`, newest first; those that are not closed, or
/// all.
///
/// # Errors
/// When the view cannot be read.
pub fn list(db: &Connection, before: i64, all: bool, limit: u32) -> rusqlite::Result<Vec<Kept>> {
    db.prepare_cached(
        "SELECT report.position, reporter, room, event, user, reason, report.time,
                resolved.who, resolved.note, resolved.time
         FROM report LEFT JOIN report_resolved AS resolved USING (position)
         WHERE report.position < ?1 AND (?2 OR resolved.who IS NULL)
         ORDER BY report.position DESC LIMIT ?3",
    )?
    .query_map((before, all, limit), Kept::from_row)?
    .collect()
}

/// Closes the report numbered `n`. Says whether there is one that was open.
///
/// # Errors
/// When the view cannot be written.
pub fn resolve(db: &Connection, n: i64, resolved: &Resolved) -> rusqlite::Result<bool> {
    let open = db
        .prepare_cached(
            "SELECT 1 FROM report WHERE position = ?1
               AND NOT EXISTS (SELECT 1 FROM report_resolved AS r WHERE r.position = report.position)",
        )?
        .exists([n])?;
    if open {
        db.prepare_cached(
            "INSERT INTO report_resolved (position, who, note, time) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((n, &resolved.who, &resolved.note, resolved.time.0))?;
    }
    Ok(open)
}
