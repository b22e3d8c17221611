//! What sets room versions apart (Matrix v1.19, room versions), as far as it matters without federation.

use rusqlite::Connection;
use serde_json::{Map, Value};

/// Room versions that this code makes.
pub const VERSIONS: [&str; 12] = [
    "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12",
];

/// What creators have from version 12 on: more than any level that can be written down, since canonical
/// JSON ends at 2^53 - 1.
pub const CREATOR: i64 = 1 << 53;

/// A version as a number.
#[must_use]
pub fn number(version: &str) -> u32 {
    version.parse().unwrap_or(0)
}

/// Whether people may knock at a room with this join rule.
#[must_use]
pub fn knockable(version: &str, rule: &str) -> bool {
    match rule {
        "knock" => number(version) >= 7,
        "knock_restricted" => number(version) >= 10,
        _ => false,
    }
}

/// Whether being in another room lets people into a room with this join rule.
#[must_use]
pub fn restricted(version: &str, rule: &str) -> bool {
    match rule {
        "restricted" => number(version) >= 8,
        "knock_restricted" => number(version) >= 10,
        _ => false,
    }
}

/// Whether everybody in the room tells of their own server's aliases, whatever their power.
#[must_use]
pub fn aliases_rule(version: &str) -> bool {
    number(version) < 6
}

/// Whether creators stand above all levels, and in none of them.
#[must_use]
pub fn creators_rule(version: &str) -> bool {
    number(version) >= 12
}

/// The people a room's creation names as creators beside its sender.
#[must_use]
pub fn additional_creators(create: &Map<String, Value>) -> Vec<&str> {
    let listed = create
        .get("additional_creators")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    listed.iter().filter_map(Value::as_str).collect()
}

/// Gives `creators` the power of creators in the room numbered `room`.
///
/// # Errors
/// When the view cannot be written.
pub fn set_creators(db: &Connection, room: i64, creators: &[&str]) -> rusqlite::Result<()> {
    let mut insert = db.prepare_cached(
        "INSERT INTO power_user (room, user, level) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET level = excluded.level",
    )?;
    for creator in creators {
        insert.execute((room, creator, CREATOR))?;
    }
    Ok(())
}
