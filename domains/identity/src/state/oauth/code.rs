//! Authorization codes.

use crate::command::oauth::{Granted, SessionNo};
use crate::secret::TokenHash;
use crate::state::id;
use bongsu_base::{LogTime, UserId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result};

/// A code's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// What it stands for.
    pub granted: Granted,
    /// Who granted it.
    pub user: UserId,
    /// Until when it is good.
    pub until: LogTime,
    /// The session that was begun with it.
    pub session: Option<SessionNo>,
}

/// Reads a code.
pub fn get(db: &Connection, code: &TokenHash) -> Result<Option<Code>> {
    db.prepare_cached("SELECT body, user, until, session FROM oauth_code WHERE hash = ?1")?
        .query_row([code.as_bytes()], |row| {
            let granted = postcard::from_bytes(row.get_ref(0)?.as_blob()?);
            let damaged = |error: postcard::Error| {
                rusqlite::Error::FromSqlConversionFailure(0, Type::Blob, Box::new(error))
            };
            Ok(Code {
                granted: granted.map_err(damaged)?,
                user: id(row, 1)?,
                until: LogTime(row.get(2)?),
                session: row.get::<_, Option<i64>>(3)?.map(SessionNo),
            })
        })
        .optional()
}

/// Writes a code.
pub fn insert(db: &Connection, code: &TokenHash, row: &Code) -> Result<()> {
    let body = postcard::to_stdvec(&row.granted).expect("plain data");
    db.prepare_cached(
        "INSERT INTO oauth_code (hash, body, user, until, session) VALUES (?1, ?2, ?3, ?4, NULL)",
    )?
    .execute((code.as_bytes(), body, row.user.as_str(), row.until.0))?;
    Ok(())
}

/// Writes which session was begun with a code. It is remembered until `until`, so that a second use is noticed.
pub fn spend(db: &Connection, code: &TokenHash, session: SessionNo, until: LogTime) -> Result<()> {
    db.prepare_cached("UPDATE oauth_code SET session = ?2, until = ?3 WHERE hash = ?1")?
        .execute((code.as_bytes(), session.0, until.0))?;
    Ok(())
}

/// Removes up to `most` codes that ran out before `before`.
pub fn purge(db: &Connection, before: LogTime, most: u32) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM oauth_code WHERE hash IN
           (SELECT hash FROM oauth_code WHERE until < ?1 ORDER BY until, hash LIMIT ?2)",
    )?
    .execute((before.0, most))?;
    Ok(())
}
