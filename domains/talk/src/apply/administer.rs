//! What operators do. Each act is written into the audit log.

use super::{Ruled, need_operator, purge_room, room, shut_down, sweep_topic};
use crate::command::{Act, Administer};
use crate::outcome::{Accepted, Rejected};
use crate::state::{closing, media, reports};
use crate::{Applied, Cx};
use bongsu_lane::Refusal;

/// How many ids of media one act names, at most.
pub const MOST_MEDIA: usize = 100;

pub fn apply(cx: &mut Cx<'_>, command: &Administer) -> Applied {
    need_operator(cx)?;
    let asking = cx.actor().operator();
    // What the platform asks for was decided by the operator.
    let operator = asking.as_deref().unwrap_or("operator");
    let who = command.by.as_ref().map_or(operator, |by| by.as_str());
    match &command.act {
        Act::BlockRoom(id) => {
            let since = cx.position().as_i64();
            closing::block(cx.db(), id.as_str(), since)?;
        }
        Act::UnblockRoom(id) => closing::unblock(cx.db(), id.as_str())?,
        Act::ShutDownRoom(command) => {
            let mut room = room(cx.db(), &command.room)?;
            shut_down::begin(cx, &mut room, command)?;
        }
        Act::PurgeRoom(id) => {
            let room = room(cx.db(), id)?;
            purge_room::begin(cx, &room)?;
        }
        Act::QuarantineMedia {
            ids,
            quarantined,
            room,
        } => quarantine(cx, ids, *quarantined, room.is_some())?,
        Act::DeleteMedia { ids, .. } => delete(cx, ids)?,
        Act::ProtectMedia { id, protected } => {
            media::item(cx.db(), id)?.ok_or(Refusal::Rejected(Rejected::NoSuchMedia))?;
            media::set_protected(cx.db(), id, *protected)?;
        }
        Act::ResolveReport { report } => {
            let resolved = reports::Resolved {
                who: who.to_owned(),
                note: command.reason.clone(),
                time: cx.time(),
            };
            if !reports::resolve(cx.db(), *report, &resolved)? {
                return Err(Refusal::Rejected(Rejected::NoSuchReport));
            }
        }
    }
    let (act, target) = words(&command.act);
    let act = bongsu_audit::Act {
        who,
        act,
        target: &target,
        reason: command.reason.as_deref(),
    };
    let at = (cx.position(), cx.time());
    bongsu_audit::append(cx.db(), at, &act)?;
    cx.wake(sweep_topic());
    Ok(Accepted::Done)
}

/// Withholds media or gives it back. With a room's media, what is protected or gone is passed over.
fn quarantine(cx: &Cx<'_>, ids: &[String], quarantined: bool, of_room: bool) -> Ruled<()> {
    let db = cx.db();
    for id in ids.iter().take(MOST_MEDIA) {
        let there = media::item(db, id)?.is_some();
        if !there && !of_room {
            return Err(Refusal::Rejected(Rejected::NoSuchMedia));
        }
        if there && !(of_room && media::is_protected(db, id)?) {
            media::set_quarantined(db, id, quarantined)?;
        }
    }
    Ok(())
}

fn delete(cx: &Cx<'_>, ids: &[String]) -> Ruled<()> {
    let db = cx.db();
    for id in ids.iter().take(MOST_MEDIA) {
        let item = media::item(db, id)?.ok_or(Refusal::Rejected(Rejected::NoSuchMedia))?;
        media::remove(db, id, &item)?;
    }
    Ok(())
}

/// An act's verb, and what it is done to.
fn words(act: &Act) -> (&'static str, String) {
    match act {
        Act::BlockRoom(room) => ("room.block", room.to_string()),
        Act::UnblockRoom(room) => ("room.unblock", room.to_string()),
        Act::ShutDownRoom(command) => ("room.shutdown", command.room.to_string()),
        Act::PurgeRoom(room) => ("room.purge", room.to_string()),
        Act::QuarantineMedia {
            ids,
            quarantined,
            room,
        } => {
            let act = if *quarantined {
                "media.quarantine"
            } else {
                "media.unquarantine"
            };
            (act, listed(ids, room.as_ref().map(|room| room.as_str())))
        }
        Act::DeleteMedia { ids, user } => {
            let of = user.as_ref().map(|user| user.as_str());
            ("media.delete", listed(ids, of))
        }
        Act::ProtectMedia { id, protected } => {
            let act = if *protected {
                "media.protect"
            } else {
                "media.unprotect"
            };
            (act, id.clone())
        }
        Act::ResolveReport { report } => ("report.resolve", report.to_string()),
    }
}

/// The ids, and whose they are.
fn listed(ids: &[String], of: Option<&str>) -> String {
    let ids = ids.join(" ");
    match of {
        Some(of) => format!("{of}: {ids}"),
        None => ids,
    }
}
