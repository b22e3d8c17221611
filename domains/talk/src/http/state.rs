//! A room's state: reading all of it, reading one piece, setting one.

use super::Api;
use super::convert::{ours, theirs};
use super::json::{check_fields, check_levels, content, event};
use super::members::{not_in_room, readable_room};
use super::membership::lets_guests_in;
use super::refuse::ruled;
use crate::command::{Action, Command, SetState, ThirdPartyInvite};
use crate::query::{self, Part};
use crate::state::rooms::Room;
use crate::{Accepted, Rejected, apply};
use axum::extract::State;
use bongsu_base::{RoomId, UserId};
use bongsu_lane::{Priority, Refusal};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::state::get_state_event_for_key::v3::StateEventFormat;
use ruma::api::client::state::{get_state_event_for_key, get_state_events, send_state_event};
use ruma::events::AnyStateEvent;
use ruma::serde::Raw;
use rusqlite::Connection;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

pub async fn get_all(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<get_state_events::v3::Request>,
) -> Answer<get_state_events::v3::Response> {
    let id: RoomId = ours(&request.room_id)?;
    let found = api.lane.read(|view| {
        let Some((room, until)) = readable_room(view, &id, &caller)? else {
            return Ok(None);
        };
        let events = query::state_at(view.db(), &room, until, Part::All)?;
        events
            .into_iter()
            .map(|event| query::show(view.db(), event))
            .collect::<Result<Vec<_>, _>>()
            .map(Some)
    });
    let shown = found.await?.ok_or_else(not_in_room)?;
    let (room_id, seer) = (Some(id.as_str()), api.seer(&caller));
    let state = shown
        .iter()
        .map(|shown| event(shown, room_id, seer))
        .collect::<Result<_, _>>()?;
    Ok(Reply(get_state_events::v3::Response::new(state)))
}

pub async fn get_one(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<get_state_event_for_key::v3::Request>,
) -> Answer<get_state_event_for_key::v3::Response> {
    let id: RoomId = ours(&request.room_id)?;
    let whole = match request.format {
        StateEventFormat::Content => false,
        StateEventFormat::Event => true,
        _ => return Err(MatrixError::invalid_param("`format` is content or event")),
    };
    let kind = request.event_type.to_string();
    let found = api.lane.read(|view| {
        let Some((room, until)) = readable_room(view, &id, &caller)? else {
            return Ok(None);
        };
        let one = Part::One(&kind, &request.state_key);
        let events = query::state_at(view.db(), &room, until, one)?;
        events
            .into_iter()
            .next()
            .map(|event| query::show(view.db(), event))
            .transpose()
            .map(Some)
    });
    let shown = found.await?.ok_or_else(not_in_room)?;
    let shown = shown.ok_or_else(|| MatrixError::not_found("the room has no such state"))?;
    let body = if whole {
        let whole: Raw<AnyStateEvent> = event(&shown, Some(id.as_str()), api.seer(&caller))?;
        whole.into_json()
    } else {
        RawValue::from_string(shown.event.content).map_err(MatrixError::internal)?
    };
    Ok(Reply(get_state_event_for_key::v3::Response::new(body)))
}

pub async fn set(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<send_state_event::v3::Request>,
) -> Answer<send_state_event::v3::Response> {
    let room: RoomId = ours(&request.room_id)?;
    let kind = request.event_type.to_string();
    let content = content(request.body.json().get())?;
    if kind == "m.room.member" {
        return set_membership(&api, &caller, room, &request.state_key, &content).await;
    }
    let key = request.state_key.as_str();
    if kind == "m.room.power_levels" && key.is_empty() {
        check_levels(&content)?;
    }
    let look = api.lane.read(|view| {
        Ok(match Room::by_id(view.db(), &room)? {
            Some(found) => {
                let user = caller.user.as_str();
                may_set(view.db(), &found, user, (&kind, key, &content))
            }
            None => Err(Refusal::Rejected(Rejected::NoSuchRoom)),
        })
    });
    match ruled(look.await) {
        // An alias that does not exist is, here, a bad content.
        Err(MatrixError::Standard {
            kind: ruma::api::error::ErrorKind::NotFound,
            message,
            ..
        }) => {
            let bad_alias = ruma::api::error::ErrorKind::BadAlias;
            return Err(MatrixError::new(
                http::StatusCode::BAD_REQUEST,
                bad_alias,
                message,
            ));
        }
        other => other?,
    }
    check_fields(&api.config.server_name, &kind, &content)?;
    let no_guests = kind == "m.room.guest_access" && key.is_empty() && !lets_guests_in(&content);
    let command = command(&room, kind, key, content);
    let done = api.submit(&caller, Priority::Normal, None, command);
    let Accepted::Event(id) = done.await? else {
        return Err(MatrixError::internal("setting state gave no event"));
    };
    if no_guests {
        api.put_guests_out(&room).await?;
    }
    let id = theirs(id.as_str())?;
    Ok(Reply(send_state_event::v3::Response::new(id)))
}

/// Whether `user` may set a piece of state: its type, key and content.
fn may_set(
    db: &Connection,
    room: &Room,
    user: &str,
    (kind, key, content): (&str, &str, &str),
) -> apply::Ruled<()> {
    apply::may_be_sent_by_people(kind)?;
    if kind == apply::THIRD_PARTY_INVITE {
        apply::may_invite_third_party(db, room, user)?;
    } else {
        apply::may_set_state(db, room, user, kind, key, content)?;
    }
    if kind == "m.room.power_levels" && key.is_empty() {
        apply::may_set_notifications(db, room, user, content)?;
    }
    apply::may_fit(kind, Some(key), content)
}

fn command(room: &RoomId, kind: String, key: &str, content: String) -> Command {
    let (room, key) = (room.clone(), key.to_owned());
    if kind == apply::THIRD_PARTY_INVITE {
        return Command::InviteThirdParty(ThirdPartyInvite {
            room,
            token: key,
            content,
        });
    }
    Command::SetState(SetState {
        room,
        kind,
        state_key: key,
        content,
    })
}

/// What a membership set as state asks for, given whose it is and what it was.
fn action(membership: &str, own: bool, current: &str) -> Result<Action, MatrixError> {
    Ok(match (membership, own) {
        ("join", true) => Action::Join,
        ("leave", true) => Action::Leave,
        ("knock", true) => Action::Knock,
        ("invite", _) => Action::Invite,
        ("leave", false) if current == "ban" => Action::Unban,
        ("leave", false) => Action::Kick,
        ("ban", _) => Action::Ban,
        ("join" | "knock", false) => {
            let message = "nobody can join or knock for somebody else";
            return Err(MatrixError::forbidden(message));
        }
        _ => {
            let message = "`membership` is join, invite, leave, ban or knock";
            return Err(MatrixError::bad_json(message));
        }
    })
}

/// A membership set as state is the same as one changed by its own endpoint.
async fn set_membership(
    api: &Api,
    caller: &Caller,
    room: RoomId,
    key: &str,
    content: &str,
) -> Answer<send_state_event::v3::Response> {
    let mut content: Map<String, Value> =
        serde_json::from_str(content).map_err(MatrixError::internal)?;
    let membership = content.remove("membership").unwrap_or_default();
    content.remove(apply::LET_IN_BY);
    for name in ["displayname", "avatar_url"] {
        let is_text = |value: &Value| value.is_string() || value.is_null();
        if !content.get(name).is_none_or(is_text) {
            return Err(MatrixError::bad_json(format!("`{name}` is a text")));
        }
    }
    let user: UserId = ours(key)?;
    let current = api.lane.read(|view| {
        let room = Room::by_id(view.db(), &room)?;
        room.map(|room| crate::state::members::membership(view.db(), room.n, user.as_str()))
            .transpose()
    });
    let current = current.await?.ok_or_else(not_in_room)?;
    let membership = membership.as_str().unwrap_or_default();
    let action = action(membership, user == caller.user, &current)?;
    match action {
        Action::Join => api.may_enter(caller, &room).await?,
        Action::Leave => {}
        _ if api.authenticator.standing(&caller.user).await?.guest => {
            return Err(MatrixError::not_for_guests());
        }
        _ => {}
    }
    api.show(&user, action, &mut content).await?;
    let content = Value::Object(content);
    api.set_membership(caller, (&room, &user), action, &content)
        .await?;
    let event = api.lane.read(|view| {
        let Some(room) = Room::by_id(view.db(), &room)? else {
            return Ok(None);
        };
        let found = room.state(view.db(), "m.room.member", key)?;
        found
            .map(|(position, _)| crate::state::events::Event::at(view.db(), position))
            .transpose()
    });
    let event = event
        .await?
        .ok_or_else(|| MatrixError::internal("a membership that was set is not there"))?;
    Ok(Reply(send_state_event::v3::Response::new(theirs(
        event.id().as_str(),
    )?)))
}
