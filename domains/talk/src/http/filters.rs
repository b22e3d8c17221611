//! Filters: keeping them, giving them back, and what they mean to a query.

use super::Api;
use crate::command::Command;
use crate::query::{EventFilter, Lazy, RelatedBy, SyncFilter};
use crate::state::account;
use axum::extract::State;
use bongsu_lane::Priority;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::filter::{
    Filter, FilterDefinition, LazyLoadOptions, RoomEventFilter, UrlFilter, create_filter,
    get_filter,
};

pub async fn create(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<create_filter::v3::Request>,
) -> Answer<create_filter::v3::Response> {
    if request.user_id.as_str() != caller.user.as_str() {
        return Err(MatrixError::forbidden("filters are their owner's alone"));
    }
    let json = serde_json::to_string(&request.filter).map_err(MatrixError::internal)?;
    let id = blake3::hash(json.as_bytes()).to_hex()[..16].to_owned();
    let known = api
        .lane
        .read(|view| account::filter(view.db(), caller.user.as_str(), &id))
        .await?;
    if known.is_none() {
        let command = Command::SaveFilter {
            id: id.clone(),
            json,
        };
        api.submit(&caller, Priority::Normal, None, command).await?;
    }
    Ok(Reply(create_filter::v3::Response::new(id)))
}

pub async fn get(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<get_filter::v3::Request>,
) -> Answer<get_filter::v3::Response> {
    if request.user_id.as_str() != caller.user.as_str() {
        return Err(MatrixError::forbidden("filters are their owner's alone"));
    }
    let filter = api.filter(caller.user.as_str(), &request.filter_id).await?;
    Ok(Reply(get_filter::v3::Response::new(filter)))
}

impl Api {
    /// The filter `id` of `user`.
    pub(super) async fn filter(
        &self,
        user: &str,
        id: &str,
    ) -> Result<FilterDefinition, MatrixError> {
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

/// What a filter of room events means.
pub fn event_filter(filter: &RoomEventFilter) -> EventFilter {
    EventFilter {
        types: filter.types.clone(),
        not_types: filter.not_types.clone(),
        senders: filter.senders.as_deref().map(texts),
        not_senders: texts(&filter.not_senders),
        contains_url: filter.url_filter.map(|url| url == UrlFilter::EventsWithUrl),
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

/// What a filter asks of that which relates to an event, which `ruma` leaves out.
#[derive(serde::Deserialize)]
struct Relating {
    related_by_senders: Option<Vec<String>>,
    related_by_rel_types: Option<Vec<String>>,
}

/// The query of a request with a filter.
#[derive(serde::Deserialize)]
pub struct FilterQuery {
    filter: Option<String>,
}

impl FilterQuery {
    /// What the filter asks of that which relates to an event.
    pub fn related_by(&self) -> Result<RelatedBy, MatrixError> {
        let Some(filter) = self.filter.as_deref().filter(|filter| !filter.is_empty()) else {
            return Ok(RelatedBy::default());
        };
        let relating: Relating = serde_json::from_str(filter)
            .map_err(|error| MatrixError::bad_json(error.to_string()))?;
        // Clients that ask for nothing of the kind send empty lists.
        let some = |list: Option<Vec<String>>| list.filter(|list| !list.is_empty());
        Ok(RelatedBy {
            senders: some(relating.related_by_senders),
            rel_types: some(relating.related_by_rel_types),
        })
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

/// What a sync's filter means.
pub fn sync_filter(filter: &FilterDefinition) -> SyncFilter {
    let room = &filter.room;
    SyncFilter {
        timeline: event_filter(&room.timeline),
        state: event_filter(&room.state),
        ephemeral: event_filter(&room.ephemeral),
        room_account_data: event_filter(&room.account_data),
        account_data: plain_filter(&filter.account_data),
        rooms: room.rooms.as_deref().map(texts),
        not_rooms: texts(&room.not_rooms),
        event_fields: filter.event_fields.clone().unwrap_or_default(),
        include_leave: room.include_leave,
        presence: plain_filter(&filter.presence),
    }
}
