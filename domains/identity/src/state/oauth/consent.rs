//! What people let clients have without being asked again.

use super::client_id;
use crate::command::oauth::ClientId;
use bongsu_base::{LogTime, UserId};
use rusqlite::{Connection, OptionalExtension, Result};

/// A consent's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consented {
    /// To whom.
    pub client: ClientId,
    /// What, as scopes with a space between them.
    pub scope: String,
    /// Since when.
    pub since: LogTime,
}

/// The scopes that `user` lets `client` have.
pub fn get(db: &Connection, user: &UserId, client: &ClientId) -> Result<Option<String>> {
    db.prepare_cached("SELECT scope FROM oauth_consent WHERE user = ?1 AND client = ?2")?
        .query_row((user.as_str(), client.as_str()), |row| row.get(0))
        .optional()
}

/// All that `user` lets clients have, by client.
pub fn list(db: &Connection, user: &UserId) -> Result<Vec<Consented>> {
    db.prepare_cached(
        "SELECT client, scope, since FROM oauth_consent WHERE user = ?1 ORDER BY client",
    )?
    .query_map([user.as_str()], |row| {
        Ok(Consented {
            client: client_id(row, 0)?,
            scope: row.get(1)?,
            since: LogTime(row.get(2)?),
        })
    })?
    .collect()
}

/// Writes what `user` lets `client` have.
pub fn set(
    db: &Connection,
    user: &UserId,
    client: &ClientId,
    scope: &str,
    now: LogTime,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO oauth_consent (user, client, scope, since) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET scope = excluded.scope, since = excluded.since",
    )?
    .execute((user.as_str(), client.as_str(), scope, now.0))?;
    Ok(())
}

/// Removes it.
pub fn remove(db: &Connection, user: &UserId, client: &ClientId) -> Result<()> {
    db.prepare_cached("DELETE FROM oauth_consent WHERE user = ?1 AND client = ?2")?
        .execute((user.as_str(), client.as_str()))?;
    Ok(())
}

/// Removes all that `user` lets clients have.
pub fn clear(db: &Connection, user: &UserId) -> Result<()> {
    db.prepare_cached("DELETE FROM oauth_consent WHERE user = ?1")?
        .execute([user.as_str()])?;
    Ok(())
}
