//! Counters of failed sign-ins, by account and by network.

use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension, Result};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// Failures on one account, by its user id.
    Account(&'a str),
    /// Failures from one network.
    Address(&'a str),
}

impl<'a> Scope<'a> {
    const fn key(self) -> (i64, &'a str) {
        match self {
            Self::Account(name) => (0, name),
            Self::Address(name) => (1, name),
        }
    }
}

/// One counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// Failures since `window_start`.
    pub failures: u32,
    /// When counting began.
    pub window_start: LogTime,
    /// How often it has locked.
    pub strikes: u32,
    /// Until when it locks.
    pub locked_until: LogTime,
    /// The last failure.
    pub last: LogTime,
}

/// Reads a counter.
pub fn get(db: &Connection, scope: Scope<'_>) -> Result<Option<Counter>> {
    db.prepare_cached(
        "SELECT failures, window_start, strikes, locked_until, last FROM lockout
         WHERE scope = ?1 AND name = ?2",
    )?
    .query_row(scope.key(), |row| {
        Ok(Counter {
            failures: row.get(0)?,
            window_start: LogTime(row.get(1)?),
            strikes: row.get(2)?,
            locked_until: LogTime(row.get(3)?),
            last: LogTime(row.get(4)?),
        })
    })
    .optional()
}

/// Writes a counter.
pub fn set(db: &Connection, scope: Scope<'_>, counter: &Counter) -> Result<()> {
    let (kind, name) = scope.key();
    db.prepare_cached(
        "INSERT INTO lockout (scope, name, failures, window_start, strikes, locked_until, last)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET failures = excluded.failures,
           window_start = excluded.window_start, strikes = excluded.strikes,
           locked_until = excluded.locked_until, last = excluded.last",
    )?
    .execute((
        kind,
        name,
        counter.failures,
        counter.window_start.0,
        counter.strikes,
        counter.locked_until.0,
        counter.last.0,
    ))?;
    Ok(())
}

/// Removes a counter.
pub fn clear(db: &Connection, scope: Scope<'_>) -> Result<()> {
    db.prepare_cached("DELETE FROM lockout WHERE scope = ?1 AND name = ?2")?
        .execute(scope.key())?;
    Ok(())
}

/// Removes up to `most` counters whose last failure was before `before`, oldest first.
pub fn forget(db: &Connection, before: LogTime, most: u32) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM lockout WHERE (scope, name) IN
           (SELECT scope, name FROM lockout WHERE last < ?1 ORDER BY last, scope, name LIMIT ?2)",
    )?
    .execute((before.0, most))?;
    Ok(())
}
