//! `GET /notifications` and `GET /pushers`.

use super::Api;
use super::json::event;
use super::plain::Plain;
use crate::query::{self, NotificationsWanted};
use axum::Json;
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::push::get_pushers;
use ruma::events::AnySyncTimelineEvent;
use ruma::serde::Raw;
use serde_json::{Value, json};

/// How many notifications are given where the client names no number, and at most.
const PAGE: usize = 50;
const MAX_PAGE: usize = 200;

/// What the caller was to hear of, and whether they have read it.
pub async fn notifications(
    State(api): State<Api>,
    plain: Plain,
) -> Result<Json<Value>, MatrixError> {
    let from = api.place_if_any(plain.query("from").as_deref()).await?;
    let before = from.map_or(i64::MAX, |token| token.position.as_i64());
    let limit = match plain.query("limit") {
        None => PAGE,
        Some(limit) => limit
            .parse::<usize>()
            .map_err(|_| MatrixError::invalid_param("`limit` is a number"))?,
    };
    let wanted = NotificationsWanted {
        before,
        limit: limit.min(MAX_PAGE),
        highlights_only: plain.query("only").as_deref() == Some("highlight"),
    };
    let user = plain.caller.user.as_str();
    let found = api
        .lane
        .read(|view| query::notifications(view.db(), user, wanted));
    let (found, more) = found.await?;
    let mut told = Vec::new();
    let seer = api.seer(&plain.caller);
    for one in &found {
        let event: Raw<AnySyncTimelineEvent> = event(&one.event, None, seer)?;
        told.push(json!({
            "actions": one.actions,
            "event": event,
            "profile_tag": null,
            "read": one.read,
            "room_id": one.room.as_str(),
            "ts": one.event.event.time.0,
        }));
    }
    let mut answer = json!({ "notifications": told });
    if let Some(last) = found.last().filter(|_| more) {
        let next = api.token_at(last.event.event.position.as_i64());
        answer["next_token"] = Value::String(next.to_string());
    }
    Ok(Json(answer))
}

/// No push gateway is known here yet.
pub async fn pushers(_: Matrix<get_pushers::v3::Request>) -> Answer<get_pushers::v3::Response> {
    Ok(Reply(get_pushers::v3::Response::new(Vec::new())))
}
