//! People whose messages are shown to nobody any more.

use super::events::Event;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value};
use std::cell::{Cell, OnceCell};
use std::collections::BTreeSet;

/// How far the taking away of what somebody wrote has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The room in which to go on.
    pub room: i64,
    /// The event there after which to go on.
    pub event: i64,
}

/// Whether what `user` wrote is shown to nobody.
///
/// # Errors
/// When the view cannot be read.
pub fn is_erased(db: &Connection, user: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM erased WHERE user = ?1")?
        .exists([user])
}

/// Whether somebody is erased, asked for many events: those who are, if they are few, are read once.
#[derive(Debug)]
pub struct Erased<'a> {
    db: &'a Connection,
    asked: Cell<u32>,
    /// Everybody who is; `None` if they are many.
    all: OnceCell<Option<BTreeSet<String>>>,
}

impl<'a> Erased<'a> {
    /// After so many questions everybody is read, if they are no more than that.
    const ASKED: u32 = 8;
    const FEW: usize = 1_000;

    /// Nobody has been asked for yet.
    #[must_use]
    pub fn of(db: &'a Connection) -> Self {
        Self {
            db,
            asked: Cell::new(0),
            all: OnceCell::new(),
        }
    }

    /// Whether what `user` wrote is shown to nobody.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn has(&self, user: &str) -> rusqlite::Result<bool> {
        let asked = self.asked.get();
        if asked < Self::ASKED {
            self.asked.set(asked + 1);
            return is_erased(self.db, user);
        }
        if self.all.get().is_none() {
            let all = everybody(self.db, Self::FEW + 1)?;
            let _ = self.all.set((all.len() <= Self::FEW).then_some(all));
        }
        match self.all.get() {
            Some(Some(all)) => Ok(all.contains(user)),
            _ => is_erased(self.db, user),
        }
    }
}

fn everybody(db: &Connection, most: usize) -> rusqlite::Result<BTreeSet<String>> {
    db.prepare_cached("SELECT user FROM erased ORDER BY user LIMIT ?1")?
        .query_map([most as i64], |row| row.get(0))?
        .collect()
}

/// Has what `user` wrote shown to nobody from `since` on.
///
/// # Errors
/// When the view cannot be written.
pub fn begin(db: &Connection, user: &str, since: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO erased (user, since, room, event, done) VALUES (?1, ?2, 0, 0, 0)
         ON CONFLICT DO NOTHING",
    )?
    .execute((user, since))
    .map(drop)
}

/// Somebody of whom not everything was taken away.
///
/// # Errors
/// When the view cannot be read.
pub fn unfinished(db: &Connection) -> rusqlite::Result<Option<String>> {
    db.prepare_cached("SELECT user FROM erased WHERE done = 0 ORDER BY user LIMIT 1")?
        .query_row((), |row| row.get(0))
        .optional()
}

/// Where to go on with `user`, unless all is done.
///
/// # Errors
/// When the view cannot be read.
pub fn place(db: &Connection, user: &str) -> rusqlite::Result<Option<Place>> {
    db.prepare_cached("SELECT room, event FROM erased WHERE user = ?1 AND done = 0")?
        .query_row([user], |row| {
            Ok(Place {
                room: row.get(0)?,
                event: row.get(1)?,
            })
        })
        .optional()
}

/// Notes how far it has come with `user`; `None` is to the end.
///
/// # Errors
/// When the view cannot be written.
pub fn advance(db: &Connection, user: &str, place: Option<Place>) -> rusqlite::Result<()> {
    match place {
        Some(place) => db
            .prepare_cached("UPDATE erased SET room = ?2, event = ?3 WHERE user = ?1")?
            .execute((user, place.room, place.event))?,
        None => db
            .prepare_cached("UPDATE erased SET done = 1 WHERE user = ?1")?
            .execute([user])?,
    };
    Ok(())
}

/// Whether an event is its sender's own to be taken away: a message, or their own coming and going. What else
/// they did belongs to the room.
#[must_use]
pub fn is_their_own(event: &Event) -> bool {
    match event.state_key.as_deref() {
        None => event.kind != "m.room.redaction",
        Some(key) => event.kind == "m.room.member" && key == event.sender,
    }
}

/// What is left of the content of an event whose sender was erased: nothing of a message, the bare
/// membership of their own coming and going. `None` where the event belongs to the room rather than to
/// them.
#[must_use]
pub fn left_of(event: &Event) -> Option<String> {
    if !is_their_own(event) {
        return None;
    }
    if event.state_key.is_none() {
        return Some("{}".to_owned());
    }
    let content: Map<String, Value> = serde_json::from_str(&event.content).ok()?;
    let kept = content
        .into_iter()
        .filter(|(name, _)| name == "membership" || name == "join_authorised_via_users_server");
    Some(Value::Object(kept.collect()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bongsu_lane::Domain;

    #[test]
    fn the_same_is_answered_however_many_are_asked_for_and_erased() {
        for erased in [0, 1, Erased::FEW, Erased::FEW + 1] {
            let db = Connection::open_in_memory().expect("in memory");
            for migration in crate::Talk::MIGRATIONS {
                db.execute_batch(migration).expect("the schema");
            }
            for n in 0..erased {
                begin(&db, &format!("@gone{n}:bongsu.test"), 1).expect("written");
            }
            let look = Erased::of(&db);
            for n in 0..20 {
                let gone = look.has(&format!("@gone{n}:bongsu.test")).expect("read");
                assert_eq!(gone, n < erased, "{n} of {erased}");
                assert!(!look.has("@mina:bongsu.test").expect("read"));
            }
        }
    }
}
