//! Coming and going: join, invite, leave, kick, ban, unban, forget.

use super::Api;
use super::convert::{ours, theirs};
use super::refuse::{rejected, ruled};
use crate::command::{Action, Command, Membership, Profile};
use crate::state::members;
use crate::state::rooms::Room;
use crate::{Rejected, apply};
use axum::extract::State;
use bongsu_base::{RoomId, UserId};
use bongsu_lane::{Priority, Refusal};
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::membership::invite_user::v3::InvitationRecipient;
use ruma::api::client::membership::{
    ban_user, forget_room, invite_user, join_room_by_id, join_room_by_id_or_alias, kick_user,
    leave_room, unban_user,
};
use ruma::{OwnedRoomAliasId, OwnedRoomId, RoomOrAliasId};

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
        let profile = match action {
            Action::Join | Action::Knock => self.profile_of(&user).await?,
            Action::Invite => self.profile_of_invited(&user).await?,
            Action::Leave | Action::Kick | Action::Ban | Action::Unban => Profile::default(),
        };
        let command = Command::Membership(Membership {
            room: room.clone(),
            user,
            action,
            reason,
            profile,
            is_direct: false,
        });
        self.submit(caller, Priority::Normal, None, command).await?;
        if action == Action::Join {
            self.take_push_rule_along(caller, &room).await?;
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
            Ok(match found {
                Some(found) => apply::may_change(
                    view.db(),
                    &found,
                    caller.user.as_str(),
                    user.as_str(),
                    action,
                )
                .map(|_| true),
                None if own => Ok(false),
                None => Err(Refusal::Rejected(Rejected::NoSuchRoom)),
            })
        });
        if ruled(look.await)? {
            Ok(())
        } else {
            Err(MatrixError::not_found("there is no such room here"))
        }
    }
}

pub async fn join(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<join_room_by_id::v3::Request>,
) -> Answer<join_room_by_id::v3::Response> {
    let user = caller.user.clone();
    api.change(
        &caller,
        ours(&request.room_id)?,
        user,
        Action::Join,
        request.reason,
    )
    .await?;
    Ok(Reply(join_room_by_id::v3::Response::new(request.room_id)))
}

pub async fn join_by_alias(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<join_room_by_id_or_alias::v3::Request>,
) -> Answer<join_room_by_id_or_alias::v3::Response> {
    let room = api.room_named(&request.room_id_or_alias).await?;
    let user = caller.user.clone();
    api.change(&caller, ours(&room)?, user, Action::Join, request.reason)
        .await?;
    Ok(Reply(join_room_by_id_or_alias::v3::Response::new(room)))
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
    let user = caller.user.clone();
    api.change(
        &caller,
        ours(&request.room_id)?,
        user,
        Action::Leave,
        request.reason,
    )
    .await?;
    Ok(Reply(leave_room::v3::Response::new()))
}

pub async fn kick(
    State(api): State<Api>,
    Matrix {
        request, caller, ..
    }: Matrix<kick_user::v3::Request>,
) -> Answer<kick_user::v3::Response> {
    let user = ours(&request.user_id)?;
    api.change(
        &caller,
        ours(&request.room_id)?,
        user,
        Action::Kick,
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
        let unknown = ruma::api::error::ErrorKind::Unknown;
        return Err(MatrixError::new(
            http::StatusCode::BAD_REQUEST,
            unknown,
            message,
        ));
    }
    let command = Command::Forget(room);
    api.submit(&caller, Priority::Normal, None, command).await?;
    Ok(Reply(forget_room::v3::Response::new()))
}
