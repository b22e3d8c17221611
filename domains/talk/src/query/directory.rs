//! The directory of rooms, the fullest first.

use super::describe::{Described, describe};
use super::history::Direction;
use crate::state::rooms::Room;
use rusqlite::Connection;

/// How many rooms are looked at for one page, at most, when few are what is looked for.
const LOOK: usize = 2_000;

/// Which rooms stand in the directory: those that were listed, that somebody is in, and that one may look at or ask to
/// come into without being invited (Matrix v1.19, `GET /publicRooms`, `join_rule`).
const SHOWN: &str = "listed = 1 AND joined > 0
    AND (join_rule NOT IN ('invite', 'private') OR visibility = 0)";

/// A place in the directory: how many are in the room that stands there, and its number.
pub type Mark = (i64, i64);

/// Which part of the directory is wanted.
#[derive(Debug, Clone, Default)]
pub struct ListWanted {
    /// From where on; the first page has none.
    pub from: Option<(Direction, Mark)>,
    /// How many rooms, at most.
    pub limit: usize,
    /// What their name, topic or alias contains, in lower case.
    pub term: Option<String>,
    /// Which kinds are wanted, if not all; `None` is a room for conversation.
    pub kinds: Vec<Option<String>>,
}

/// A page of the directory.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    /// Its rooms, the fullest first.
    pub rooms: Vec<Described>,
    /// Where the next page begins, if there is one.
    pub next: Option<Mark>,
    /// Where the page before ends, if there is one.
    pub before: Option<Mark>,
    /// How many rooms are listed at all.
    pub total: i64,
}

/// Reads a page of the directory.
///
/// # Errors
/// When the view cannot be read.
pub fn list(db: &Connection, wanted: &ListWanted) -> rusqlite::Result<Listed> {
    let (direction, from) = wanted
        .from
        .unwrap_or((Direction::Forward, (i64::MAX, i64::MAX)));
    let (sign, order) = match direction {
        Direction::Forward => ("<", "DESC"),
        Direction::Backward => (">", "ASC"),
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT joined, n FROM room WHERE {SHOWN} AND (joined, n) {sign} (?1, ?2)
         ORDER BY joined {order}, n {order}"
    ))?;
    let mut rows = statement.query(from)?;
    let mut rooms = Vec::new();
    let (mut last, mut looked, mut more) = (None, 0, false);
    while let Some(row) = rows.next()? {
        if rooms.len() == wanted.limit || looked == LOOK {
            more = true;
            break;
        }
        let mark: Mark = (row.get(0)?, row.get(1)?);
        looked += 1;
        last = Some(mark);
        let room = describe(db, Room::by_number(db, mark.1)?)?;
        if wanted.admits(&room) {
            rooms.push(room);
        }
    }
    let end = last.filter(|_| more);
    let back = wanted.from.and(rooms.first().map(mark));
    let (next, before) = match direction {
        Direction::Forward => (end, back),
        Direction::Backward => (back, end),
    };
    if direction == Direction::Backward {
        rooms.reverse();
    }
    let total = db
        .prepare_cached(&format!("SELECT count(*) FROM room WHERE {SHOWN}"))?
        .query_row([], |row| row.get(0))?;
    Ok(Listed {
        rooms,
        next,
        before,
        total,
    })
}

fn mark(room: &Described) -> Mark {
    (room.room.joined, room.room.n)
}

impl ListWanted {
    fn admits(&self, room: &Described) -> bool {
        if !self.kinds.is_empty() && !self.kinds.contains(&room.kind) {
            return false;
        }
        let Some(term) = &self.term else { return true };
        [&room.name, &room.topic, &room.alias]
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(term))
    }
}
