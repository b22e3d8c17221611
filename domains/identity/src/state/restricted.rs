//! Accounts that may do less than others.

use bongsu_base::UserId;
use rusqlite::{Connection, OptionalExtension, Result};

/// What an account may not do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restricted {
    /// Anything but signing out.
    pub locked: bool,
    /// Saying anything to others.
    pub suspended: bool,
}

/// Reads an account's restrictions.
pub fn get(db: &Connection, user: &UserId) -> Result<Restricted> {
    let found = db
        .prepare_cached("SELECT locked, suspended FROM restricted WHERE user = ?1")?
        .query_row([user.as_str()], |row| {
            Ok(Restricted {
                locked: row.get(0)?,
                suspended: row.get(1)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Writes an account's restrictions.
pub fn set(db: &Connection, user: &UserId, restricted: Restricted) -> Result<()> {
    if restricted == Restricted::default() {
        db.prepare_cached("DELETE FROM restricted WHERE user = ?1")?
            .execute([user.as_str()])?;
        return Ok(());
    }
    db.prepare_cached(
        "INSERT INTO restricted (user, locked, suspended) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET locked = excluded.locked, suspended = excluded.suspended",
    )?
    .execute((user.as_str(), restricted.locked, restricted.suspended))?;
    Ok(())
}
