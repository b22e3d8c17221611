//! Rooms, their current state and their aliases.

use super::power::{self, Levels};
use bongsu_base::{IdError, Position, RoomId};
use rusqlite::{Connection, OptionalExtension, Row};

/// Who may read a room's history (Matrix v1.19, room history visibility). The order is from the most
/// open to the most closed; the numbers stand in the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// Everybody.
    WorldReadable = 0,
    /// Whoever joined at some time, all that came before too.
    Shared = 1,
    /// Whoever joined, from their invitation on.
    Invited = 2,
    /// Whoever joined, from their joining on.
    Joined = 3,
}

impl Visibility {
    /// From the word in `m.room.history_visibility`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "world_readable" => Self::WorldReadable,
            "shared" => Self::Shared,
            "invited" => Self::Invited,
            "joined" => Self::Joined,
            _ => return None,
        })
    }

    /// From the content of `m.room.history_visibility`.
    #[must_use]
    pub fn of_content(content: &str) -> Self {
        let content: serde_json::Value = serde_json::from_str(content).unwrap_or_default();
        let word = content.get("history_visibility");
        let word = word.and_then(serde_json::Value::as_str);
        word.and_then(Self::from_word).unwrap_or(Self::Shared)
    }

    /// From the number in the view.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        match number {
            0 => Self::WorldReadable,
            2 => Self::Invited,
            3 => Self::Joined,
            _ => Self::Shared,
        }
    }
}

/// A room's row.
#[derive(Debug, Clone)]
pub struct Room {
    /// Its number in this view, the same in every replica.
    pub n: i64,
    /// Its id.
    pub id: RoomId,
    /// Its version.
    pub version: String,
    /// Who made it.
    pub creator: String,
    /// Where its last event stands.
    pub changed: Position,
    /// How many notable events it has had.
    pub notable: i64,
    /// How many are in it.
    pub joined: i64,
    /// How many are invited.
    pub invited: i64,
    /// Who may read what is sent now.
    pub visibility: Visibility,
    /// Who may come in: `public`, `invite`, `knock`, `restricted`, `private`.
    pub join_rule: String,
    /// Whether it is in the directory.
    pub listed: bool,
    /// What it asks of whom.
    pub levels: Levels,
}

const COLUMNS: &str = "n, id, version, creator, changed, notable, joined, invited, visibility, join_rule, listed, power";

impl Room {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            n: row.get(0)?,
            id: parsed(1, row.get(1)?)?,
            version: row.get(2)?,
            creator: row.get(3)?,
            changed: position(row.get(4)?),
            notable: row.get(5)?,
            joined: row.get(6)?,
            invited: row.get(7)?,
            visibility: Visibility::from_number(row.get(8)?),
            join_rule: row.get(9)?,
            listed: row.get(10)?,
            levels: power::decode(11, row.get_ref(11)?.as_blob()?)?,
        })
    }

    /// The room `id`.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn by_id(db: &Connection, id: &RoomId) -> rusqlite::Result<Option<Self>> {
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM room WHERE id = ?1"))?
            .query_row([id.as_str()], Self::from_row)
            .optional()
    }

    /// The room numbered `n`.
    ///
    /// # Errors
    /// When the view cannot be read, or there is no such room.
    pub fn by_number(db: &Connection, n: i64) -> rusqlite::Result<Self> {
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM room WHERE n = ?1"))?
            .query_row([n], Self::from_row)
    }

    /// The room that `alias` points at.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn by_alias(db: &Connection, alias: &str) -> rusqlite::Result<Option<Self>> {
        let n: Option<i64> = db
            .prepare_cached("SELECT room FROM alias WHERE alias = ?1")?
            .query_row([alias], |row| row.get(0))
            .optional()?;
        n.map(|n| Self::by_number(db, n)).transpose()
    }

    /// Makes a room; its number is the position of its making.
    ///
    /// # Errors
    /// When the view cannot be written.
    pub fn insert(
        db: &Connection,
        at: Position,
        id: &RoomId,
        version: &str,
        creator: &str,
        listed: bool,
    ) -> rusqlite::Result<Self> {
        db.prepare_cached(
            "INSERT INTO room (n, id, version, creator, created, changed, listed, power)
             VALUES (?1, ?2, ?3, ?4, ?1, ?1, ?5, ?6)",
        )?
        .execute((
            at.as_i64(),
            id.as_str(),
            version,
            creator,
            listed,
            power::encode(&Levels::none()),
        ))?;
        Self::by_number(db, at.as_i64())
    }

    /// The position and content of the state event with this type and key.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn state(
        &self,
        db: &Connection,
        kind: &str,
        key: &str,
    ) -> rusqlite::Result<Option<(i64, String)>> {
        db.prepare_cached(
            "SELECT event.position, event.content FROM state JOIN event USING (position)
             WHERE state.room = ?1 AND state.type = ?2 AND state.state_key = ?3",
        )?
        .query_row((self.n, kind, key), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
    }
}

/// The aliases that point at the room numbered `room`.
///
/// # Errors
/// When the view cannot be read.
pub fn aliases(db: &Connection, room: i64) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached("SELECT alias FROM alias WHERE room = ?1 ORDER BY alias")?
        .query_map([room], |row| row.get(0))?
        .collect()
}

/// A position as the view holds it.
pub(crate) fn position(number: i64) -> Position {
    Position::from_i64(number).unwrap_or_default()
}

/// An id as the view holds it; a malformed one is a damaged view.
pub(crate) fn parsed<T: std::str::FromStr<Err = IdError>>(
    column: usize,
    text: String,
) -> rusqlite::Result<T> {
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}
