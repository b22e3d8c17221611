//! The provider's keys.

use crate::command::oauth::{KeyKind, SealId, Sealed};
use bongsu_base::LogTime;
use rusqlite::{Connection, OptionalExtension, Result, Row};

/// A key's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub kid: String,
    /// What it is for.
    pub kind: KeyKind,
    /// Its public half, a JWK; empty where there is none.
    pub public: String,
    /// Itself.
    pub sealed: Sealed,
    /// When it was made.
    pub made: LogTime,
    /// From when it is used.
    pub signs_from: LogTime,
    /// From when it is not shown any more; `None` for the newest of its kind.
    pub gone_from: Option<LogTime>,
}

const COLUMNS: &str = "kid, kind, public, sealed, sealed_with, made, signs_from, gone_from";

const fn number(kind: KeyKind) -> i64 {
    match kind {
        KeyKind::Refresh => 0,
        KeyKind::EdDsa => 1,
        KeyKind::Es256 => 2,
        KeyKind::Rs256 => 3,
    }
}

fn from_row(row: &Row<'_>) -> Result<Key> {
    let kind: i64 = row.get(1)?;
    let kind = KeyKind::ALL.into_iter().find(|one| number(*one) == kind);
    Ok(Key {
        kid: row.get(0)?,
        kind: kind.ok_or(rusqlite::Error::IntegralValueOutOfRange(1, row.get(1)?))?,
        public: row.get(2)?,
        sealed: Sealed {
            bytes: row.get(3)?,
            with: SealId(row.get(4)?),
        },
        made: LogTime(row.get(5)?),
        signs_from: LogTime(row.get(6)?),
        gone_from: row.get::<_, Option<i64>>(7)?.map(LogTime),
    })
}

/// All keys, by kind and by when they are used.
pub fn all(db: &Connection) -> Result<Vec<Key>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM oauth_key ORDER BY kind, signs_from, kid"
    ))?
    .query_map((), from_row)?
    .collect()
}

/// The newest key of a kind.
pub fn newest(db: &Connection, kind: KeyKind) -> Result<Option<Key>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM oauth_key WHERE kind = ?1 AND gone_from IS NULL"
    ))?
    .query_row([number(kind)], from_row)
    .optional()
}

/// Whether there is a key of this name.
pub fn is_there(db: &Connection, kid: &str) -> Result<bool> {
    db.prepare_cached("SELECT 1 FROM oauth_key WHERE kid = ?1")?
        .exists([kid])
}

/// Writes a key.
pub fn insert(db: &Connection, key: &Key) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO oauth_key (kid, kind, public, sealed, sealed_with, made, signs_from, gone_from)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute((
        &key.kid,
        number(key.kind),
        &key.public,
        &key.sealed.bytes,
        key.sealed.with.0,
        key.made.0,
        key.signs_from.0,
        key.gone_from.map(|at| at.0),
    ))?;
    Ok(())
}

/// Says from when a key is not shown any more.
pub fn retire(db: &Connection, kid: &str, gone_from: LogTime) -> Result<()> {
    db.prepare_cached("UPDATE oauth_key SET gone_from = ?2 WHERE kid = ?1")?
        .execute((kid, gone_from.0))?;
    Ok(())
}

/// Removes what is not shown any more.
pub fn purge(db: &Connection, now: LogTime) -> Result<()> {
    db.prepare_cached("DELETE FROM oauth_key WHERE gone_from <= ?1")?
        .execute([now.0])?;
    Ok(())
}
