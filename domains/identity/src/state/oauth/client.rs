//! Clients.

use super::client_id;
use crate::command::oauth::{ClientId, NewClient};
use crate::secret::TokenHash;
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension, Result, Row};

/// A client's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRow {
    /// Its id.
    pub client: ClientId,
    /// What it said of itself, as JSON.
    pub metadata: String,
    /// Its secret.
    pub secret: Option<TokenHash>,
    /// The one before, and until when it is taken too.
    pub old_secret: Option<(TokenHash, LogTime)>,
    /// Where it is told that somebody signed out.
    pub logout_uri: Option<String>,
    /// Whether people are not asked before it learns of them.
    pub trusted: bool,
    /// Whether it registered itself.
    pub registered: bool,
    /// When it was made.
    pub made: LogTime,
}

const COLUMNS: &str =
    "client, metadata, secret, old_secret, old_until, logout_uri, trusted, registered, made";

fn from_row(row: &Row<'_>) -> Result<ClientRow> {
    let hash = |index| -> Result<Option<TokenHash>> {
        let bytes: Option<[u8; 32]> = row.get(index)?;
        Ok(bytes.map(TokenHash::from_bytes))
    };
    let until: Option<i64> = row.get(4)?;
    Ok(ClientRow {
        client: client_id(row, 0)?,
        metadata: row.get(1)?,
        secret: hash(2)?,
        old_secret: hash(3)?.zip(until.map(LogTime)),
        logout_uri: row.get(5)?,
        trusted: row.get(6)?,
        registered: row.get(7)?,
        made: LogTime(row.get(8)?),
    })
}

/// Reads a client.
pub fn get(db: &Connection, client: &ClientId) -> Result<Option<ClientRow>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM oauth_client WHERE client = ?1"
    ))?
    .query_row([client.as_str()], from_row)
    .optional()
}

/// Whether there is such a client.
pub fn is_there(db: &Connection, client: &ClientId) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM oauth_client WHERE client = ?1")?
        .exists([client.as_str()])
}

/// Whether people are not asked before it learns of them.
pub fn is_trusted(db: &Connection, client: &ClientId) -> Result<Option<bool>> {
    db.prepare_cached("SELECT trusted FROM oauth_client WHERE client = ?1")?
        .query_row([client.as_str()], |row| row.get(0))
        .optional()
}

/// Where it is told that somebody signed out.
pub fn logout_uri(db: &Connection, client: &ClientId) -> Result<Option<String>> {
    let found = db
        .prepare_cached("SELECT logout_uri FROM oauth_client WHERE client = ?1")?
        .query_row([client.as_str()], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
}

/// Up to `limit` clients after `after`, by id.
pub fn list(db: &Connection, after: &str, limit: usize) -> Result<Vec<ClientRow>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM oauth_client WHERE client > ?1 ORDER BY client LIMIT ?2"
    ))?
    .query_map((after, limit as i64), from_row)?
    .collect()
}

/// Writes a new client.
pub fn insert(
    db: &Connection,
    client: &ClientId,
    new: &NewClient,
    registered: bool,
    now: LogTime,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO oauth_client (client, metadata, secret, logout_uri, trusted, registered, made)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        client.as_str(),
        &new.metadata,
        new.secret.as_ref().map(TokenHash::as_bytes),
        &new.logout_uri,
        new.trusted,
        registered,
        now.0,
    ))?;
    Ok(())
}

/// Gives a client a new secret; the one before is taken until `until`.
pub fn set_secret(
    db: &Connection,
    client: &ClientId,
    secret: &TokenHash,
    until: LogTime,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE oauth_client SET old_secret = secret, old_until = ?3, secret = ?2 WHERE client = ?1",
    )?
    .execute((client.as_str(), secret.as_bytes(), until.0))?;
    Ok(())
}

/// Removes a client.
pub fn remove(db: &Connection, client: &ClientId) -> Result<()> {
    db.prepare_cached("DELETE FROM oauth_client WHERE client = ?1")?
        .execute([client.as_str()])?;
    Ok(())
}
