//! What a room is about, for those who look at it from outside.

use crate::state::entrance::allowed_rooms;
use crate::state::rooms::{Room, Visibility};
use rusqlite::Connection;
use serde_json::Value;

/// A room as it is shown to those who look for one.
#[derive(Debug, Clone)]
pub struct Described {
    /// The room.
    pub room: Room,
    /// Its name.
    pub name: Option<String>,
    /// What is spoken of in it.
    pub topic: Option<String>,
    /// What it calls itself.
    pub alias: Option<String>,
    /// Its picture, an `mxc://` URI.
    pub avatar: Option<String>,
    /// What kind of room it is, if not one for conversation.
    pub kind: Option<String>,
    /// How it is encrypted.
    pub encryption: Option<String>,
    /// Whether everybody may read it.
    pub world_readable: bool,
    /// Whether guests may come in.
    pub guests: bool,
    /// The rooms whose members may come in.
    pub allowed: Vec<String>,
}

/// Describes `room`.
///
/// # Errors
/// When the view cannot be read.
pub fn describe(db: &Connection, room: Room) -> rusqlite::Result<Described> {
    let field = |kind: &str, name: &str| -> rusqlite::Result<Option<String>> {
        let found = room.state(db, kind, "")?;
        Ok(found.and_then(|(_, content)| text(&content, name)))
    };
    Ok(Described {
        name: field("m.room.name", "name")?,
        topic: field("m.room.topic", "topic")?,
        alias: field("m.room.canonical_alias", "alias")?,
        avatar: field("m.room.avatar", "url")?,
        kind: field("m.room.create", "type")?,
        encryption: field("m.room.encryption", "algorithm")?,
        world_readable: room.visibility == Visibility::WorldReadable,
        guests: field("m.room.guest_access", "guest_access")?.as_deref() == Some("can_join"),
        allowed: allowed_rooms(db, &room)?,
        room,
    })
}

fn text(content: &str, name: &str) -> Option<String> {
    let content: Value = serde_json::from_str(content).ok()?;
    let found = content.get(name)?.as_str()?;
    (!found.is_empty()).then(|| found.to_owned())
}
