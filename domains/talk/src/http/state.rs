//! A room's state: reading all of it, reading one piece, setting one.

use super::Api;
use super::convert::{ours, theirs};
use super::json::{check_levels, check_texts, content, event};
use super::members::{not_in_room, readable_room};
use super::membership::lets_guests_in;
use super::refuse::ruled;
use crate::command::{Action, Command, SetState};
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
    let state = shown
        .iter()
        .map(|shown| event(shown, Some(id.as_str()), api.seer(&caller)))
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
    let body = if request.format == StateEventFormat::Event {
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
            Some(room) => apply::may_be_sent_by_people(&kind)
                .and_then(|()| {
                    apply::may_set_state(
                        view.db(),
                        &room,
                        caller.user.as_str(),
                        &kind,
                        key,
                        &content,
                    )
                })
                .and_then(|()| apply::may_fit(&kind, Some(key), &content)),
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
    check_texts(&kind, &content)?;
    let no_guests = kind == "m.room.guest_access" && key.is_empty() && !lets_guests_in(&content);
    let command = Command::SetState(SetState {
        room: room.clone(),
        kind,
        state_key: key.to_owned(),
        content,
    });
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
