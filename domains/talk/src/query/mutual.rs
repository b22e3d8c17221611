//! Rooms that two people share.

use rusqlite::Connection;

/// A part of the rooms in which both `user` and `other` are now: how many there are in all, and the first
/// `limit` of them behind the room number `after`, with their numbers.
///
/// # Errors
/// When the view cannot be read.
pub fn mutual_rooms(
    db: &Connection,
    (user, other): (&str, &str),
    after: i64,
    limit: usize,
) -> rusqlite::Result<(i64, Vec<(i64, String)>)> {
    const SHARED: &str = "FROM member AS mine JOIN member AS theirs ON theirs.room = mine.room
         JOIN room ON room.n = mine.room
         WHERE mine.user = ?1 AND mine.membership = 'join'
           AND theirs.user = ?2 AND theirs.membership = 'join'";
    let count = db
        .prepare_cached(&format!("SELECT count(*) {SHARED}"))?
        .query_row((user, other), |row| row.get(0))?;
    let rooms = db
        .prepare_cached(&format!(
            "SELECT room.n, room.id {SHARED} AND room.n > ?3 ORDER BY room.n LIMIT ?4"
        ))?
        .query_map((user, other, after, limit as i64), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok((count, rooms))
}
