//! Read receipts and markers.

use super::emit::{room_topic, user_topic};
use super::{Ruled, actor, need_joined, object, room};
use crate::command::Receipt;
use crate::outcome::{Accepted, Rejected};
use crate::state::account;
use crate::state::events::Event;
use crate::state::receipts::{READ, READ_PRIVATE, advance};
use crate::state::relations::{relates, root_id, thread_of};
use crate::state::retention::mark;
use crate::state::rooms::Room;
use crate::{Applied, Cx};
use bongsu_base::EventId;
use bongsu_lane::Refusal;
use rusqlite::Connection;

/// The event up to which somebody has read, which has to be in the thread that the receipt is about
/// (Matrix v1.19, threaded read receipts).
fn may_mark(db: &Connection, room: &Room, id: &EventId, thread: &str) -> Ruled<Event> {
    let event = Event::by_id(db, id.as_str())?
        .filter(|event| event.room == room.n)
        .ok_or(Refusal::Rejected(Rejected::NoSuchEvent))?;
    // A thread's root is in its thread, and in the room's main timeline too.
    if thread.is_empty() || thread == id.as_str() {
        return Ok(event);
    }
    let root = thread_of(db, event.position.as_i64())?
        .map(|root| root_id(db, root))
        .transpose()?
        .flatten();
    let fits = match root {
        Some(root) => root.as_str() == thread,
        None => thread == "main" || is_cut_off(db, room, &event)?,
    };
    if fits {
        Ok(event)
    } else {
        Err(Refusal::Rejected(Rejected::NotInThread))
    }
}

/// Whether what the event relates to was purged, so that nobody can tell any more in which thread it is.
fn is_cut_off(db: &Connection, room: &Room, event: &Event) -> Ruled<bool> {
    let target = relates(db, event.position.as_i64())?;
    let Some((target, _)) = target.filter(|(target, _)| *target > 0) else {
        return Ok(false);
    };
    Ok(target <= mark(db, room.n)?.upto && Event::find(db, target)?.is_none())
}

/// Whether `user` may move their receipts so. Gives the room and the events in question.
///
/// # Errors
/// When not, or the view fails.
pub fn may_move_receipts(
    db: &Connection,
    user: &str,
    command: &Receipt,
) -> Ruled<(Room, Vec<(&'static str, Event)>)> {
    let room = room(db, &command.room)?;
    need_joined(db, &room, user)?;
    let mut marks = Vec::new();
    for (kind, id) in [(READ, &command.read), (READ_PRIVATE, &command.read_private)] {
        if let Some(id) = id {
            marks.push((kind, may_mark(db, &room, id, &command.thread)?));
        }
    }
    if let Some(id) = &command.fully_read {
        may_mark(db, &room, id, "")?;
    }
    Ok((room, marks))
}

pub fn apply(cx: &mut Cx<'_>, command: &Receipt) -> Applied {
    let user = actor(cx)?;
    let (room, marks) = may_move_receipts(cx.db(), user.as_str(), command)?;
    let time = cx.time().0;
    for (kind, event) in marks {
        let changed = cx.position().as_i64();
        let place = (room.n, user.as_str(), kind, command.thread.as_str());
        if advance(cx.db(), place, event.position.as_i64(), time, changed)? {
            cx.wake(if kind == READ {
                room_topic(room.id.as_str())
            } else {
                user_topic(user.as_str())
            });
        }
    }
    if let Some(id) = &command.fully_read
        && is_ahead(cx.db(), &room, user.as_str(), id)?
    {
        let content = serde_json::json!({ "event_id": id.as_str() }).to_string();
        let changed = cx.position().as_i64();
        account::set_data(
            cx.db(),
            (user.as_str(), room.n, "m.fully_read"),
            &content,
            changed,
        )?;
        cx.wake(user_topic(user.as_str()));
    }
    Ok(Accepted::Done)
}

/// Whether the marker moves forward when it moves to the event `id`.
fn is_ahead(db: &Connection, room: &Room, user: &str, id: &EventId) -> Ruled<bool> {
    let Some(data) = account::data(db, user, room.n, "m.fully_read")? else {
        return Ok(true);
    };
    let data = object(&data)?;
    let before = data.get("event_id").and_then(serde_json::Value::as_str);
    let before = before.map(|id| Event::by_id(db, id)).transpose()?.flatten();
    let after = Event::by_id(db, id.as_str())?;
    Ok(match (before, after) {
        (Some(before), Some(after)) => before.position < after.position,
        _ => true,
    })
}
