//! Who is in which room, and from when to when.

use super::rooms::position;
use bongsu_base::Position;
use rusqlite::{Connection, OptionalExtension};

/// Somebody's membership in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// `join`, `invite`, `leave`, `ban` or `knock`.
    pub membership: String,
    /// Where the event of it stands.
    pub position: Position,
    /// How they show themselves there.
    pub displayname: Option<String>,
    /// The picture they show there.
    pub avatar_url: Option<String>,
    /// Whether they want to hear of the room no more.
    pub forgotten: bool,
}

/// The membership of `user` in the room numbered `room`.
///
/// # Errors
/// When the view cannot be read.
pub fn member(db: &Connection, room: i64, user: &str) -> rusqlite::Result<Option<Member>> {
    db.prepare_cached(
        "SELECT membership, position, displayname, avatar_url, forgotten FROM member
         WHERE room = ?1 AND user = ?2",
    )?
    .query_row((room, user), |row| {
        Ok(Member {
            membership: row.get(0)?,
            position: position(row.get(1)?),
            displayname: row.get(2)?,
            avatar_url: row.get(3)?,
            forgotten: row.get(4)?,
        })
    })
    .optional()
}

/// The membership's word, `leave` for somebody who never had to do with the room.
///
/// # Errors
/// When the view cannot be read.
pub fn membership(db: &Connection, room: i64, user: &str) -> rusqlite::Result<String> {
    Ok(member(db, room, user)?.map_or_else(|| "leave".to_owned(), |member| member.membership))
}

/// What a membership event makes of somebody's membership.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The room's number.
    pub room: i64,
    /// The person.
    pub user: &'a str,
    /// The new membership.
    pub membership: &'a str,
    /// Where its event stands.
    pub position: Position,
    /// How they show themselves.
    pub displayname: Option<&'a str>,
    /// The picture they show.
    pub avatar_url: Option<&'a str>,
}

/// Puts a membership into force, with the room's counts and the person's stay.
///
/// # Errors
/// When the view cannot be written.
pub fn set(db: &Connection, change: &Change<'_>) -> rusqlite::Result<()> {
    let Change {
        room,
        user,
        membership,
        position,
        displayname,
        avatar_url,
    } = *change;
    let before = self::membership(db, room, user)?;
    db.prepare_cached(
        "INSERT INTO member (room, user, membership, position, displayname, avatar_url) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET membership = excluded.membership, position = excluded.position,
           displayname = excluded.displayname, avatar_url = excluded.avatar_url, forgotten = 0",
    )?
    .execute((room, user, membership, position.as_i64(), displayname, avatar_url))?;
    let delta = |word: &str| i64::from(membership == word) - i64::from(before == word);
    let (joined, invited) = (delta("join"), delta("invite"));
    if (joined, invited) != (0, 0) {
        db.prepare_cached(
            "UPDATE room SET joined = joined + ?2, invited = invited + ?3 WHERE n = ?1",
        )?
        .execute((room, joined, invited))?;
    }
    set_stay(db, change)
}

fn set_stay(db: &Connection, change: &Change<'_>) -> rusqlite::Result<()> {
    let Change {
        room,
        user,
        membership,
        position,
        ..
    } = *change;
    let at = position.as_i64();
    let open: Option<i64> = db
        .prepare_cached("SELECT started FROM stay WHERE room = ?1 AND user = ?2 AND until IS NULL")?
        .query_row((room, user), |row| row.get(0))
        .optional()?;
    match (membership, open) {
        ("join" | "invite", None) => {
            let joined = (membership == "join").then_some(at);
            db.prepare_cached(
                "INSERT INTO stay (room, user, started, joined) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute((room, user, at, joined))?;
        }
        ("join", Some(started)) => {
            db.prepare_cached(
                "UPDATE stay SET joined = coalesce(joined, ?4) WHERE room = ?1 AND user = ?2 AND started = ?3",
            )?
            .execute((room, user, started, at))?;
        }
        ("leave" | "ban", Some(started)) => {
            db.prepare_cached(
                "UPDATE stay SET until = ?4 WHERE room = ?1 AND user = ?2 AND started = ?3",
            )?
            .execute((room, user, started, at))?;
        }
        _ => {}
    }
    Ok(())
}

/// Notes that `user` has forgotten what there was of the room numbered `room` up to the position `upto`.
///
/// # Errors
/// When the view cannot be written.
pub fn forget_upto(db: &Connection, room: i64, user: &str, upto: i64) -> rusqlite::Result<()> {
    db.prepare_cached("UPDATE member SET forgotten = 1 WHERE room = ?1 AND user = ?2")?
        .execute((room, user))?;
    db.prepare_cached(
        "INSERT INTO forgotten (room, user, upto) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET upto = excluded.upto",
    )?
    .execute((room, user, upto))
    .map(drop)
}

/// Up to where `user` has forgotten the room numbered `room`, if they ever have.
///
/// # Errors
/// When the view cannot be read.
pub fn forgotten_upto(db: &Connection, room: i64, user: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT upto FROM forgotten WHERE room = ?1 AND user = ?2")?
        .query_row((room, user), |row| row.get(0))
        .optional()
}

/// From when to when somebody was in a room.
#[derive(Debug, Clone, Copy)]
pub struct Stay {
    /// Their invitation, or their joining.
    pub started: i64,
    /// Their joining, if they did.
    pub joined: Option<i64>,
    /// Their leaving, if they have.
    pub until: Option<i64>,
}

/// All stays of `user` in the room numbered `room`, oldest first.
///
/// # Errors
/// When the view cannot be read.
pub fn stays(db: &Connection, room: i64, user: &str) -> rusqlite::Result<Vec<Stay>> {
    db.prepare_cached(
        "SELECT started, joined, until FROM stay WHERE room = ?1 AND user = ?2 ORDER BY started",
    )?
    .query_map((room, user), |row| {
        Ok(Stay {
            started: row.get(0)?,
            joined: row.get(1)?,
            until: row.get(2)?,
        })
    })?
    .collect()
}
