//! What lets a second device of a person sign in once.

use crate::secret::TokenHash;
use bongsu_base::{LogTime, UserId};
use rusqlite::{Connection, OptionalExtension, Result};

/// A token that somebody may sign in with.
pub struct LoginToken {
    /// Whose account it opens.
    pub user: UserId,
    /// Which of the account's passwords it was made with.
    pub generation: u32,
    /// From when it is worth nothing.
    pub until: LogTime,
}

/// The token with this hash.
pub fn get(db: &Connection, hash: &TokenHash) -> Result<Option<LoginToken>> {
    db.prepare_cached("SELECT user, generation, until FROM login_token WHERE hash = ?1")?
        .query_row([hash.as_bytes()], |row| {
            Ok(LoginToken {
                user: super::id(row, 0)?,
                generation: row.get(1)?,
                until: LogTime(row.get(2)?),
            })
        })
        .optional()
}

/// Adds one. Of a hash that is there already the first stays.
pub fn insert(
    db: &Connection,
    hash: &TokenHash,
    user: &UserId,
    generation: u32,
    until: LogTime,
) -> Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO login_token (hash, user, generation, until) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((hash.as_bytes(), user.as_str(), generation, until.0))?;
    Ok(())
}

/// Removes one.
pub fn remove(db: &Connection, hash: &TokenHash) -> Result<()> {
    db.prepare_cached("DELETE FROM login_token WHERE hash = ?1")?
        .execute([hash.as_bytes()])?;
    Ok(())
}

/// Removes those that are worth nothing at `now`.
pub fn purge(db: &Connection, now: LogTime) -> Result<()> {
    db.prepare_cached("DELETE FROM login_token WHERE until <= ?1")?
        .execute([now.0])?;
    Ok(())
}
