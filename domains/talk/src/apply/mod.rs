//! The rules, one file a verb, and what they share.

mod account;
mod administer;
mod aliases;
mod create_room;
mod emit;
mod erase;
mod keep_picture;
mod knock;
mod media;
mod membership;
mod own;
mod purge;
mod purge_room;
mod receipt;
mod redact;
mod relate;
mod report;
mod send;
mod set_state;
mod show_payment;
mod shut_down;
mod sweep;
mod third_party;
mod upgrade;

pub use administer::MOST_MEDIA;
pub use aliases::{may_delete_alias, may_list, may_set_alias};
pub use create_room::may_create;
pub use emit::{may_fit, room_topic, rules_topic, user_topic};
pub use keep_picture::FORGOTTEN as PICTURES_FORGOTTEN;
pub use media::{may_reserve, may_store, media_topic};
pub use membership::{LET_IN_BY, let_in_by, may_change};
pub use receipt::may_move_receipts;
pub use redact::may_redact;
pub use relate::may_relate;
pub use send::may_send;
pub use set_state::{may_be_aliases, may_set_notifications, may_set_state, may_use_key};
pub use show_payment::may_be_sent_by_people;
pub use sweep::sweep_topic;
pub use third_party::{THIRD_PARTY_INVITE, may_invite_third_party};
pub use upgrade::may_upgrade;

use crate::command::Command;
use crate::outcome::Rejected;
use crate::state::power::user_level;
use crate::state::rooms::Room;
use crate::state::{closing, members};
use crate::{Applied, Cx};
use bongsu_base::{RoomId, UserId};
use bongsu_lane::{Actor, Refusal};
use rusqlite::Connection;
use serde_json::{Map, Value};

/// A rule's own result: what it found, or why not.
pub type Ruled<T> = Result<T, Refusal<Rejected>>;

/// Applies one command.
///
/// # Errors
/// When the rules say no, or the view fails.
pub fn apply(cx: &mut Cx<'_>, command: Command) -> Applied {
    match command {
        Command::CreateRoom(command) => create_room::apply(cx, command),
        Command::Send(command) => send::apply(cx, command),
        Command::SetState(command) => set_state::apply(cx, command),
        Command::Redact(command) => redact::apply(cx, command),
        Command::Membership(command) => membership::apply(cx, &command),
        Command::SetMembership(command) => membership::set(cx, &command),
        Command::Forget(room) => membership::forget(cx, &room),
        Command::Receipt(command) => receipt::apply(cx, &command),
        Command::SetAlias(command) => aliases::set(cx, &command),
        Command::DeleteAlias(alias) => aliases::delete(cx, &alias),
        Command::SetListed { room, listed } => aliases::set_listed(cx, &room, listed),
        Command::SetAccountData(command) => account::set_data(cx, &command),
        Command::SaveFilter { id, json } => account::save_filter(cx, &id, &json),
        Command::AddMedia(command) => media::add(cx, &command),
        Command::ShowProfile { user, profile } => membership::show_profile(cx, &user, &profile),
        Command::LeaveAll { user } => membership::leave_all(cx, &user),
        Command::ShowIn { room, profile } => membership::show_in(cx, &room, &profile),
        Command::Upgrade(command) => upgrade::apply(cx, &command),
        Command::StoreMedia(command) => media::store(cx, &command),
        Command::ReserveMedia(command) => media::reserve(cx, &command),
        Command::DeleteMedia(id) => media::delete(cx, &id),
        Command::QuarantineMedia { id, quarantined } => {
            media::set_quarantined(cx, &id, quarantined)
        }
        Command::Report(command) => report::apply(cx, &command),
        Command::SetPushRules { json, base } => own::set_push_rules(cx, &json, base),
        Command::SetTag { room, tag, content } => own::set_tag(cx, &room, &tag, content.as_deref()),
        Command::AddOpenIdToken { hash, lasts } => own::add_openid_token(cx, &hash, lasts),
        Command::SetRetention { events, media } => purge::set_policy(cx, events, media),
        Command::SweepRoom { room, most } => sweep::room(cx, &room, most),
        Command::PurgeMedia { ids } => purge::media(cx, &ids),
        Command::Erase { user } => erase::begin(cx, &user),
        Command::SweepErased { user, most } => erase::sweep(cx, &user, most),
        Command::ShowAvatar { user, url } => media::show_avatar(cx, &user, url.as_deref()),
        Command::Administer(command) => administer::apply(cx, &command),
        Command::KeepPicture(command) => keep_picture::apply(cx, &command),
        Command::ShowPayment(command) => show_payment::apply(cx, &command),
        Command::ForgetHistory(room) => membership::forget_history(cx, &room),
        Command::InviteThirdParty(command) => third_party::apply(cx, &command),
    }
}

/// The person who asks. Commands of talk that people give are given by signed-in people alone.
fn actor(cx: &Cx<'_>) -> Ruled<UserId> {
    match cx.actor() {
        Actor::User { user, .. } => Ok(user.clone()),
        _ => Err(Refusal::Rejected(Rejected::NotJoined)),
    }
}

/// The room, which the rules need to exist.
fn room(db: &Connection, id: &RoomId) -> Ruled<Room> {
    Room::by_id(db, id)?.ok_or(Refusal::Rejected(Rejected::NoSuchRoom))
}

/// Sees that `user` is in `room`.
fn need_joined(db: &Connection, room: &Room, user: &str) -> Ruled<()> {
    if members::membership(db, room.n, user)? == "join" {
        Ok(())
    } else {
        Err(Refusal::Rejected(Rejected::NotJoined))
    }
}

/// Sees that `user` has at least `needed` in `room`, and says what they have.
fn need_power(db: &Connection, room: &Room, user: &str, needed: i64) -> Ruled<i64> {
    let has = user_level(db, room.n, &room.levels, user)?;
    if has >= needed {
        Ok(has)
    } else {
        Err(Refusal::Rejected(Rejected::PowerTooLow { needed, has }))
    }
}

/// Reads a content, which every gateway has seen to be a JSON object.
fn object(content: &str) -> Ruled<Map<String, Value>> {
    serde_json::from_str(content).map_err(|error| bad_content(error.to_string()))
}

/// Sees that an operator or the platform itself asks.
fn need_operator(cx: &Cx<'_>) -> Ruled<()> {
    match cx.actor() {
        actor if actor.is_operator() => Ok(()),
        Actor::Platform => Ok(()),
        _ => Err(Refusal::Rejected(Rejected::NotYours(
            "only the operator may do this".to_owned(),
        ))),
    }
}

/// Sees that nobody closed the room `id`.
fn need_open(db: &Connection, id: &RoomId) -> Ruled<()> {
    match closing::blocked(db, id.as_str())? {
        Some(_) => Err(Refusal::Rejected(Rejected::RoomBlocked)),
        None => Ok(()),
    }
}

fn bad_content(why: impl Into<String>) -> Refusal<Rejected> {
    Refusal::Rejected(Rejected::BadContent(why.into()))
}
