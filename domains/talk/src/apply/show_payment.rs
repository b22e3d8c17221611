//! Showing in a room that money went from one of those who are in it to another.

use super::emit::{Draft, emit};
use super::{Ruled, may_send, need_joined, room};
use crate::command::ShowPayment;
use crate::outcome::{Accepted, Rejected};
use crate::{Applied, Cx};
use bongsu_lane::{Actor, Refusal};

/// The type of an event that says who paid whom. The platform alone makes it, so that nobody shows what was not paid.
pub const PAYMENT: &str = "kr.bongsu.payment";

/// Whether people may send events of this type by themselves.
///
/// # Errors
/// When not.
pub fn may_be_sent_by_people(kind: &str) -> Ruled<()> {
    if kind == PAYMENT {
        return Err(Refusal::Rejected(Rejected::Reserved(kind.to_owned())));
    }
    Ok(())
}

pub fn apply(cx: &mut Cx<'_>, command: &ShowPayment) -> Applied {
    if *cx.actor() != Actor::Platform {
        let why = "only the platform shows payments";
        return Err(Refusal::Rejected(Rejected::NotYours(why.to_owned())));
    }
    let mut room = room(cx.db(), &command.room)?;
    may_send(cx.db(), &room, command.payer.as_str(), PAYMENT)?;
    need_joined(cx.db(), &room, command.payee.as_str())?;
    let draft = Draft {
        sender: command.payer.as_str(),
        kind: PAYMENT,
        state_key: None,
        content: &command.content,
        redacts: None,
        txn: None,
    };
    emit(cx, &mut room, &draft).map(Accepted::Event)
}
