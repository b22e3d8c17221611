//! What somebody was to hear of, read or not.

use super::history::Visible;
use super::judge::{Place, judge};
use super::room_state::select;
use super::show::{Shown, show_to};
use super::unread::{Wishes, reading};
use crate::state::events::Event;
use crate::state::members::member;
use crate::state::rooms::Room;
use crate::state::unread::read;
use bongsu_base::RoomId;
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeMap;

/// How many events of a room are judged, at most: the latest.
const WINDOW: usize = 1_000;
/// How many events of all rooms are.
const LOOK: usize = 20_000;

/// An event that somebody was to hear of.
#[derive(Debug, Clone)]
pub struct Notification {
    /// The room.
    pub room: RoomId,
    /// The event.
    pub event: Shown,
    /// What the rule that matched says.
    pub actions: Vec<Value>,
    /// Whether they have read it.
    pub read: bool,
}

/// Which notifications are wanted: up to `limit` of events before `before`.
#[derive(Debug, Clone, Copy)]
pub struct NotificationsWanted {
    /// Where the page before ended.
    pub before: i64,
    /// How many.
    pub limit: usize,
    /// Only those that were shown as being about the person.
    pub highlights_only: bool,
}

/// Those found so far, by position: the newest, and one more than is wanted.
struct Found {
    most: usize,
    events: BTreeMap<i64, (Event, Vec<Value>, Room, bool)>,
}

impl Found {
    /// Whether enough newer ones than the one at `position` are known already.
    fn is_full_before(&self, position: i64) -> bool {
        let oldest = self.events.first_key_value().map(|(oldest, _)| *oldest);
        self.events.len() == self.most && oldest.is_some_and(|oldest| position < oldest)
    }

    fn add(&mut self, event: Event, actions: &[Value], room: &Room, read: bool) {
        let position = event.position.as_i64();
        let one = (event, actions.to_vec(), room.clone(), read);
        self.events.insert(position, one);
        if self.events.len() > self.most {
            self.events.pop_first();
        }
    }
}

/// A page of what `user` was to hear of while they were in its room or were let into it, newest first, and whether
/// there is more (Matrix v1.19, `GET /notifications`). Of each room the latest thousand events are judged, by the rules
/// of today; of all together twenty thousand, in the rooms with the latest events first.
///
/// # Errors
/// When the view cannot be read.
pub fn notifications(
    db: &Connection,
    user: &str,
    wanted: NotificationsWanted,
) -> rusqlite::Result<(Vec<Notification>, bool)> {
    let wishes = Wishes::of(db, user)?;
    let mut found = Found {
        most: wanted.limit + 1,
        events: BTreeMap::new(),
    };
    let mut left = LOOK;
    for n in rooms_of(db, user)? {
        let room = Room::by_number(db, n)?;
        if left == 0 || found.is_full_before(room.changed.as_i64()) {
            break;
        }
        look(db, &room, &wishes, wanted, &mut left, &mut found)?;
    }
    let more = found.events.len() > wanted.limit;
    let newest = found.events.into_values().rev().take(wanted.limit);
    let shown = newest.map(|(event, actions, room, read)| {
        Ok(Notification {
            room: room.id,
            event: show_to(db, event, &Visible::of(db, room.n, user)?)?,
            actions,
            read,
        })
    });
    Ok((shown.collect::<rusqlite::Result<_>>()?, more))
}

/// Finds those of one room.
fn look(
    db: &Connection,
    room: &Room,
    wishes: &Wishes,
    wanted: NotificationsWanted,
    left: &mut usize,
    found: &mut Found,
) -> rusqlite::Result<()> {
    let user = wishes.user();
    let visible = Visible::of(db, room.n, user)?;
    let upto = read(db, room.n, user, visible.joined_at().unwrap_or(0))?;
    let member = member(db, room.n, user)?;
    let displayname = member.and_then(|member| member.displayname);
    let place = Place {
        db,
        room,
        user,
        displayname: displayname.as_deref(),
    };
    let rules = wishes.rules();
    let rest = "event WHERE room = ?1 AND position < ?2 AND sender <> ?3
                ORDER BY position DESC LIMIT ?4";
    let window = WINDOW.min(*left) as i64;
    for event in select(db, rest, (room.n, wanted.before, user, window))? {
        if found.is_full_before(event.position.as_i64()) {
            break;
        }
        *left -= 1;
        let unwanted = wishes.ignores(&event) || wishes.ignores_invite(&event);
        if unwanted || !visible.was_there(&event) || !visible.admits(&event) {
            continue;
        }
        let verdict = judge(&place, &rules, &event)?;
        if verdict.notify && (verdict.highlight || !wanted.highlights_only) {
            let (_, read) = reading(db, (room.n, user), upto, &event)?;
            found.add(event, verdict.actions, room, read);
        }
    }
    Ok(())
}

/// The rooms that `user` is or was in or may come into, those with the latest events first.
fn rooms_of(db: &Connection, user: &str) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached(
        "SELECT room FROM member JOIN room ON room.n = member.room
         WHERE user = ?1 AND forgotten = 0 ORDER BY room.changed DESC",
    )?
    .query_map([user], |row| row.get(0))?
    .collect()
}
