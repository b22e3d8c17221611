//! Access and refresh tokens, as hashes.

use super::id;
use crate::secret::TokenHash;
use bongsu_base::{DeviceId, LogTime, Position, UserId};
use rusqlite::{Connection, OptionalExtension, Result};

/// How many spent refresh tokens of a session are remembered, to notice that one is used again.
pub const SPENT_KEPT: u32 = 8;

/// To whom an access token was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The person.
    pub user: UserId,
    /// The device.
    pub device: DeviceId,
    /// When the token ends by itself.
    pub expires: Option<LogTime>,
    /// Whether the refresh token that it was made from is still good, because it was not used yet.
    pub unconfirmed: bool,
}

/// Where a refresh token stands in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is the newest.
    Current,
    /// The current one was made from it. A client that lost the answer has only this one.
    Previous,
    /// A later one has been used, or the access token that came with it.
    Spent,
}

impl Standing {
    const fn number(self) -> i64 {
        match self {
            Self::Current => 0,
            Self::Previous => 1,
            Self::Spent => 2,
        }
    }
}

/// Reads to whom an access token was given.
pub fn holder(db: &Connection, hash: &TokenHash) -> Result<Option<Holder>> {
    db.prepare_cached(
        "SELECT user, device, expires,
           EXISTS (SELECT 1 FROM refresh_token AS refresh
                   WHERE refresh.user = access.user AND refresh.device = access.device AND standing = 1)
         FROM access_token AS access WHERE hash = ?1",
    )?
    .query_row([hash.as_bytes()], |row| {
        let expires = row.get::<_, Option<i64>>(2)?.map(LogTime);
        Ok(Holder {
            user: id(row, 0)?,
            device: id(row, 1)?,
            expires,
            unconfirmed: row.get(3)?,
        })
    })
    .optional()
}

/// Reads when the access token of a device ends; `None` when the device has none.
pub fn expiry(
    db: &Connection,
    user: &UserId,
    device: &DeviceId,
) -> Result<Option<Option<LogTime>>> {
    db.prepare_cached("SELECT expires FROM access_token WHERE user = ?1 AND device = ?2")?
        .query_row((user.as_str(), device.as_str()), |row| {
            row.get::<_, Option<i64>>(0)
        })
        .optional()
        .map(|found| found.map(|expires| expires.map(LogTime)))
}

/// Gives a device its one access token; the one before ends.
pub fn set_access(
    db: &Connection,
    user: &UserId,
    device: &DeviceId,
    hash: &TokenHash,
    expires: Option<LogTime>,
) -> Result<()> {
    db.prepare_cached("DELETE FROM access_token WHERE user = ?1 AND device = ?2")?
        .execute((user.as_str(), device.as_str()))?;
    db.prepare_cached(
        "INSERT INTO access_token (hash, user, device, expires) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute((
        hash.as_bytes(),
        user.as_str(),
        device.as_str(),
        expires.map(|at| at.0),
    ))?;
    Ok(())
}

/// Reads where a refresh token stands, and in whose session.
pub fn refresh(db: &Connection, hash: &TokenHash) -> Result<Option<(UserId, DeviceId, Standing)>> {
    db.prepare_cached("SELECT user, device, standing FROM refresh_token WHERE hash = ?1")?
        .query_row([hash.as_bytes()], |row| {
            let standing = match row.get(2)? {
                0 => Standing::Current,
                1 => Standing::Previous,
                2 => Standing::Spent,
                other => return Err(rusqlite::Error::IntegralValueOutOfRange(2, other)),
            };
            Ok((id(row, 0)?, id(row, 1)?, standing))
        })
        .optional()
}

/// Writes a device's current refresh token.
pub fn add_refresh(
    db: &Connection,
    user: &UserId,
    device: &DeviceId,
    hash: &TokenHash,
    at: Position,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO refresh_token (hash, user, device, standing, since) VALUES (?1, ?2, ?3, 0, ?4)",
    )?
    .execute((hash.as_bytes(), user.as_str(), device.as_str(), at.as_i64()))?;
    Ok(())
}

/// Moves whatever stands at `from` in a session to `to`.
pub fn move_refresh(
    db: &Connection,
    user: &UserId,
    device: &DeviceId,
    (from, to): (Standing, Standing),
    at: Position,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE refresh_token SET standing = ?4, since = ?5
         WHERE user = ?1 AND device = ?2 AND standing = ?3",
    )?
    .execute((
        user.as_str(),
        device.as_str(),
        from.number(),
        to.number(),
        at.as_i64(),
    ))?;
    Ok(())
}

/// Forgets all but the last [`SPENT_KEPT`] spent refresh tokens of a session.
pub fn forget_spent(db: &Connection, user: &UserId, device: &DeviceId) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM refresh_token WHERE hash IN
           (SELECT hash FROM refresh_token WHERE user = ?1 AND device = ?2 AND standing = 2
            ORDER BY since DESC, hash LIMIT -1 OFFSET ?3)",
    )?
    .execute((user.as_str(), device.as_str(), SPENT_KEPT))?;
    Ok(())
}

/// Ends all tokens of a device.
pub fn revoke(db: &Connection, user: &UserId, device: &DeviceId) -> Result<()> {
    let of = (user.as_str(), device.as_str());
    db.prepare_cached("DELETE FROM access_token WHERE user = ?1 AND device = ?2")?
        .execute(of)?;
    db.prepare_cached("DELETE FROM refresh_token WHERE user = ?1 AND device = ?2")?
        .execute(of)?;
    Ok(())
}
