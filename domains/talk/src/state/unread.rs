//! What is unread, in a room's main timeline and in its threads.

use super::receipts::Unread;
use super::relations::{THREAD, relates, root_id};
use super::retention::{Mark, mark};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeMap;

/// How many threads of a room, and mentions in it, are looked at.
const LOOK: i64 = 500;
/// Up to where the unread events of one thread are counted.
const MOST: i64 = 1_000;

/// What is unread in a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnreadRoom {
    /// Outside of threads.
    pub main: Unread,
    /// In threads, by the ids of their roots.
    pub threads: BTreeMap<String, Unread>,
}

impl UnreadRoom {
    /// All together, for clients that know of no threads.
    #[must_use]
    pub fn total(&self) -> Unread {
        let mut total = self.main;
        for thread in self.threads.values() {
            total.notifications += thread.notifications;
            total.highlights += thread.highlights;
        }
        total
    }
}

/// Up to where somebody has read a room (Matrix v1.19, threaded read receipts). Sending is reading: what
/// came before one's own last event, there or in the thread, is read.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// Everything.
    pub all: i64,
    /// What is outside of threads.
    pub main: i64,
}

/// Up to where `user`, who is in the room numbered `room` since `joined`, has read.
///
/// # Errors
/// When the view cannot be read.
pub fn read(db: &Connection, room: i64, user: &str, joined: i64) -> rusqlite::Result<Read> {
    let receipt = |thread: &str| -> rusqlite::Result<Option<i64>> {
        db.prepare_cached(
            "SELECT max(event) FROM receipt WHERE room = ?1 AND user = ?2 AND thread = ?3",
        )?
        .query_row((room, user, thread), |row| row.get(0))
    };
    let own: Option<i64> = db
        .prepare_cached("SELECT last_sent FROM member WHERE room = ?1 AND user = ?2")?
        .query_row((room, user), |row| row.get(0))
        .optional()?;
    let all = receipt("")?.unwrap_or(0).max(joined);
    let main = receipt("main")?.unwrap_or(0).max(own.unwrap_or(0)).max(all);
    Ok(Read { all, main })
}

/// How many events of a thread that make others unread stand after `from`.
fn in_thread(db: &Connection, root: i64, from: i64) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "SELECT count(*) FROM (
           SELECT 1 FROM relation
           WHERE target = ?1 AND rel = 'm.thread' AND counts = 1 AND event > ?2
             AND type IN ('m.room.message', 'm.room.encrypted') LIMIT ?3)",
    )?
    .query_row((root, from, MOST), |row| row.get(0))
}

/// How many events after `from` that made others unread were redacted since. Each event carries the
/// room's count up to it, so one that made others unread is one above the event before it, or above what
/// the count was when that was purged.
fn redacted(db: &Connection, room: i64, from: i64, purged: Mark) -> rusqlite::Result<i64> {
    db.prepare_cached(
        "SELECT count(*) FROM (
           SELECT notable, (SELECT notable FROM event AS earlier
                            WHERE earlier.room = ?1 AND earlier.position < event.position
                            ORDER BY earlier.position DESC LIMIT 1) AS before
           FROM event WHERE room = ?1 AND position > ?2 AND redacted_by IS NOT NULL
           ORDER BY position DESC LIMIT ?3)
         WHERE notable > max(coalesce(before, 0), ?4)",
    )?
    .query_row((room, from, MOST, purged.notable), |row| row.get(0))
}

/// What is unread for `user` in the room numbered `room`, of which they have `read` so much. Outside of threads the
/// count costs the same however much is unread, since each event carries the room's count of notable
/// events; in threads it costs what is unread there.
///
/// # Errors
/// When the view cannot be read.
pub fn unread(db: &Connection, room: i64, user: &str, read: Read) -> rusqlite::Result<UnreadRoom> {
    let purged = mark(db, room)?;
    let mut unread = UnreadRoom::default();
    unread.main.notifications = db
        .prepare_cached(
            "SELECT room.notable - max(?3, coalesce((SELECT notable FROM event WHERE event.room = ?1
                                                      AND position <= ?2 ORDER BY position DESC LIMIT 1), 0))
             FROM room WHERE n = ?1",
        )?
        .query_row((room, read.main, purged.notable), |row| row.get(0))?;
    let mut marks = BTreeMap::new();
    let roots: Vec<i64> = db
        .prepare_cached(
            "SELECT root FROM thread WHERE room = ?1 AND latest > ?2 ORDER BY latest DESC LIMIT ?3",
        )?
        .query_map((room, read.all, LOOK), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for root in roots {
        unread.main.notifications -= in_thread(db, root, read.main)?;
        let Some(id) = root_id(db, root)?.map(|id| id.to_string()) else {
            continue;
        };
        let from = read_in_thread(db, (room, root, &id), user)?.max(read.all);
        let count = in_thread(db, root, from)?;
        if count > 0 {
            let counted = unread.threads.entry(id.clone()).or_default();
            counted.notifications = count;
        }
        marks.insert(root, (id, from));
    }
    unread.main.notifications -= redacted(db, room, read.main, purged)?;
    unread.main.notifications = unread.main.notifications.max(0);
    let mentions: Vec<i64> = db
        .prepare_cached(
            "SELECT DISTINCT mention.event FROM mention JOIN event ON event.position = mention.event
             WHERE mention.room = ?1 AND mention.user IN (?2, '') AND mention.event > ?3
               AND event.redacted_by IS NULL ORDER BY mention.event DESC LIMIT ?4",
        )?
        .query_map((room, user, read.all, LOOK), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for event in mentions {
        let root = relates(db, event)?.filter(|(_, rel)| rel == THREAD);
        match root.and_then(|(root, _)| marks.get(&root)) {
            Some((id, from)) if event > *from => {
                unread.threads.entry(id.clone()).or_default().highlights += 1;
            }
            None if event > read.main => unread.main.highlights += 1,
            _ => {}
        }
    }
    Ok(unread)
}

/// Up to where `user` has read a thread, or written in it.
///
/// # Errors
/// When the view cannot be read.
pub fn read_in_thread(
    db: &Connection,
    (room, root, id): (i64, i64, &str),
    user: &str,
) -> rusqlite::Result<i64> {
    let receipt: Option<i64> = db
        .prepare_cached(
            "SELECT max(event) FROM receipt WHERE room = ?1 AND user = ?2 AND thread = ?3",
        )?
        .query_row((room, user, id), |row| row.get(0))?;
    let own: Option<i64> = db
        .prepare_cached("SELECT last FROM thread_member WHERE root = ?1 AND user = ?2")?
        .query_row((root, user), |row| row.get(0))
        .optional()?;
    Ok(receipt.unwrap_or(0).max(own.unwrap_or(0)))
}
