//! Who may do what in a room: `m.room.power_levels`, taken apart so that a look at one person's level
//! does not depend on how many have one.

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The levels that a room asks for, without those of single people. Defaults as in Matrix v1.19,
/// `m.room.power_levels`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// What somebody without a level of their own has.
    pub users_default: i64,
    /// What a message event needs.
    pub events_default: i64,
    /// What a state event needs.
    pub state_default: i64,
    /// What inviting needs.
    pub invite: i64,
    /// What kicking needs.
    pub kick: i64,
    /// What banning needs.
    pub ban: i64,
    /// What redacting somebody else's event needs.
    pub redact: i64,
    /// What events of single types need.
    pub events: BTreeMap<String, i64>,
}

impl Levels {
    /// What a room without `m.room.power_levels` asks for.
    #[must_use]
    pub fn none() -> Self {
        Self {
            users_default: 0,
            events_default: 0,
            state_default: 0,
            invite: 0,
            kick: 50,
            ban: 50,
            redact: 50,
            events: BTreeMap::new(),
        }
    }

    /// What sending an event of `kind` needs.
    #[must_use]
    pub fn event(&self, kind: &str, is_state: bool) -> i64 {
        let default = if is_state {
            self.state_default
        } else {
            self.events_default
        };
        self.events.get(kind).copied().unwrap_or(default)
    }
}

/// A whole `m.room.power_levels`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PowerLevels {
    /// What the room asks for.
    pub levels: Levels,
    /// What single people have.
    pub users: BTreeMap<String, i64>,
}

impl PowerLevels {
    /// Reads an event's content. Levels must be integers (room version 10).
    ///
    /// # Errors
    /// When a field has another type; the text names it.
    pub fn parse(content: &Map<String, Value>) -> Result<Self, String> {
        let level = |name: &str, default: i64| match content.get(name) {
            None => Ok(default),
            Some(value) => value
                .as_i64()
                .ok_or_else(|| format!("`{name}` is not an integer")),
        };
        let levels = |name: &str| match content.get(name) {
            None => Ok(BTreeMap::new()),
            Some(Value::Object(map)) => map
                .iter()
                .map(|(key, value)| match value.as_i64() {
                    Some(level) => Ok((key.clone(), level)),
                    None => Err(format!("`{name}.{key}` is not an integer")),
                })
                .collect(),
            Some(_) => Err(format!("`{name}` is not an object")),
        };
        Ok(Self {
            levels: Levels {
                users_default: level("users_default", 0)?,
                events_default: level("events_default", 0)?,
                state_default: level("state_default", 50)?,
                invite: level("invite", 0)?,
                kick: level("kick", 50)?,
                ban: level("ban", 50)?,
                redact: level("redact", 50)?,
                events: levels("events")?,
            },
            users: levels("users")?,
        })
    }

    /// The level of `user`.
    #[must_use]
    pub fn user(&self, user: &str) -> i64 {
        self.users
            .get(user)
            .copied()
            .unwrap_or(self.levels.users_default)
    }
}

/// The level of `user` in the room numbered `room`.
///
/// # Errors
/// When the view cannot be read.
pub fn user_level(
    db: &Connection,
    room: i64,
    levels: &Levels,
    user: &str,
) -> rusqlite::Result<i64> {
    let own: Option<i64> = db
        .prepare_cached("SELECT level FROM power_user WHERE room = ?1 AND user = ?2")?
        .query_row((room, user), |row| row.get(0))
        .optional()?;
    Ok(own.unwrap_or(levels.users_default))
}

/// Puts `power` into force in the room numbered `room`.
///
/// # Errors
/// When the view cannot be written.
pub fn set(db: &Connection, room: i64, power: &PowerLevels) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE room SET power = ?2 WHERE n = ?1")?
        .execute((room, encode(&power.levels)))?;
    db.prepare_cached("DELETE FROM power_user WHERE room = ?1")?
        .execute([room])?;
    let mut insert =
        db.prepare_cached("INSERT INTO power_user (room, user, level) VALUES (?1, ?2, ?3)")?;
    for (user, level) in &power.users {
        insert.execute((room, user, level))?;
    }
    Ok(())
}

/// The form in which a room's row holds its levels.
#[must_use]
pub fn encode(levels: &Levels) -> Vec<u8> {
    postcard::to_stdvec(levels).expect("levels are plain data")
}

/// Reads what [`encode`] wrote.
pub(crate) fn decode(column: usize, bytes: &[u8]) -> rusqlite::Result<Levels> {
    postcard::from_bytes(bytes).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Blob,
            Box::new(error),
        )
    })
}
