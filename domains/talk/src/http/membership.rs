//! Coming and going: join, invite, leave, kick, ban, unban, forget.

use super::Api;
use super::convert::{ours, theirs};
use super::json::content;
use super::plain::Plain;
use super::refuse::{refusal, rejected, ruled};
use crate::command::{Action, Command, Membership, Profile, SetMembership};
use crate::query::blocks_invites;
use crate::state::events::Event;
use crate::state::members;
use crate::state::rooms::Room;
use crate::{Rejected, apply};
use axum::Json;
use axum::extract::State;
use bongsu_base::{RoomId, UserId};
use bongsu_lane::{Priority, Refusal};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use http::StatusCode;
use ruma::api::client::membership::invite_user::v3::InvitationRecipient;
use ruma::api::client::membership::{
    ban_user, forget_room, invite_user, kick_user, leave_room, unban_user,
};
use ruma::api::error::ErrorKind;
use ruma::{OwnedRoomAliasId, OwnedRoomId, OwnedRoomOrAliasId, RoomOrAliasId};
use rusqlite::Connection;
use serde_json::{Map, Value, json};

impl Api {
    /// Has a membership changed, unless the room's rules refuse it already.
    pub(super) async fn change(
        &self,
        caller: &Caller,
        room: RoomId,
        user: UserId,
        action: Action,
        reason: Option<String>,
    ) -> Result<(), MatrixError> {
        self.may_change(caller, &room, &user, action).await?;
        if action == Action::Invite {
            let look = self
                .lane
                .read(|view| is(view.db(), &room, user.as_str(), "invite"));
            // They were asked, and need not be told twice.
            if look.await? {
                return Ok(());
            }
        }
        let profile = self.shown(&user, action).await?;
        let command = Command::Membership(Membership {
            room: room.clone(),
            user: user.clone(),
            action,
            reason,
            profile,
            is_direct: false,
        });
        self.make_change(caller, (&room, &user), action, command)
            .await
    }

    /// How `user` shows themselves in a membership that `action` makes.
    async fn shown(&self, user: &UserId, action: Action) -> Result<Profile, MatrixError> {
        match action {
            Action::Join | Action::Knock => self.profile_of(user).await,
            Action::Invite => self.profile_of_invited(user).await,
            Action::Leave | Action::Kick | Action::Ban | Action::Unban => Ok(Profile::default()),
        }
    }

    /// Adds to the content of a membership that `action` makes how `user` shows themselves, as far as it does not say
    /// so.
    pub(super) async fn show(
        &self,
        user: &UserId,
        action: Action,
        content: &mut Map<String, Value>,
    ) -> Result<(), MatrixError> {
        let profile = self.shown(user, action).await?;
        let shown = [
            ("displayname", profile.displayname),
            ("avatar_url", profile.avatar_url),
        ];
        for (name, value) in shown {
            if let Some(value) = value.filter(|_| !content.contains_key(name)) {
                content.insert(name.to_owned(), Value::String(value));
            }
        }
        Ok(())
    }

    /// Asks the room's rules, before anything is written.
    pub(super) async fn may_change(
        &self,
        caller: &Caller,
        room: &RoomId,
        user: &UserId,
        action: Action,
    ) -> Result<(), MatrixError> {
        let look = self.lane.read(|view| {
            let found = Room::by_id(view.db(), room)?;
            // Whether there is a room is no secret to whoever speaks of their own place in it.
            let own = matches!(action, Action::Join | Action::Knock | Action::Leave);
            let (db, user) = (view.db(), user.as_str());
            Ok(match found {
                Some(found) => {
                    let may = apply::may_change(db, &found, caller.user.as_str(), user, action);
                    let let_in = || match action {
                        Action::Join => apply::let_in_by(db, &found, user).map(drop),
                        _ => Ok(()),
                    };
                    may.and_then(|_| let_in()).map(|()| true)
                }
                None if own => Ok(false),
                None => Err(Refusal::Rejected(Rejected::NoSuchRoom)),
            })
        });
        let look = look.await;
        if let (Action::Unban, Ok(Err(Refusal::Rejected(Rejected::WrongMembership(why))))) =
            (action, &look)
        {
            // The specification's own example of a bad state (Matrix v1.19, other error codes).
            let (forbidden, bad_state) = (StatusCode::FORBIDDEN, ErrorKind::BadState);
            return Err(MatrixError::new(forbidden, bad_state, why.clone()));
        }
        if !ruled(look)? {
            return Err(MatrixError::not_found("there is no such room here"));
        }
        if action == Action::Invite {
            self.may_be_invited(user).await?;
        }
        Ok(())
    }
}

impl Api {
    /// Sees that `user` takes invitations (Matrix v1.19, invite permission).
    pub(super) async fn may_be_invited(&self, user: &UserId) -> Result<(), MatrixError> {
        let look = self
            .lane
            .read(|view| blocks_invites(view.db(), user.as_str()));
        if look.await? {
            let (forbidden, blocked) = (StatusCode::FORBIDDEN, ErrorKind::InviteBlocked);
            let message = format!("{user} takes no invitations");
            return Err(MatrixError::new(forbidden, blocked, message));
        }
        Ok(())
    }
}

/// Whether `user` is in the room by a membership that was redacted, so that they show themselves no more.
fn is_bare(db: &Connection, room: &RoomId, user: &UserId) -> rusqlite::Result<bool> {
    let Some(room) = Room::by_id(db, room)? else {
        return Ok(false);
    };
    let member = members::member(db, room.n, user.as_str())?;
    let Some(member) = member.filter(|member| member.membership == "join") else {
        return Ok(false);
    };
    let event = Event::at(db, member.position.as_i64())?;
    Ok(event.redacted_by.is_some())
}

/// What a client says of its joining: a reason, and what it wants to stand in the membership beside that.
fn entrance(plain: &Plain) -> Result<Map<String, Value>, MatrixError> {
    let mut content = plain.object_or_nothing()?;
    if content
        .get("reason")
        .is_some_and(|reason| !reason.is_string())
    {
        return Err(MatrixError::bad_json("`reason` is a text"));
    }
    // Nobody is invited by anything but their user id here, and who let somebody in is the server's to say.
    for name in ["third_party_signed", "third_party_invite", apply::LET_IN_BY] {
        content.remove(name);
    }
    Ok(content)
}

pub async fn join(State(api): State<Api>, plain: Plain) -> Result<Json<Value>, MatrixError> {
    let room: RoomId = ours(plain.param("room_id"))?;
    api.enter(&plain.caller, &room, entrance(&plain)?).await?;
    Ok(Json(json!({ "room_id": room.as_str() })))
}

pub async fn join_by_alias(
    State(api): State<Api>,
    plain: Plain,
) -> Result<Json<Value>, MatrixError> {
    let name = OwnedRoomOrAliasId::try_from(plain.param("room_id_or_alias"));
    let name = name.map_err(|error| MatrixError::invalid_param(error.to_string()))?;
    let room: RoomId = ours(api.room_named(&name).await?)?;
    api.enter(&plain.caller, &room, entrance(&plain)?).await?;
    Ok(Json(json!({ "room_id": room.as_str() })))
}

impl Api {
    /// Has the caller join a room, with what they want to stand in their membership.
    async fn enter(
        &self,
        caller: &Caller,
        room: &RoomId,
        mut content: Map<String, Value>,
    ) -> Result<(), MatrixError> {
        let user = caller.user.clone();
        self.may_enter(caller, room).await?;
        let look = self.lane.read(|view| is_bare(view.db(), room, &user));
        if look.await? {
            let (room, profile) = (room.clone(), self.profile_of(&user).await?);
            let command = Command::ShowIn { room, profile };
            self.submit(caller, Priority::Normal, None, command).await?;
            return Ok(());
        }
        let own = content.keys().any(|name| name != "reason");
        if !own {
            let reason = content.remove("reason");
            let reason = reason.and_then(|reason| reason.as_str().map(str::to_owned));
            return self
                .change(caller, room.clone(), user, Action::Join, reason)
                .await;
        }
        for name in ["displayname", "avatar_url"] {
            content.remove(name);
        }
        self.show(&user, Action::Join, &mut content).await?;
        let look = self.lane.read(|view| {
            let room = Room::by_id(view.db(), room)?;
            room.map(|room| members::membership(view.db(), room.n, user.as_str()))
                .transpose()
        });
        if look.await?.as_deref() == Some("join") {
            return Ok(());
        }
        let content = Value::Object(content);
        self.set_membership(caller, (room, &user), Action::Join, &content)
            .await
    }

    /// Has a membership changed as `content` says, unless the room's rules refuse it already.
    pub(super) async fn set_membership(
        &self,
        caller: &Caller,
        (room, user): (&RoomId, &UserId),
        action: Action,
        content: &Value,
    ) -> Result<(), MatrixError> {
        self.may_change(caller, room, user, action).await?;
        let content = self::content(&content.to_string())?;
        apply::may_fit("m.room.member", Some(user.as_str()), &content).map_err(refusal)?;
        let command = Command::SetMembership(SetMembership {
            room: room.clone(),
            user: user.clone(),
            action,
            content,
        });
        self.make_change(caller, (room, user), action, command)
            .await
    }

    /// Submits `command`, by which `user` comes or goes, and does what follows from that.
    async fn make_change(
        &self,
        caller: &Caller,
        (room, user): (&RoomId, &UserId),
        action: Action,
        command: Command,
    ) -> Result<(), MatrixError> {
        self.submit(caller, Priority::Normal, None, command).await?;
        match action {
            Action::Join => self.take_push_rule_along(caller, room).await?,
            Action::Leave | Action::Kick | Action::Ban => {
                // Whoever is gone types nothing more.
                self.typing.set(room, user, None, self.position());
                self.far.typing(room, user, None).await;
            }
            Action::Knock | Action::Invite | Action::Unban => {}
        }
        Ok(())
    }

    /// Sees that a guest enters only where guests are let in (Matrix v1.19, guest access).
    pub(super) async fn may_enter(
        &self,
        caller: &Caller,
        room: &RoomId,
    ) -> Result<(), MatrixError> {
        if !self.authenticator.standing(&caller.user).await?.guest {
            return Ok(());
        }
        let look = self.lane.read(|view| {
            let Some(room) = Room::by_id(view.db(), room)? else {
                return Ok(None);
            };
            room.state(view.db(), "m.room.guest_access", "")
        });
        match look.await? {
            Some((_, content)) if lets_guests_in(&content) => Ok(()),
            _ => Err(MatrixError::forbidden("this room does not let guests in")),
        }
    }

    /// Has the guests leave a room that lets no guests in any more.
    pub(super) async fn put_guests_out(&self, room: &RoomId) -> Result<(), MatrixError> {
        let look = self.lane.read(|view| {
            let Some(room) = Room::by_id(view.db(), room)? else {
                return Ok(Vec::new());
            };
            // Guests are called so; who else is called so has a password.
            let mut guests = view.db().prepare_cached(
                "SELECT user FROM member WHERE room = ?1 AND membership = 'join'
                   AND user LIKE '@guest-%' ORDER BY user",
            )?;
            let guests = guests.query_map([room.n], |row| row.get::<_, String>(0))?;
            guests.collect::<Result<Vec<_>, _>>()
        });
        for guest in look.await? {
            let user: UserId = ours(&guest)?;
            if !self.authenticator.standing(&user).await?.guest {
                continue;
            }
            let device = "GUEST".parse().expect("five letters are a device id");
            let guest = Caller { user, device };
            let (user, room) = (guest.user.clone(), room.clone());
            self.change(&guest, room, user, Action::Leave, None).await?;
        }
        Ok(())
    }
}

/// Whether `m.room.guest_access` with this content lets guests in.
pub(super) fn lets_guests_in(content: &str) -> bool {
    let content: Value = serde_json::from_str(content).unwrap_or_default();
    content["guest_access"] == "can_join"
}

impl Api {
    /// The room of an id or an alias.
    pub(super) async fn room_named(
        &self,
        name: &RoomOrAliasId,
    ) -> Result<OwnedRoomId, MatrixError> {
        match OwnedRoomId::try_from(name.to_owned()) {
            Ok(room) => Ok(room),
            Err(alias) => {
                let alias: OwnedRoomAliasId = alias;
                let found = self
                    .lane
                    .read(|view| Room::by_alias(view.db(), alias.as_str()))
                    .await?;
                let room = found
                    .ok_or_else(|| MatrixError::not_found(format!("there is no {alias} here")))?;
                theirs(room.id.as_str())
            }
        }
    }
}

pub async fn invite(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<invite_user::v3::Request>,
) -> Answer<invite_user::v3::Response> {
    let InvitationRecipient::UserId(guest) = request.recipient else {
        return Err(MatrixError::forbidden(
            "people can be invited by their user ids alone here",
        ));
    };
    let user = ours(&guest.user_id)?;
    api.change(
        &caller,
        ours(&request.room_id)?,
        user,
        Action::Invite,
        guest.reason,
    )
    .await?;
    Ok(Reply(invite_user::v3::Response::new()))
}

pub async fn leave(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<leave_room::v3::Request>,
) -> Answer<leave_room::v3::Response> {
    let (room, user): (RoomId, _) = (ours(&request.room_id)?, caller.user.clone());
    let look = api
        .lane
        .read(|view| is(view.db(), &room, user.as_str(), "leave"));
    // Whoever asks once more has not heard the answer.
    if !look.await? {
        api.change(&caller, room, user, Action::Leave, request.reason)
            .await?;
    }
    Ok(Reply(leave_room::v3::Response::new()))
}

/// Whether this is what `user` is to the room, as a membership event of theirs says.
fn is(db: &Connection, room: &RoomId, user: &str, membership: &str) -> rusqlite::Result<bool> {
    let Some(room) = Room::by_id(db, room)? else {
        return Ok(false);
    };
    let member = members::member(db, room.n, user)?;
    Ok(member.is_some_and(|member| member.membership == membership))
}

pub async fn kick(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<kick_user::v3::Request>,
) -> Answer<kick_user::v3::Response> {
    let user: UserId = ours(&request.user_id)?;
    // Putting oneself out is going.
    let action = if user == caller.user {
        Action::Leave
    } else {
        Action::Kick
    };
    api.change(
        &caller,
        ours(&request.room_id)?,
        user,
        action,
        request.reason,
    )
    .await?;
    Ok(Reply(kick_user::v3::Response::new()))
}

pub async fn ban(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<ban_user::v3::Request>,
) -> Answer<ban_user::v3::Response> {
    let user = ours(&request.user_id)?;
    api.change(
        &caller,
        ours(&request.room_id)?,
        user,
        Action::Ban,
        request.reason,
    )
    .await?;
    Ok(Reply(ban_user::v3::Response::new()))
}

pub async fn unban(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<unban_user::v3::Request>,
) -> Answer<unban_user::v3::Response> {
    let user = ours(&request.user_id)?;
    api.change(
        &caller,
        ours(&request.room_id)?,
        user,
        Action::Unban,
        request.reason,
    )
    .await?;
    Ok(Reply(unban_user::v3::Response::new()))
}

pub async fn forget(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<forget_room::v3::Request>,
) -> Answer<forget_room::v3::Response> {
    let room: RoomId = ours(&request.room_id)?;
    let inside = api.lane.read(|view| {
        let found = Room::by_id(view.db(), &room)?;
        let user = caller.user.as_str();
        let member = found.map(|found| members::member(view.db(), found.n, user));
        Ok(member.transpose()?.flatten())
    });
    let Some(member) = inside.await? else {
        return Err(rejected(&Rejected::NoSuchRoom));
    };
    // The specification names no code for this one.
    if !matches!(member.membership.as_str(), "leave" | "ban") {
        let message = "you are in this room; leave it before you forget it";
        let unknown = ErrorKind::Unknown;
        return Err(MatrixError::new(StatusCode::BAD_REQUEST, unknown, message));
    }
    let command = Command::ForgetHistory(room);
    api.submit(&caller, Priority::Normal, None, command).await?;
    Ok(Reply(forget_room::v3::Response::new()))
}
