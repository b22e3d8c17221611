//! `POST /createRoom`: a room from a preset and wishes (Matrix v1.19, room creation).

use super::Api;
use super::convert::ours;
use super::discovery::DEFAULT_VERSION;
use super::json::{check_fields, check_levels, content, parsed};
use super::refuse::{refusal, ruled};
use super::upgrade::no_such_version;
use crate::command::{Command, CreateRoom, Profile};
use crate::state::version::{VERSIONS, creators_rule};
use crate::{Accepted, apply};
use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bongsu_base::{RoomId, ServerName, UserId};
use bongsu_lane::Priority;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Matrix, MatrixError};
use http::StatusCode;
use ruma::api::client::room::Visibility;
use ruma::api::client::room::create_room::v3::{Request, RoomPreset};
use ruma::api::error::ErrorKind;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// How many may be invited at once.
const MAX_INVITES: usize = 100;

pub async fn create(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<Request>,
) -> Result<Json<Value>, MatrixError> {
    if let Some(unknown @ RoomPreset::_Custom(_)) = &request.preset {
        let message = format!("`{unknown}` is no preset");
        return Err(MatrixError::bad_json(message));
    }
    if !request.invite_3pid.is_empty() {
        return Err(MatrixError::forbidden(
            "people can be invited by their user ids alone here",
        ));
    }
    let version = request
        .room_version
        .as_ref()
        .map_or(DEFAULT_VERSION, |version| version.as_str())
        .to_owned();
    if !VERSIONS.contains(&version.as_str()) {
        return Err(no_such_version(&version));
    }
    let alias = match &request.room_alias_name {
        Some(local) => Some(api.alias(local)?),
        None => None,
    };
    let invite = api.invited(&request).await?;
    let mut state = first_state(&request, caller.user.as_str(), alias.as_deref())?;
    own_aliases(&state, alias.as_deref())?;
    let wished = state
        .iter()
        .position(|(kind, key, _)| kind == "m.room.power_levels" && key.is_empty());
    let power_levels = match wished {
        Some(wished) => state.remove(wished).2,
        None => power_levels(&request, &caller, &version)?,
    };
    let command = CreateRoom {
        room: api.room_id(&version)?,
        create: creation(&request, &version)?,
        version,
        profile: api.profile_of(&caller.user).await?,
        power_levels,
        state,
        alias: alias.clone(),
        invite,
        is_direct: request.is_direct,
        listed: request.visibility == Visibility::Public,
    };
    fits(&command, &api.config.server_name)?;
    let look = api
        .lane
        .read(|view| Ok(apply::may_create(view.db(), &caller.user, &command)));
    ruled(look.await)?;
    let command = Command::CreateRoom(command);
    match api.submit(&caller, Priority::Normal, None, command).await? {
        Accepted::Room(room) => {
            let mut made = json!({ "room_id": room.as_str() });
            // The first versions told the alias too, and it is still read.
            if let Some(alias) = alias {
                made["room_alias"] = Value::String(alias);
            }
            Ok(Json(made))
        }
        other => Err(MatrixError::internal(format!("creating gave {other:?}"))),
    }
}

/// Sees that what the room calls itself is aliases, and no other than the one that it gets: there is none yet that
/// points at it.
fn own_aliases(state: &[(String, String, String)], alias: Option<&str>) -> Result<(), MatrixError> {
    for (kind, key, content) in state {
        if kind != "m.room.canonical_alias" || !key.is_empty() {
            continue;
        }
        let content: Map<String, Value> = parsed(content)?;
        apply::may_be_aliases(&content).map_err(refusal)?;
        let main = content.get("alias").filter(|alias| !alias.is_null());
        let others = content.get("alt_aliases").and_then(Value::as_array);
        let mut all = main.into_iter().chain(others.into_iter().flatten());
        if let Some(other) = all.find(|named| named.as_str() != alias) {
            return Err(MatrixError::new(
                StatusCode::BAD_REQUEST,
                ErrorKind::BadAlias,
                format!("{other} does not point at this room"),
            ));
        }
    }
    Ok(())
}

/// Sees that each of the room's first events is one that could be sent.
fn fits(command: &CreateRoom, server: &ServerName) -> Result<(), MatrixError> {
    check_levels(&command.power_levels)?;
    let first = [
        ("m.room.create", "", command.create.as_str()),
        ("m.room.power_levels", "", command.power_levels.as_str()),
    ];
    let rest = command.state.iter();
    let rest = rest.map(|(kind, key, content)| (kind.as_str(), key.as_str(), content.as_str()));
    for (kind, key, content) in first.into_iter().chain(rest) {
        apply::may_fit(kind, Some(key), content).map_err(refusal)?;
        check_fields(server, kind, content)?;
    }
    Ok(())
}

impl Api {
    /// Who is invited, each once, and how they show themselves.
    async fn invited(&self, request: &Request) -> Result<Vec<(UserId, Profile)>, MatrixError> {
        if request.invite.len() > MAX_INVITES {
            return Err(MatrixError::invalid_param(format!(
                "at most {MAX_INVITES} people can be invited at once"
            )));
        }
        let mut invited = Vec::new();
        for user in &request.invite {
            let user: UserId = ours(user)?;
            if invited.iter().any(|(known, _)| *known == user) {
                continue;
            }
            let profile = self.profile_of_invited(&user).await?;
            self.may_be_invited(&user).await?;
            invited.push((user, profile));
        }
        Ok(invited)
    }

    /// An id for a new room. From version 12 on it has no server in it.
    pub(super) fn room_id(&self, version: &str) -> Result<RoomId, MatrixError> {
        if creators_rule(version) {
            let bytes: [u8; 32] = self.lane.random();
            return ours(format!("!{}", URL_SAFE_NO_PAD.encode(bytes)));
        }
        ours(format!(
            "!{}:{}",
            self.random_name(),
            self.config.server_name
        ))
    }

    /// `#local:server` for a local part.
    pub(super) fn alias(&self, local: &str) -> Result<String, MatrixError> {
        if local.is_empty() || local.contains([':', '\0']) || local.chars().any(char::is_whitespace)
        {
            return Err(MatrixError::invalid_param(
                "an alias has no colon, no white space and is not empty",
            ));
        }
        let alias = format!("#{local}:{}", self.config.server_name);
        if alias.len() > 255 {
            return Err(MatrixError::invalid_param("an alias has at most 255 bytes"));
        }
        Ok(alias)
    }

    /// How `user` shows themselves.
    ///
    /// # Errors
    /// When there is no such person here.
    pub(super) async fn profile_of(&self, user: &UserId) -> Result<Profile, MatrixError> {
        let profile = self.people.profile(user).await?;
        let profile =
            profile.ok_or_else(|| MatrixError::not_found(format!("there is no {user} here")))?;
        Ok(Profile {
            displayname: profile.displayname,
            avatar_url: profile.avatar_url,
        })
    }

    /// How somebody who is invited shows themselves. Who has no account here yet may get one.
    ///
    /// # Errors
    /// When they belong to another server.
    pub(super) async fn profile_of_invited(&self, user: &UserId) -> Result<Profile, MatrixError> {
        if user.server() != self.config.server_name.as_str() {
            let message = format!("{user} is of another server, and this one speaks to none");
            return Err(MatrixError::forbidden(message));
        }
        Ok(self
            .people
            .profile(user)
            .await?
            .map_or_else(Profile::default, |profile| Profile {
                displayname: profile.displayname,
                avatar_url: profile.avatar_url,
            }))
    }

    /// A name for something new: 18 letters and digits that nobody can guess.
    pub(super) fn random_name(&self) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let bytes: [u8; 18] = self.lane.random();
        bytes
            .iter()
            .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
            .collect()
    }
}

/// Content of `m.room.create`, as the client wishes it; the version and creator are added when it is
/// applied.
fn creation(request: &Request, version: &str) -> Result<String, MatrixError> {
    let mut wishes = match &request.creation_content {
        Some(raw) => parsed(&content(raw.json().get())?)?,
        None => Map::new(),
    };
    for reserved in ["creator", "room_version"] {
        wishes.remove(reserved);
    }
    if creators_rule(version) {
        add_creators(request, &mut wishes)?;
    }
    Ok(Value::Object(wishes).to_string())
}

/// Checks the further creators that the client wishes; with the preset of trust, the invited are among
/// them.
fn add_creators(request: &Request, wishes: &mut Map<String, Value>) -> Result<(), MatrixError> {
    let wished = wishes.remove("additional_creators").unwrap_or(json!([]));
    let mut creators: Vec<UserId> = serde_json::from_value(wished)
        .map_err(|error| MatrixError::bad_json(format!("`additional_creators`: {error}")))?;
    if preset(request) == RoomPreset::TrustedPrivateChat {
        for user in &request.invite {
            creators.push(ours(user)?);
        }
    }
    creators.sort();
    creators.dedup();
    if !creators.is_empty() {
        wishes.insert("additional_creators".to_owned(), json!(creators));
    }
    Ok(())
}

fn preset(request: &Request) -> RoomPreset {
    match (&request.preset, &request.visibility) {
        (Some(preset), _) => preset.clone(),
        (None, Visibility::Public) => RoomPreset::PublicChat,
        (None, _) => RoomPreset::PrivateChat,
    }
}

fn power_levels(request: &Request, caller: &Caller, version: &str) -> Result<String, MatrixError> {
    let mut users = Map::new();
    let above_all = creators_rule(version);
    if !above_all {
        users.insert(caller.user.to_string(), 100.into());
    }
    if preset(request) == RoomPreset::TrustedPrivateChat && !above_all {
        users.extend(
            request
                .invite
                .iter()
                .map(|user| (user.to_string(), 100.into())),
        );
    }
    let mut levels = json!({
        "users": users,
        "users_default": 0,
        "events": {
            "m.room.name": 50,
            "m.room.avatar": 50,
            "m.room.canonical_alias": 50,
            "m.room.power_levels": 100,
            "m.room.history_visibility": 100,
            "m.room.encryption": 100,
            "m.room.server_acl": 100,
            "m.room.tombstone": if above_all { 150 } else { 100 },
        },
        "events_default": 0,
        "state_default": 50,
        "invite": if preset(request) == RoomPreset::PublicChat { 50 } else { 0 },
        "kick": 50,
        "ban": 50,
        "redact": 50,
        "historical": 100,
    });
    if let (Some(wishes), Some(levels)) = (
        &request.power_level_content_override,
        levels.as_object_mut(),
    ) {
        levels.extend(parsed::<Map<_, _>>(&content(wishes.json().get())?)?);
    }
    Ok(levels.to_string())
}

/// One piece of state that the client wishes.
#[derive(Deserialize)]
struct InitialState {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    state_key: String,
    content: Box<serde_json::value::RawValue>,
}

/// What follows the power levels, in order; a later one of the same key replaces an earlier one.
fn first_state(
    request: &Request,
    user: &str,
    alias: Option<&str>,
) -> Result<Vec<(String, String, String)>, MatrixError> {
    let (rule, guests) = match preset(request) {
        RoomPreset::PublicChat => ("public", "forbidden"),
        _ => ("invite", "can_join"),
    };
    let mut state: Vec<(String, String, String)> = Vec::new();
    let mut put = |kind: &str, key: &str, content: String| {
        state.retain(|(other, other_key, _)| (other.as_str(), other_key.as_str()) != (kind, key));
        state.push((kind.to_owned(), key.to_owned(), content));
    };
    if let Some(alias) = alias {
        put(
            "m.room.canonical_alias",
            "",
            json!({ "alias": alias }).to_string(),
        );
    }
    put(
        "m.room.join_rules",
        "",
        json!({ "join_rule": rule }).to_string(),
    );
    put(
        "m.room.history_visibility",
        "",
        json!({ "history_visibility": "shared" }).to_string(),
    );
    put(
        "m.room.guest_access",
        "",
        json!({ "guest_access": guests }).to_string(),
    );
    for wish in &request.initial_state {
        let wish: InitialState = parsed(wish.json().get())?;
        if wish.kind != "m.room.member" {
            apply::may_use_key(user, &wish.state_key).map_err(refusal)?;
        }
        put(&wish.kind, &wish.state_key, content(wish.content.get())?);
    }
    if let Some(name) = &request.name {
        put("m.room.name", "", json!({ "name": name }).to_string());
    }
    if let Some(topic) = &request.topic {
        let rich = json!({ "m.text": [{ "body": topic }] });
        put(
            "m.room.topic",
            "",
            json!({ "topic": topic, "m.topic": rich }).to_string(),
        );
    }
    Ok(state)
}
