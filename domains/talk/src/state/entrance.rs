//! Who may come into a room without an invitation, and who may know of it.

use super::members;
use super::rooms::{Room, Visibility};
use super::version;
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;

/// Whether `user` may come into `room` because of being in another one.
///
/// # Errors
/// When the view cannot be read.
pub fn let_in(db: &Connection, room: &Room, user: &str) -> rusqlite::Result<bool> {
    for id in allowed_rooms(db, room)? {
        let Ok(id) = id.parse() else { continue };
        if let Some(other) = Room::by_id(db, &id)?
            && members::membership(db, other.n, user)? == "join"
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Somebody in `room` who may invite, in whose name those are let in who are in another room (Matrix v1.19, restricted
/// rooms); `None` when there is nobody.
///
/// # Errors
/// When the view cannot be read.
pub fn doorkeeper(db: &Connection, room: &Room) -> rusqlite::Result<Option<String>> {
    // Whoever has no level of their own has the default, so that mostly the first member will do.
    db.prepare_cached(
        "SELECT member.user FROM member LEFT JOIN power_user USING (room, user)
         WHERE room = ?1 AND membership = 'join' AND coalesce(level, ?2) >= ?3 ORDER BY member.user LIMIT 1",
    )?
    .query_row(
        (room.n, room.levels.users_default, room.levels.invite),
        |row| row.get(0),
    )
    .optional()
}

/// The rooms whose members may come into `room`; none unless its version and join rule have such.
///
/// # Errors
/// When the view cannot be read.
pub fn allowed_rooms(db: &Connection, room: &Room) -> rusqlite::Result<Vec<String>> {
    if !version::restricted(&room.version, &room.join_rule) {
        return Ok(Vec::new());
    }
    let Some((_, rules)) = room.state(db, "m.room.join_rules", "")? else {
        return Ok(Vec::new());
    };
    let rules: Value = serde_json::from_str(&rules).unwrap_or_default();
    let allow = rules["allow"].as_array();
    let rooms = allow
        .into_iter()
        .flatten()
        .filter(|rule| rule["type"] == "m.room_membership")
        .filter_map(|rule| rule["room_id"].as_str().map(str::to_owned));
    Ok(rooms.collect())
}

/// Whether `user`, or somebody unknown, may know what `room` is about: whoever is in it or could come
/// in or knock, and all the world where it is open to the world.
///
/// # Errors
/// When the view cannot be read.
pub fn may_know(db: &Connection, room: &Room, user: Option<&str>) -> rusqlite::Result<bool> {
    if room.visibility == Visibility::WorldReadable
        || room.join_rule == "public"
        || version::knockable(&room.version, &room.join_rule)
    {
        return Ok(true);
    }
    let Some(user) = user else { return Ok(false) };
    let membership = members::membership(db, room.n, user)?;
    Ok(matches!(membership.as_str(), "join" | "invite") || let_in(db, room, user)?)
}
