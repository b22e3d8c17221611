//! What is due in a room by the log's time, a bounded part of it at a time. Whoever holds the lane's
//! lease asks for it again until nothing is left to do.

use super::{need_operator, purge, purge_room, shut_down};
use crate::outcome::Accepted;
use crate::state::closing;
use crate::state::rooms::Room;
use crate::{Applied, Cx};
use bongsu_base::RoomId;
use bongsu_lane::Topic;

/// How many rows one record touches, at most, whatever is asked.
pub const MOST: u32 = 500;

/// The topic of whoever looks for what is due: something may be due sooner than was known.
#[must_use]
pub fn sweep_topic() -> Topic {
    Topic::of("sweep", "")
}

/// See [`crate::Command::SweepRoom`].
pub fn room(cx: &mut Cx<'_>, id: &RoomId, most: u32) -> Applied {
    need_operator(cx)?;
    let most = most.min(MOST);
    // It may have been deleted meanwhile.
    let Some(mut room) = Room::by_id(cx.db(), id)? else {
        return Ok(Accepted::Done);
    };
    if closing::closing(cx.db(), room.n)?.is_some() {
        shut_down::move_out(cx, &mut room, most)?;
    } else if closing::doomed(cx.db(), room.n)? {
        purge_room::step(cx, &room, most)?;
    } else {
        purge::events(cx, &room, most)?;
    }
    Ok(Accepted::Done)
}
