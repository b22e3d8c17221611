//! Browsers in which somebody is signed in.

use crate::command::oauth::NewBrowser;
use crate::secret::TokenHash;
use crate::state::id;
use bongsu_base::{DeviceId, LogTime, UserId};
use rusqlite::{Connection, OptionalExtension, Result, Row};

/// A browser's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Browser {
    /// Who is signed in.
    pub user: UserId,
    /// Its device.
    pub device: DeviceId,
    /// When they showed who they are.
    pub auth_time: LogTime,
    /// Until when they stay signed in.
    pub until: LogTime,
}

fn from_row(row: &Row<'_>) -> Result<Browser> {
    Ok(Browser {
        user: id(row, 0)?,
        device: id(row, 1)?,
        auth_time: LogTime(row.get(2)?),
        until: LogTime(row.get(3)?),
    })
}

/// The browser with this cookie.
pub fn get(db: &Connection, cookie: &TokenHash) -> Result<Option<Browser>> {
    db.prepare_cached("SELECT user, device, auth_time, until FROM oauth_browser WHERE hash = ?1")?
        .query_row([cookie.as_bytes()], from_row)
        .optional()
}

/// Writes a new browser.
pub fn insert(db: &Connection, user: &UserId, new: &NewBrowser, now: LogTime) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO oauth_browser (hash, user, device, auth_time, until) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((
        new.cookie.as_bytes(),
        user.as_str(),
        new.device.as_str(),
        now.0,
        (now + new.lasts).0,
    ))?;
    Ok(())
}

/// The browser that is this device has another cookie from now on, and its person has just shown who they are.
pub fn renew(
    db: &Connection,
    (user, device): (&UserId, &DeviceId),
    new: &NewBrowser,
    now: LogTime,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE oauth_browser SET hash = ?3, auth_time = ?4, until = ?5 WHERE user = ?1 AND device = ?2",
    )?
    .execute((
        user.as_str(),
        device.as_str(),
        new.cookie.as_bytes(),
        now.0,
        (now + new.lasts).0,
    ))
    .map(drop)
}

/// Removes the browser that is this device; whether there was one.
pub fn remove(db: &Connection, user: &UserId, device: &DeviceId) -> Result<bool> {
    let removed = db
        .prepare_cached("DELETE FROM oauth_browser WHERE user = ?1 AND device = ?2")?
        .execute((user.as_str(), device.as_str()))?;
    Ok(removed > 0)
}

/// Up to `most` browsers that were to stay signed in until before `now`.
pub fn ended(db: &Connection, now: LogTime, most: u32) -> Result<Vec<(UserId, DeviceId)>> {
    db.prepare_cached(
        "SELECT user, device FROM oauth_browser WHERE until <= ?1 ORDER BY until, hash LIMIT ?2",
    )?
    .query_map((now.0, most), |row| Ok((id(row, 0)?, id(row, 1)?)))?
    .collect()
}
