//! Events, in the order in which they were applied.

use super::rooms::{Room, Visibility, position};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use bongsu_base::{EventId, LogTime, Position, Seed};
use rusqlite::{Connection, OptionalExtension, Row};

/// An event's row.
#[derive(Debug, Clone)]
pub struct Event {
    /// Where it stands; unique over all rooms.
    pub position: Position,
    /// The unguessable part of its id.
    pub tag: i64,
    /// The number of its room.
    pub room: i64,
    /// Who sent it.
    pub sender: String,
    /// Its type.
    pub kind: String,
    /// Its state key, if it is a state event.
    pub state_key: Option<String>,
    /// When it was sent.
    pub time: LogTime,
    /// Its content, a JSON object; what a redaction left of it.
    pub content: String,
    /// The state event before it with the same key.
    pub replaces: Option<i64>,
    /// Who may read it.
    pub visibility: Visibility,
    /// The id of the event it redacts.
    pub redacts: Option<String>,
    /// Where the redaction of it stands.
    pub redacted_by: Option<i64>,
    /// The device that sent it, and the transaction id it gave.
    pub transaction: Option<(String, String)>,
}

/// The columns of [`Event::from_row`], for queries that select events.
pub const COLUMNS: &str = "event.position, event.tag, event.room, event.sender, event.type, event.state_key, event.time, \
     event.content, event.replaces, event.visibility, event.redacts, event.redacted_by, event.device, event.txn";

impl Event {
    /// Reads a row of [`COLUMNS`].
    ///
    /// # Errors
    /// When the row is not of that form.
    pub fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let device: Option<String> = row.get(12)?;
        let txn: Option<String> = row.get(13)?;
        Ok(Self {
            position: position(row.get(0)?),
            tag: row.get(1)?,
            room: row.get(2)?,
            sender: row.get(3)?,
            kind: row.get(4)?,
            state_key: row.get(5)?,
            time: LogTime(row.get(6)?),
            content: row.get(7)?,
            replaces: row.get(8)?,
            visibility: Visibility::from_number(row.get(9)?),
            redacts: row.get(10)?,
            redacted_by: row.get(11)?,
            transaction: device.zip(txn),
        })
    }

    /// The event at `position`.
    ///
    /// # Errors
    /// When the view cannot be read, or there is none.
    pub fn at(db: &Connection, position: i64) -> rusqlite::Result<Self> {
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM event WHERE position = ?1"))?
            .query_row([position], Self::from_row)
    }

    /// The event at `position`, unless it was purged.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn find(db: &Connection, position: i64) -> rusqlite::Result<Option<Self>> {
        Self::at(db, position).optional()
    }

    /// The event `id`.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn by_id(db: &Connection, id: &str) -> rusqlite::Result<Option<Self>> {
        let Some((position, tag)) = take_apart(id) else {
            return Ok(None);
        };
        db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM event WHERE position = ?1 AND tag = ?2"
        ))?
        .query_row((position, tag), Self::from_row)
        .optional()
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> EventId {
        event_id(self.position, self.tag)
    }
}

/// An event's id: `$` and 22 characters that hold its position, by which it is found without an index,
/// and a tag from the record's seed, by which it cannot be guessed.
#[must_use]
pub fn event_id(position: Position, tag: i64) -> EventId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&position.as_i64().to_be_bytes());
    bytes[8..].copy_from_slice(&tag.to_be_bytes());
    let mut text = String::with_capacity(23);
    text.push('$');
    BASE64.encode_string(bytes, &mut text);
    text.parse()
        .expect("a sigil and 22 characters are an event id")
}

fn take_apart(id: &str) -> Option<(i64, i64)> {
    let bytes: [u8; 16] = BASE64.decode(id.strip_prefix('$')?).ok()?.try_into().ok()?;
    let (position, tag) = bytes.split_at(8);
    Some((
        i64::from_be_bytes(position.try_into().ok()?),
        i64::from_be_bytes(tag.try_into().ok()?),
    ))
}

/// The tag of the event at `position` that a record with this seed makes.
#[must_use]
pub fn tag(seed: &Seed, position: Position) -> i64 {
    i64::from_be_bytes(seed.derive("talk event tag", position.as_i64() as u64))
}

/// Writes an event. `notable` is the room's count after it.
///
/// # Errors
/// When the view cannot be written.
pub fn insert(db: &Connection, room: &Room, event: &Event, notable: i64) -> rusqlite::Result<()> {
    let (device, txn) = match &event.transaction {
        Some((device, txn)) => (Some(device), Some(txn)),
        None => (None, None),
    };
    db.prepare_cached(
        "INSERT INTO event (position, tag, room, sender, type, state_key, time, content, replaces, visibility,
                            notable, redacts, device, txn)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(rusqlite::params![
        event.position.as_i64(),
        event.tag,
        room.n,
        event.sender,
        event.kind,
        event.state_key,
        event.time.0,
        event.content,
        event.replaces,
        event.visibility as i64,
        notable,
        event.redacts,
        device,
        txn,
    ])?;
    db.prepare_cached("UPDATE room SET changed = ?2, notable = ?3 WHERE n = ?1")?
        .execute((room.n, event.position.as_i64(), notable))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bongsu_base::Seq;

    #[test]
    fn an_event_id_holds_its_position() {
        let position = Position::new(Seq(77), 3);
        let id = event_id(position, -5);
        assert_eq!(id.as_str().len(), 23);
        assert_eq!(take_apart(id.as_str()), Some((position.as_i64(), -5)));
        for foreign in [
            "$",
            "$abc",
            "abc",
            "$h29iGCfs0Fzj8o8JpeyUrw5nbFDbLVOSfEeOMGrXqjM",
            "$ä",
        ] {
            assert_eq!(take_apart(foreign), None, "{foreign}");
        }
    }
}
