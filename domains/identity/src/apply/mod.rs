//! Applying commands: one file a verb with its rules and their tests.

mod administer;
mod confirm_refresh;
mod create_account;
mod deactivate;
mod delete_devices;
mod ending;
pub mod lockout;
pub(crate) mod oauth;
mod owner;
mod permit_sign_in;
mod proof;
mod refresh;
mod rename_device;
mod session;
mod set_password;
mod set_profile;
mod sign_in;
mod sign_in_by_token;
mod sign_out;
mod sign_out_everywhere;

pub(crate) use rename_device::may_be_called;
pub(crate) use set_profile::{MAX_NAME, has_room, may_hold};

use crate::Identity;
use crate::command::{Accepted, Command, Rejected};
use bongsu_lane::Refusal;

type Cx<'a> = bongsu_lane::Cx<'a, Identity>;
type Verdict = Result<Accepted, Refusal<Rejected>>;

/// Applies one command.
pub fn apply(cx: &mut Cx<'_>, command: Command) -> Verdict {
    match command {
        Command::CreateAccount(command) => create_account::apply(cx, &command),
        Command::SignIn(command) => sign_in::apply(cx, &command),
        Command::Refresh(command) => refresh::apply(cx, &command),
        Command::ConfirmRefresh(command) => confirm_refresh::apply(cx, &command),
        Command::SignOut(command) => sign_out::apply(cx, &command),
        Command::SignOutEverywhere(command) => sign_out_everywhere::apply(cx, &command),
        Command::SetPassword(command) => set_password::apply(cx, &command),
        Command::Deactivate(command) => deactivate::apply(cx, &command),
        Command::SetProfile(command) => set_profile::apply(cx, &command),
        Command::RenameDevice(command) => rename_device::apply(cx, &command),
        Command::DeleteDevices(command) => delete_devices::apply(cx, &command),
        Command::Administer(command) => administer::apply(cx, &command),
        Command::Oauth(command) => oauth::apply(cx, &command),
        Command::PermitSignIn(command) => permit_sign_in::apply(cx, &command),
        Command::SignInByToken(command) => sign_in_by_token::apply(cx, &command),
    }
}

fn reject(why: Rejected) -> Refusal<Rejected> {
    Refusal::Rejected(why)
}
