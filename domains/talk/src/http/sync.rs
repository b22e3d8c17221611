//! `GET /sync`: what has happened, at once or as soon as something does.

use super::Api;
use super::event_fields;
use super::filters::{GivenFilter, sync_filter};
use super::sync_body::body;
use super::token::Token;
use crate::query::{self, Lazy, SyncFilter, SyncFound, SyncWanted};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bongsu_lane::ReadView;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Matrix, MatrixError};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use ruma::api::client::sync::sync_events::v3::{Filter, Request};
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

/// The longest that a client waits for news.
const LONGEST: Duration = Duration::from_secs(90);

pub async fn sync(
    State(api): State<Api>,
    GivenFilter(given): GivenFilter,
    asked: Matrix<Request>,
) -> Result<Response, MatrixError> {
    // Thousands wait here at once: what a poll holds is kept small, and what it does is boxed.
    let (request, caller) = (Box::new(asked.request), asked.caller);
    let since = Box::pin(api.place_if_any(request.since.as_deref())).await?;
    let filter = match (given, &request.filter) {
        (Some(given), _) => given,
        (None, None) => Box::default(),
        (None, Some(Filter::FilterId(id))) => {
            let filter = Box::pin(api.filter(caller.user.as_str(), id)).await;
            Box::new(sync_filter(&filter.map_err(unknown_filter)?)?)
        }
        (None, Some(_)) => {
            return Err(MatrixError::invalid_param(
                "`filter` is a filter's id or JSON",
            ));
        }
    };
    let syncing = Box::pin(api.sync_presence(&caller, request.set_presence.as_str())).await?;
    let wait = request.timeout.unwrap_or_default().min(LONGEST);
    let deadline = Instant::now() + wait;
    let known = since.filter(|_| !request.full_state);
    let mut before = known.and_then(|since| api.listeners.take(&caller, since.position));
    loop {
        let typing = api.typing.last_change();
        let presence = api.presence.last_change();
        let news = api.news(&caller, since, &request, &filter, before);
        let (listening, found) = Box::pin(news).await?;
        let known = since.map(|since| since.presence);
        let people = Box::pin(api.presence_news(&caller, known, &found, &filter)).await?;
        let patient = since.is_some() && !request.full_state && Instant::now() < deadline;
        let nothing = found.is_empty() && people.is_empty();
        if nothing && patient && timeout_at(deadline, listening.woken()).await.is_ok() {
            before = Some(listening);
            continue;
        }
        api.listeners.keep(&caller, listening, found.until);
        let next = Token {
            position: found.until,
            epoch: api.epoch(),
            typing,
            presence,
        };
        drop(syncing);
        if filter.state.lazy == Lazy::On {
            api.members_told.note(&caller, &found);
        }
        if has_echoes(&found, &caller) {
            Box::pin(api.sending.answered(&caller)).await;
        }
        let found = (found, people);
        let body = Box::pin(api.render(&caller, (since, next), found, (&request, &filter))).await?;
        return Ok(([(CONTENT_TYPE, "application/json")], body).into_response());
    }
}

/// Whether the caller's device is to see what it sent itself.
fn has_echoes(found: &SyncFound, caller: &Caller) -> bool {
    let mut shown = found.joined.iter().flat_map(|room| &room.timeline);
    shown.any(|shown| {
        let sender = shown.event.sender == caller.user.as_str();
        let transaction = shown.event.transaction.as_ref();
        sender && transaction.is_some_and(|(device, _)| device == caller.device.as_str())
    })
}

/// To a sync, a filter that is not there is a mistake in its query.
fn unknown_filter(error: MatrixError) -> MatrixError {
    match error {
        MatrixError::Standard {
            status: StatusCode::NOT_FOUND,
            message,
            ..
        } => MatrixError::invalid_param(message),
        other => other,
    }
}

impl Api {
    pub(super) async fn look(
        &self,
        caller: &Caller,
        since: Option<Token>,
        request: &Request,
        filter: &SyncFilter,
        among: Option<&[i64]>,
    ) -> Result<SyncFound, MatrixError> {
        let typing = self.typing.changed_since(since.map(|since| since.typing));
        let typing: Vec<String> = typing.iter().map(ToString::to_string).collect();
        let (user, counts) = (caller.user.clone(), self.counts.clone());
        let told = if filter.state.lazy == Lazy::On {
            let place = since.map(|since| since.position);
            self.members_told.known(caller, place)
        } else {
            BTreeSet::new()
        };
        let (filter, among) = (filter.clone(), among.map(<[i64]>::to_vec));
        let (full_state, state_after) = (request.full_state, request.use_state_after);
        let look = move |view: &ReadView<'_>| {
            let wanted = SyncWanted {
                user: user.as_str(),
                since: since.map(|since| since.position),
                full_state,
                filter: &filter,
                among: among.as_deref(),
                typing: &typing,
                told: &told,
                state_after,
                counts: &counts,
            };
            query::sync(view, &wanted)
        };
        Ok(if is_long(since, request) {
            self.lane.read_long(look).await?
        } else {
            self.lane.read(look).await?
        })
    }

    /// What was found as the answer, made away from the threads on which requests are served if there is
    /// much of it.
    async fn render(
        &self,
        caller: &Caller,
        (since, next): (Option<Token>, Token),
        (found, people): (SyncFound, Vec<Value>),
        (request, filter): (&Request, &SyncFilter),
    ) -> Result<Vec<u8>, MatrixError> {
        let after = request.use_state_after;
        let write = move |api: &Self, caller: &Caller, fields: &[String]| {
            let whole = body(api, api.seer(caller), next, (&found, &people), after)?;
            if fields.is_empty() {
                return Ok(whole);
            }
            event_fields::only(&whole, fields).map_err(MatrixError::internal)
        };
        if !is_long(since, request) {
            return write(self, caller, &filter.event_fields);
        }
        let (api, caller, fields) = (self.clone(), caller.clone(), filter.event_fields.clone());
        let made = spawn_blocking(move || write(&api, &caller, &fields));
        made.await.map_err(MatrixError::internal)?
    }
}

/// Whether everything is told and not only what is new.
fn is_long(since: Option<Token>, request: &Request) -> bool {
    since.is_none() || request.full_state
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<A, B, C, F>(_: impl Fn(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn a_long_poll_takes_little_room() {
        let size = size_of_future(sync);
        assert!(size < 5_000, "{size} bytes");
    }
}
