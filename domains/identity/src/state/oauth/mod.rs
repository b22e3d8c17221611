//! The OpenID provider's tables, one file a table.

pub mod browser;
pub mod client;
pub mod code;
pub mod consent;
pub mod device_code;
pub mod key;
pub mod session;
pub mod spent;

use rusqlite::{Connection, OptionalExtension, Result, Row};

/// The next value of a counter, from 1.
pub fn next(db: &Connection, counter: &str) -> Result<i64> {
    add(db, counter, 1)
}

/// Adds to a counter; gives its value after that.
pub fn add(db: &Connection, counter: &str, by: i64) -> Result<i64> {
    let value = value(db, counter)? + by;
    db.prepare_cached(
        "INSERT INTO oauth_counter (name, value) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET value = excluded.value",
    )?
    .execute((counter, value))?;
    Ok(value)
}

/// A counter's value.
fn value(db: &Connection, counter: &str) -> Result<i64> {
    let found = db
        .prepare_cached("SELECT value FROM oauth_counter WHERE name = ?1")?
        .query_row([counter], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0))
}

/// Reads an optional id.
fn optional_id<T>(row: &Row<'_>, index: usize) -> Result<Option<T>>
where
    T: std::str::FromStr<Err = bongsu_base::IdError>,
{
    let there = row.get_ref(index)? != rusqlite::types::ValueRef::Null;
    there.then(|| super::id(row, index)).transpose()
}

/// Reads a client's id.
fn client_id(row: &Row<'_>, index: usize) -> Result<crate::command::oauth::ClientId> {
    let text = row.get_ref(index)?.as_str()?;
    text.parse().map_err(|error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(index, kind, Box::new(error))
    })
}
