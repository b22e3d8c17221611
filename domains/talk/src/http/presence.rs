//! `/presence/{userId}/status`, and presence as sync tells it.

use super::Api;
use super::convert::ours;
use super::plain::Plain;
use super::presence_now::{Presence, PresenceOf, Syncing};
use crate::query::{self, SyncFilter, SyncFound};
use axum::Json;
use axum::extract::State;
use bongsu_base::{Position, UserId};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::MatrixError;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How many people one sync tells about, at most.
const MOST: usize = 200;
/// People in rooms larger than this hear of changes with their next news, and are not woken.
const SMALL: i64 = 200;
/// The longest message, in bytes.
const MAX_MESSAGE: usize = 1_024;

fn content(found: &PresenceOf) -> Value {
    let ago = u64::try_from(found.active_ago.as_millis()).unwrap_or(u64::MAX);
    let mut content = json!({ "presence": found.presence.word(), "last_active_ago": ago });
    if found.presence == Presence::Online {
        content["currently_active"] = Value::Bool(found.active);
    }
    if let Some(message) = &found.message {
        content["status_msg"] = Value::String(message.clone());
    }
    content
}

pub async fn get(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    let user: UserId = ours(plain.param("user_id"))?;
    let caller = &plain.caller.user;
    let look = |view: &bongsu_lane::ReadView<'_>| {
        query::share_a_room(view.db(), caller.as_str(), user.as_str())
    };
    if user != *caller && !api.lane.read(look).await? {
        return Err(MatrixError::forbidden(
            "you share no room with this person; their presence is not yours to see",
        ));
    }
    let found = api.presence.of(&user).filter(|_| api.config.presence);
    Ok(Json(
        found
            .as_ref()
            .map_or_else(|| json!({ "presence": "offline" }), content),
    ))
}

pub async fn put(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    if plain.param("user_id") != plain.caller.user.as_str() {
        return Err(MatrixError::forbidden(
            "you can set your own presence alone",
        ));
    }
    let body = plain.object()?;
    let presence = body.get("presence").and_then(Value::as_str);
    let presence = presence
        .and_then(Presence::from_word)
        .ok_or_else(|| MatrixError::bad_json("`presence` is online, unavailable or offline"))?;
    let message = match body.get("status_msg") {
        None | Some(Value::Null) => None,
        Some(Value::String(message)) if message.len() <= MAX_MESSAGE => Some(message.clone()),
        Some(_) => {
            return Err(MatrixError::bad_json(
                "`status_msg` is a text of up to 1024 bytes",
            ));
        }
    };
    if api.config.presence {
        let caller = &plain.caller;
        let changed = api
            .presence
            .set(&caller.user, presence, message, api.position());
        api.tell_presence(caller, changed).await?;
    }
    Ok(Json(json!({})))
}

impl Api {
    /// The presence of `user` in the form of the first versions, which names them in the content.
    pub(super) fn presence_event(&self, user: &UserId) -> Value {
        let found = self.presence.of(user).filter(|_| self.config.presence);
        let offline = || json!({ "presence": "offline" });
        let mut content = found.as_ref().map_or_else(offline, content);
        content["user_id"] = json!(user.as_str());
        json!({ "type": "m.presence", "sender": user.as_str(), "content": content })
    }

    /// What `caller` is told of people at first, in that form: of themselves, and of those who share a room
    /// and are there.
    pub(super) async fn presence_at_first(
        &self,
        caller: &Caller,
    ) -> Result<Vec<Value>, MatrixError> {
        let filter = SyncFilter::default();
        let found = SyncFound::default();
        let others = self.presence_news(caller, None, &found, &filter).await?;
        let others = others.iter().filter_map(|event| event["sender"].as_str());
        let others = others.filter_map(|user| user.parse::<UserId>().ok());
        let others = others.filter(|user| *user != caller.user);
        let people = std::iter::once(caller.user.clone()).chain(others);
        Ok(people.map(|user| self.presence_event(&user)).collect())
    }

    /// The view's position as a number.
    pub(super) fn position(&self) -> u64 {
        u64::try_from(Position::end_of(self.lane.progress().chain.seq).as_i64()).unwrap_or(0)
    }

    async fn tell_presence(&self, caller: &Caller, changed: bool) -> Result<(), MatrixError> {
        if changed {
            let there = self.presence.of_here(&caller.user);
            self.far.there(there.into_iter().collect()).await;
        }
        self.wake_for(&caller.user, changed).await
    }

    /// Wakes those who are to hear of a change of `user` at once.
    pub(super) async fn wake_for(&self, user: &UserId, changed: bool) -> Result<(), MatrixError> {
        if changed {
            let rooms = self
                .lane
                .read(|view| query::small_rooms(view.db(), user.as_str(), SMALL));
            self.presence.tell(user, &rooms.await?);
        }
        Ok(())
    }

    /// A sync begins by which `caller` wants to be shown as `word` says.
    pub(super) async fn sync_presence(
        &self,
        caller: &Caller,
        word: &str,
    ) -> Result<Option<Syncing>, MatrixError> {
        if !self.config.presence {
            return Ok(None);
        }
        let presence = Presence::from_word(word)
            .ok_or_else(|| MatrixError::invalid_param("`set_presence` is no presence"))?;
        let (syncing, changed) = self.presence.sync(&caller.user, presence, self.position());
        self.tell_presence(caller, changed).await?;
        Ok(syncing)
    }

    /// What `caller` is to be told of people: of those who share a room and changed after `since`, and
    /// of those who came into a room.
    pub(super) async fn presence_news(
        &self,
        caller: &Caller,
        since: Option<u64>,
        found: &SyncFound,
        filter: &SyncFilter,
    ) -> Result<Vec<Value>, MatrixError> {
        if !self.config.presence || !filter.presence.admits_type("m.presence") {
            return Ok(Vec::new());
        }
        // A first sync is told of everybody who is there anyway.
        let came = since.map(|_| came(found)).unwrap_or_default();
        let mut users = self.presence.changed_since(since, MOST);
        users.extend(
            came.into_iter()
                .filter(|user| self.presence.of(user).is_some()),
        );
        let mut seen = BTreeSet::new();
        users.retain(|user| {
            seen.insert(user.clone()) && filter.presence.admits_sender(user.as_str())
        });
        users.truncate(MOST);
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let own = caller.user.as_str();
        let known = self.lane.read(|view| {
            let knows = |user: &UserId| {
                Ok(user.as_str() == own || query::share_a_room(view.db(), own, user.as_str())?)
            };
            users
                .iter()
                .map(knows)
                .collect::<rusqlite::Result<Vec<bool>>>()
        });
        let known = known.await?;
        let known = users.iter().zip(known).filter(|(_, known)| *known);
        let told = known.filter_map(|(user, _)| {
            let content = content(&self.presence.of(user)?);
            Some(json!({ "type": "m.presence", "sender": user.as_str(), "content": content }))
        });
        Ok(told.collect())
    }
}

/// Who came into one of the rooms, or is in one that is new to the client.
fn came(found: &SyncFound) -> BTreeSet<UserId> {
    let events = found
        .joined
        .iter()
        .flat_map(|room| room.timeline.iter().chain(&room.state));
    let joins = events.filter(|shown| {
        shown.event.kind == "m.room.member"
            && shown.event.content.contains(r#""membership":"join""#)
    });
    joins
        .filter_map(|shown| shown.event.state_key.as_deref()?.parse().ok())
        .collect()
}
