//! The view's tables and typed access to them, one file a table. Nothing here decides anything.

pub mod account;
pub mod device;
pub mod lockout;
pub mod login_token;
pub mod oauth;
pub mod profile;
pub mod restricted;
pub mod token;

use rusqlite::Row;
use rusqlite::types::Type;
use std::str::FromStr;

/// Reads a text id from column `index`. The view holds only ids that were well-formed when written; a
/// file in which one is not has been damaged.
fn id<T>(row: &Row<'_>, index: usize) -> rusqlite::Result<T>
where
    T: FromStr<Err = bongsu_base::IdError>,
{
    let text = row.get_ref(index)?.as_str()?;
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
    })
}
