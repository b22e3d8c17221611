//! Identity: people, their devices and their sessions.
//!
//! It promises that a token authenticates from the entry that made it until the entry that revoked it
//! and never outside, that no token and no password stands in the log, the view or a message (hashes
//! do), and that guessing passwords is slowed down the same way in every replica. It never knows what a
//! room is; other domains ask about people through the traits of `bongsu-web-kit`.

mod accounts;
mod apply;
mod command;
mod config;
mod effect;
pub mod http;
mod password;
pub mod provider;
mod query;
mod recent;
mod secret;
mod state;

#[cfg(test)]
mod testing;

pub use accounts::{AccountError, Accounts};
pub use bongsu_web_kit::Clock;
pub use command::{
    Accepted, Act, Administer, Command, ConfirmRefresh, CreateAccount, Deactivate, DeleteDevices,
    Denial, NewSession, PermitSignIn, Proof, Refresh, Rejected, RenameDevice, SetPassword,
    SetProfile, SignIn, SignInByToken, SignOut, SignOutEverywhere, oauth,
};
pub use config::{Config, HashingCost, Registration};
pub use effect::Effect;
pub use password::CostError;
pub use provider::{
    LogoutError, Provider, ProviderConfig, RotateError, SelfRegistration, Vault, VaultError,
};
pub use secret::{PasswordHash, Token, TokenHash};

use bongsu_lane::{Cx, Domain, Refusal};

/// The identity domain.
pub struct Identity;

impl Domain for Identity {
    const NAME: &'static str = "identity";
    const VERSION: u32 = 3;
    const MIGRATIONS: &'static [&'static str] = &[
        include_str!("migrations/0001.sql"),
        include_str!("migrations/0002_administration.sql"),
        include_str!("migrations/0003_oauth.sql"),
        include_str!("migrations/0004_spent.sql"),
        include_str!("migrations/0005_login_token.sql"),
    ];

    type Command = Command;
    type Accepted = Accepted;
    type Rejected = Rejected;
    type Effect = Effect;

    fn since(command: &Command) -> u32 {
        match command {
            Command::ConfirmRefresh(_) => 3,
            _ => 1,
        }
    }

    fn apply(cx: &mut Cx<'_, Self>, command: Command) -> Result<Accepted, Refusal<Rejected>> {
        apply::apply(cx, command)
    }
}
