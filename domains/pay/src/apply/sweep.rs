//! Ending what has expired.

use super::link::give_free;
use super::money::turn;
use super::{Cx, Verdict, bill, reject, webhook};
use crate::answer::State;
use crate::command::{Accepted, Rejected};
use crate::state::{code, payment};
use bongsu_lane::Actor;

pub(super) fn apply(cx: &mut Cx<'_>, most: u32) -> Verdict {
    if *cx.actor() != Actor::Platform {
        return Err(reject(Rejected::NotAllowed));
    }
    for mut due in payment::due(cx.db(), cx.time(), most)? {
        if matches!(due.state, State::Held | State::Review) {
            give_free(cx, due, State::Expired)?;
        } else {
            due.expires = None;
            turn(cx, due, State::Expired)?;
        }
    }
    for code in code::due(cx.db(), cx.time(), most)? {
        code::remove(cx.db(), code)?;
    }
    bill::expire(cx, most)?;
    webhook::forget(cx, most)?;
    Ok(Accepted::Done)
}
