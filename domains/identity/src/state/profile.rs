//! Profiles: fields with JSON values.

use bongsu_base::UserId;
use rusqlite::{Connection, OptionalExtension, Result};

/// Reads one field as JSON text.
pub fn get(db: &Connection, user: &UserId, field: &str) -> Result<Option<String>> {
    db.prepare_cached("SELECT value FROM profile WHERE user = ?1 AND field = ?2")?
        .query_row((user.as_str(), field), |row| row.get(0))
        .optional()
}

/// Reads all fields with their JSON texts, by name.
pub fn list(db: &Connection, user: &UserId) -> Result<Vec<(String, String)>> {
    db.prepare_cached("SELECT field, value FROM profile WHERE user = ?1 ORDER BY field")?
        .query_map([user.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Sets a field.
pub fn set(db: &Connection, user: &UserId, field: &str, value: &str) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO profile (user, field, value) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET value = excluded.value",
    )?
    .execute((user.as_str(), field, value))?;
    Ok(())
}

/// Removes a field.
pub fn remove(db: &Connection, user: &UserId, field: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM profile WHERE user = ?1 AND field = ?2")?
        .execute((user.as_str(), field))?;
    Ok(())
}

/// Removes all fields.
pub fn clear(db: &Connection, user: &UserId) -> Result<()> {
    db.prepare_cached("DELETE FROM profile WHERE user = ?1")?
        .execute([user.as_str()])?;
    Ok(())
}
