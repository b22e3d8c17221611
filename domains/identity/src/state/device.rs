//! Devices. A device exists as long as a session on it.

use super::{id, token};
use bongsu_base::{DeviceId, LogTime, UserId};
use rusqlite::{Connection, OptionalExtension, Result, Row};

/// A device's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id, unique within its account.
    pub device: DeviceId,
    /// Its name.
    pub display_name: Option<String>,
    /// When its tokens were last made.
    pub seen: LogTime,
    /// From which network.
    pub seen_from: String,
}

/// Writes that a session begins or goes on. `name` is for a device that does not exist yet.
pub fn seen(
    db: &Connection,
    user: &UserId,
    device: &DeviceId,
    name: Option<&str>,
    address: &str,
    now: LogTime,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO device (user, device, display_name, created, seen, seen_from)
         VALUES (?1, ?2, ?3, ?4, ?4, ?5)
         ON CONFLICT DO UPDATE SET seen = excluded.seen, seen_from = excluded.seen_from",
    )?
    .execute((user.as_str(), device.as_str(), name, now.0, address))?;
    Ok(())
}

/// Writes that a session goes on, unless that was written within the hour.
pub fn seen_again(
    db: &Connection,
    user: &UserId,
    device: &DeviceId,
    address: &str,
    now: LogTime,
) -> Result<()> {
    db.prepare_cached(
        "UPDATE device SET seen = ?3, seen_from = ?4
         WHERE user = ?1 AND device = ?2 AND (seen <= ?3 - 3600000 OR seen_from <> ?4)",
    )?
    .execute((user.as_str(), device.as_str(), now.0, address))?;
    Ok(())
}

/// Renames a device; whether there was one.
pub fn rename(
    db: &Connection,
    user: &UserId,
    device: &DeviceId,
    name: Option<&str>,
) -> Result<bool> {
    let changed = db
        .prepare_cached("UPDATE device SET display_name = ?3 WHERE user = ?1 AND device = ?2")?
        .execute((user.as_str(), device.as_str(), name))?;
    Ok(changed > 0)
}

/// Deletes a device with its tokens; whether there was one.
pub fn delete(db: &Connection, user: &UserId, device: &DeviceId) -> Result<bool> {
    token::revoke(db, user, device)?;
    let changed = db
        .prepare_cached("DELETE FROM device WHERE user = ?1 AND device = ?2")?
        .execute((user.as_str(), device.as_str()))?;
    Ok(changed > 0)
}

/// Reads one device.
pub fn get(db: &Connection, user: &UserId, device: &DeviceId) -> Result<Option<Device>> {
    db.prepare_cached(
        "SELECT device, display_name, seen, seen_from FROM device WHERE user = ?1 AND device = ?2",
    )?
    .query_row((user.as_str(), device.as_str()), from_row)
    .optional()
}

/// Reads an account's devices, by id.
pub fn list(db: &Connection, user: &UserId) -> Result<Vec<Device>> {
    db.prepare_cached(
        "SELECT device, display_name, seen, seen_from FROM device WHERE user = ?1 ORDER BY device",
    )?
    .query_map([user.as_str()], from_row)?
    .collect()
}

fn from_row(row: &Row<'_>) -> Result<Device> {
    Ok(Device {
        device: id(row, 0)?,
        display_name: row.get(1)?,
        seen: LogTime(row.get(2)?),
        seen_from: row.get(3)?,
    })
}
