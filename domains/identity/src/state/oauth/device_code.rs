//! Devices without a browser that wait to be let in.

use super::{client_id, optional_id};
use crate::command::oauth::{BeginDevice, ClientId};
use crate::secret::TokenHash;
use bongsu_base::{LogTime, Millis, UserId};
use rusqlite::{Connection, OptionalExtension, Result, Row};

/// A device's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCode {
    /// What it asks with.
    pub code: TokenHash,
    /// Its client.
    pub client: ClientId,
    /// What it wants.
    pub scope: String,
    /// Until when there is time.
    pub until: LogTime,
    /// The answer.
    pub answer: Answer,
    /// When it last asked.
    pub polled: LogTime,
    /// How long it has to wait between two questions.
    pub interval: Millis,
}

/// What somebody answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet.
    Waiting,
    /// It is let in.
    Admitted {
        /// By whom.
        user: UserId,
        /// When they had last shown who they are.
        auth_time: LogTime,
    },
    /// It is turned away.
    TurnedAway,
}

const COLUMNS: &str = "hash, client, scope, until, answer, user, auth_time, polled, interval";

fn from_row(row: &Row<'_>) -> Result<DeviceCode> {
    let user: Option<UserId> = optional_id(row, 5)?;
    let auth_time: Option<i64> = row.get(6)?;
    let answer = match (row.get::<_, i64>(4)?, user, auth_time) {
        (1, Some(user), Some(auth_time)) => Answer::Admitted {
            user,
            auth_time: LogTime(auth_time),
        },
        (2, ..) => Answer::TurnedAway,
        _ => Answer::Waiting,
    };
    Ok(DeviceCode {
        code: TokenHash::from_bytes(row.get(0)?),
        client: client_id(row, 1)?,
        scope: row.get(2)?,
        until: LogTime(row.get(3)?),
        answer,
        polled: LogTime(row.get(7)?),
        interval: Millis(row.get(8)?),
    })
}

/// The device that asks with this code.
pub fn get(db: &Connection, code: &TokenHash) -> Result<Option<DeviceCode>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM oauth_device_code WHERE hash = ?1"
    ))?
    .query_row([code.as_bytes()], from_row)
    .optional()
}

/// The device whose code a person typed.
pub fn typed(db: &Connection, user_code: &str) -> Result<Option<DeviceCode>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM oauth_device_code WHERE user_code = ?1"
    ))?
    .query_row([user_code], from_row)
    .optional()
}

/// How many wait at `now`, counted up to `most`.
pub fn count(db: &Connection, now: LogTime, most: u32) -> Result<u32> {
    db.prepare_cached(
        "SELECT count(*) FROM
           (SELECT 1 FROM oauth_device_code WHERE until > ?1 ORDER BY until, hash LIMIT ?2)",
    )?
    .query_row((now.0, most), |row| row.get(0))
}

/// Writes a new device, and when it counts as having asked last.
pub fn insert(db: &Connection, new: &BeginDevice, (now, polled): (LogTime, LogTime)) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO oauth_device_code (hash, user_code, client, scope, until, answer, polled, interval)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)",
    )?
    .execute((
        new.code.as_bytes(),
        &new.user_code,
        new.client.as_str(),
        &new.scope,
        (now + new.lasts).0,
        polled.0,
        new.interval.0,
    ))?;
    Ok(())
}

/// Writes the answer.
pub fn answer(db: &Connection, code: &TokenHash, answer: &Answer) -> Result<()> {
    let (number, user, auth_time) = match answer {
        Answer::Waiting => (0, None, None),
        Answer::Admitted { user, auth_time } => (1, Some(user.as_str()), Some(auth_time.0)),
        Answer::TurnedAway => (2, None, None),
    };
    db.prepare_cached(
        "UPDATE oauth_device_code SET answer = ?2, user = ?3, auth_time = ?4 WHERE hash = ?1",
    )?
    .execute((code.as_bytes(), number, user, auth_time))?;
    Ok(())
}

/// Writes that it asked, and how long it has to wait now.
pub fn polled(db: &Connection, code: &TokenHash, at: LogTime, interval: Millis) -> Result<()> {
    db.prepare_cached("UPDATE oauth_device_code SET polled = ?2, interval = ?3 WHERE hash = ?1")?
        .execute((code.as_bytes(), at.0, interval.0))?;
    Ok(())
}

/// Removes a device.
pub fn remove(db: &Connection, code: &TokenHash) -> Result<()> {
    db.prepare_cached("DELETE FROM oauth_device_code WHERE hash = ?1")?
        .execute([code.as_bytes()])?;
    Ok(())
}

/// Removes up to `most` devices whose time ran out before `before`.
pub fn purge(db: &Connection, before: LogTime, most: u32) -> Result<()> {
    db.prepare_cached(
        "DELETE FROM oauth_device_code WHERE hash IN
           (SELECT hash FROM oauth_device_code WHERE until < ?1 ORDER BY until, hash LIMIT ?2)",
    )?
    .execute((before.0, most))?;
    Ok(())
}
