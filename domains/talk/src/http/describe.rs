//! A described room in `ruma`'s form.

use super::convert::{count, theirs};
use crate::query::Described;
use bongsu_web_kit::matrix::MatrixError;
use ruma::room::{JoinRuleSummary, RestrictedSummary, RoomSummary};

/// What `room` is about.
pub fn summary_of(room: &Described) -> Result<RoomSummary, MatrixError> {
    let allowed = || {
        let ids = room.allowed.iter().filter_map(|id| theirs(id).ok());
        RestrictedSummary::new(ids.collect())
    };
    let rule = match room.room.join_rule.as_str() {
        "public" => JoinRuleSummary::Public,
        "knock" => JoinRuleSummary::Knock,
        "private" => JoinRuleSummary::Private,
        "restricted" => JoinRuleSummary::Restricted(allowed()),
        "knock_restricted" => JoinRuleSummary::KnockRestricted(allowed()),
        _ => JoinRuleSummary::Invite,
    };
    let id = theirs(room.room.id.as_str())?;
    let joined = count(room.room.joined);
    let mut summary = RoomSummary::new(id, rule, room.guests, joined, room.world_readable);
    summary.name.clone_from(&room.name);
    summary.topic.clone_from(&room.topic);
    summary.canonical_alias = room.alias.as_deref().and_then(|alias| theirs(alias).ok());
    summary.avatar_url = room.avatar.as_deref().map(Into::into);
    summary.room_type = room.kind.as_deref().map(Into::into);
    summary.encryption = room.encryption.as_deref().map(Into::into);
    summary.room_version = Some(theirs(&room.room.version)?);
    Ok(summary)
}
