//! Telling the administrators of something.

use super::actor;
use crate::command::Report;
use crate::outcome::Accepted;
use crate::state::reports;
use crate::{Applied, Cx};

pub fn apply(cx: &mut Cx<'_>, command: &Report) -> Applied {
    let reporter = actor(cx)?;
    let position = cx.position();
    let report = reports::Report {
        reporter: reporter.as_str(),
        room: command.room.as_ref().map(|room| room.as_str()),
        event: command.event.as_ref().map(|event| event.as_str()),
        user: command.user.as_ref().map(|user| user.as_str()),
        reason: command.reason.as_deref(),
        time: cx.time(),
    };
    reports::insert(cx.db(), position, &report)?;
    Ok(Accepted::Done)
}
