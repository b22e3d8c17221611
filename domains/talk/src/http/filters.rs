//! Filters: keeping them, giving them back, and what they mean to a query.

use super::Api;
use super::convert::ours;
use super::plain::{Plain, not_json, query_value};
use crate::command::Command;
use crate::query::{EventFilter, Lazy, RelatedBy, SyncFilter};
use crate::state::account;
use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use bongsu_base::UserId;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::MatrixError;
use http::request::Parts;
use ruma::api::client::filter::{
    EventFormat, Filter, FilterDefinition, LazyLoadOptions, RoomEventFilter, UrlFilter,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Keeps a filter as the client wrote it, with what `ruma` has no place for.
pub async fn create(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    need_own(&plain)?;
    let filter = Value::Object(plain.object_or_nothing()?);
    given(&filter)?;
    let json = filter.to_string();
    let id = blake3::hash(json.as_bytes()).to_hex()[..16].to_owned();
    let known = api
        .lane
        .read(|view| account::filter(view.db(), plain.caller.user.as_str(), &id))
        .await?;
    if known.is_none() {
        let id = id.clone();
        let command = Command::SaveFilter { id, json };
        api.submit(&plain.caller, Priority::Normal, None, command)
            .await?;
    }
    Ok(Json(json!({ "filter_id": id })))
}

pub async fn get(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    need_own(&plain)?;
    let user = plain.caller.user.as_str();
    api.filter(user, plain.param("filter_id")).await.map(Json)
}

fn need_own(plain: &Plain) -> Result<(), MatrixError> {
    let owner: UserId = ours(plain.param("user_id"))?;
    if owner == plain.caller.user {
        return Ok(());
    }
    Err(MatrixError::forbidden("filters are their owner's alone"))
}

impl Api {
    /// The filter `id` of `user`.
    pub(super) async fn filter(&self, user: &str, id: &str) -> Result<Value, MatrixError> {
        let json = self
            .lane
            .read(|view| account::filter(view.db(), user, id))
            .await?;
        let json = json.ok_or_else(|| MatrixError::not_found("there is no such filter"))?;
        serde_json::from_str(&json).map_err(MatrixError::internal)
    }
}

fn texts<T: ToString>(list: &[T]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// What a filter of room events means, which asks for `related_by` too.
pub fn event_filter(filter: &RoomEventFilter, related_by: RelatedBy) -> EventFilter {
    EventFilter {
        types: filter.types.clone(),
        not_types: filter.not_types.clone(),
        senders: filter.senders.as_deref().map(texts),
        not_senders: texts(&filter.not_senders),
        contains_url: filter.url_filter.map(|url| url == UrlFilter::EventsWithUrl),
        related_by,
        rooms: filter.rooms.as_deref().map(texts),
        not_rooms: texts(&filter.not_rooms),
        limit: filter.limit.map(|limit| u64::from(limit) as usize),
        lazy: match filter.lazy_load_options {
            LazyLoadOptions::Disabled => Lazy::Off,
            LazyLoadOptions::Enabled {
                include_redundant_members: true,
            } => Lazy::Again,
            LazyLoadOptions::Enabled { .. } => Lazy::On,
        },
        by_thread: filter.unread_thread_notifications,
    }
}

/// What a filter of room events asks of that which relates to an event, which `ruma` leaves out.
#[derive(Default, Deserialize)]
struct Relating {
    related_by_senders: Option<Vec<String>>,
    related_by_rel_types: Option<Vec<String>>,
}

impl From<Relating> for RelatedBy {
    fn from(relating: Relating) -> Self {
        // Clients that ask for nothing of the kind send empty lists.
        let some = |list: Option<Vec<String>>| list.filter(|list| !list.is_empty());
        Self {
            senders: some(relating.related_by_senders),
            rel_types: some(relating.related_by_rel_types),
        }
    }
}

/// What the filter in a request's query asks of that which relates to an event.
pub struct FilterQuery(pub RelatedBy);

impl FromRequestParts<Api> for FilterQuery {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, MatrixError> {
        #[derive(Deserialize)]
        struct Asked {
            filter: Option<String>,
        }
        let Query(asked) = Query::<Asked>::try_from_uri(&parts.uri)
            .map_err(|error| MatrixError::invalid_param(error.to_string()))?;
        let filter = asked.filter.filter(|filter| !filter.is_empty());
        let relating: Option<Relating> = filter
            .map(|filter| serde_json::from_str(&filter))
            .transpose()
            .map_err(|error| MatrixError::bad_json(error.to_string()))?;
        Ok(Self(relating.unwrap_or_default().into()))
    }
}

/// The filter in a sync's query, if it is there as JSON.
pub struct GivenFilter(pub Option<Box<SyncFilter>>);

impl FromRequestParts<Api> for GivenFilter {
    type Rejection = MatrixError;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, MatrixError> {
        let query = parts.uri.query().unwrap_or_default();
        let filter = query_value(query, "filter");
        let Some(filter) = filter.filter(|filter| filter.trim_start().starts_with('{')) else {
            return Ok(Self(None));
        };
        let filter: Value = serde_json::from_str(&filter).map_err(|error| not_json(&error))?;
        Ok(Self(Some(Box::new(given(&filter)?))))
    }
}

fn plain_filter(filter: &Filter) -> EventFilter {
    EventFilter {
        types: filter.types.clone(),
        not_types: filter.not_types.clone(),
        senders: filter.senders.as_deref().map(texts),
        not_senders: texts(&filter.not_senders),
        limit: filter.limit.map(|limit| u64::from(limit) as usize),
        ..EventFilter::default()
    }
}

/// What a sync's filter means that a client gives just now. Of those that are kept, some are older than this look at
/// them.
fn given(filter: &Value) -> Result<SyncFilter, MatrixError> {
    let format = &filter["event_format"];
    let known = [EventFormat::Client, EventFormat::Federation];
    if !format.is_null() && !known.iter().any(|known| format == known.as_str()) {
        return Err(MatrixError::bad_json(
            "`event_format` is client or federation",
        ));
    }
    sync_filter(filter)
}

/// What a sync's filter means.
pub fn sync_filter(filter: &Value) -> Result<SyncFilter, MatrixError> {
    let bad = |error: serde_json::Error| MatrixError::bad_json(error.to_string());
    let relating = &filter["room"]["timeline"];
    let relating = Option::<Relating>::deserialize(relating).map_err(bad)?;
    let filter = FilterDefinition::deserialize(filter).map_err(bad)?;
    let room = &filter.room;
    let plainly = |filter: &RoomEventFilter| event_filter(filter, RelatedBy::default());
    Ok(SyncFilter {
        timeline: event_filter(&room.timeline, relating.unwrap_or_default().into()),
        state: plainly(&room.state),
        ephemeral: plainly(&room.ephemeral),
        room_account_data: plainly(&room.account_data),
        account_data: plain_filter(&filter.account_data),
        rooms: room.rooms.as_deref().map(texts),
        not_rooms: texts(&room.not_rooms),
        event_fields: filter.event_fields.unwrap_or_default(),
        include_leave: room.include_leave,
        presence: plain_filter(&filter.presence),
    })
}
