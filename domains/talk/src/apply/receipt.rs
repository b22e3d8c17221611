//! Read receipts and markers.

use super::emit::{room_topic, user_topic};
use super::{Ruled, actor, need_joined, room};
use crate::command::Receipt;
use crate::outcome::{Accepted, Rejected};
use crate::state::account;
use crate::state::events::Event;
use crate::state::receipts::{READ, READ_PRIVATE, advance};
use crate::state::rooms::Room;
use crate::{Applied, Cx};
use bongsu_base::EventId;
use bongsu_lane::Refusal;

fn event(cx: &Cx<'_>, room: &Room, id: &EventId) -> Ruled<Event> {
    let found = Event::by_id(cx.db(), id.as_str())?.filter(|event| event.room == room.n);
    found.ok_or(Refusal::Rejected(Rejected::NoSuchEvent))
}

pub fn apply(cx: &mut Cx<'_>, command: &Receipt) -> Applied {
    let user = actor(cx)?;
    let room = room(cx.db(), &command.room)?;
    need_joined(cx.db(), &room, user.as_str())?;
    let time = cx.time().0;
    for (kind, id) in [(READ, &command.read), (READ_PRIVATE, &command.read_private)] {
        let Some(id) = id else { continue };
        let event = event(cx, &room, id)?;
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
    if let Some(id) = &command.fully_read {
        event(cx, &room, id)?;
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
