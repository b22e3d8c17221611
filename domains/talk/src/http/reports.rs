//! Telling the administrators of an event, a room or a person.

use super::Api;
use super::convert::ours;
use crate::command::{Command, Report};
use crate::query::Visible;
use crate::state::events::Event;
use crate::state::rooms::Room;
use axum::extract::State;
use bongsu_base::{RoomId, UserId};
use bongsu_lane::Priority;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::reporting::report_user;
use ruma::api::client::room::{report_content, report_room};

/// The longest reason that is kept, in bytes.
const MAX_REASON: usize = 10_000;

impl Api {
    async fn report(&self, caller: &Caller, report: Report) -> Result<(), MatrixError> {
        if report
            .reason
            .as_ref()
            .is_some_and(|reason| reason.len() > MAX_REASON)
        {
            return Err(MatrixError::too_large(format!(
                "a `reason` has at most {MAX_REASON} bytes"
            )));
        }
        let command = Command::Report(report);
        self.submit(caller, Priority::Background, None, command)
            .await
            .map(drop)
    }
}

pub async fn event(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<report_content::v3::Request>,
) -> Answer<report_content::v3::Response> {
    let id: RoomId = ours(&request.room_id)?;
    let known = api.lane.read(|view| {
        let db = view.db();
        let Some(room) = Room::by_id(db, &id)? else {
            return Ok(false);
        };
        let visible = Visible::of(db, room.n, caller.user.as_str())?;
        let event = Event::by_id(db, request.event_id.as_str())?;
        Ok(event.is_some_and(|event| event.room == room.n && visible.admits(&event)))
    });
    if !known.await? {
        let message = "there is no such event, or you may not read it";
        return Err(MatrixError::not_found(message));
    }
    let report = Report {
        room: Some(id),
        event: Some(ours(&request.event_id)?),
        user: None,
        reason: request.reason,
    };
    api.report(&caller, report).await?;
    Ok(Reply(report_content::v3::Response::new()))
}

pub async fn room(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<report_room::v3::Request>,
) -> Answer<report_room::v3::Response> {
    let id: RoomId = ours(&request.room_id)?;
    let known = api.lane.read(|view| Room::by_id(view.db(), &id));
    if known.await?.is_none() {
        return Err(MatrixError::not_found("there is no such room here"));
    }
    let report = Report {
        room: Some(id),
        event: None,
        user: None,
        reason: Some(request.reason),
    };
    api.report(&caller, report).await?;
    Ok(Reply(report_room::v3::Response::new()))
}

pub async fn user(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<report_user::v3::Request>,
) -> Answer<report_user::v3::Response> {
    let user: UserId = ours(&request.user_id)?;
    // Whether there is such a person here is nobody's business: the answer is the same.
    if api.people.profile(&user).await?.is_some() {
        let report = Report {
            room: None,
            event: None,
            user: Some(user),
            reason: Some(request.reason),
        };
        api.report(&caller, report).await?;
    }
    Ok(Reply(report_user::v3::Response::new()))
}
