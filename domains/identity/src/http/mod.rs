//! Matrix's endpoints about people, one file each (Matrix v1.19, client-server API). Wire types stop
//! here.

mod address;
pub mod admin;
mod began;
mod change_password;
mod deactivate;
mod delete_device;
mod delete_devices;
mod delete_profile_field;
mod get_device;
mod get_devices;
mod get_login_token;
mod get_profile;
mod get_profile_field;
mod get_threepids;
mod ids;
mod interactive;
mod login;
mod login_types;
mod logout;
mod logout_all;
mod moderation;
pub mod oauth;
mod open;
mod pages;
mod refresh;
mod refusal;
mod register;
mod registration_token;
mod set_profile_field;
mod update_device;
mod username_available;
mod whoami;
mod whois;

use crate::{Accounts, Vault};
use axum::Router;
use began::Seals;
use bongsu_web_kit::Authenticate;
use bongsu_web_kit::matrix::{Endpoints, Gate, Operation};
use interactive::Asking;
use open::Open;
use ruma::api::client::{account, admin as moderate, device, profile, session};
use std::sync::Arc;

/// What the endpoints work with.
#[derive(Clone)]
pub struct Api {
    accounts: Accounts,
    authenticator: Arc<dyn Authenticate>,
    seals: Seals,
}

impl Api {
    /// The endpoints' state over these accounts, for whoever `authenticator` lets in. `vault` seals what stands between
    /// the requests of one authentication.
    #[must_use]
    pub fn new(accounts: Accounts, authenticator: Arc<dyn Authenticate>, vault: &Vault) -> Self {
        Self {
            accounts,
            authenticator,
            seals: Seals::of(vault),
        }
    }
}

impl Gate for Api {
    fn authenticator(&self) -> &Arc<dyn Authenticate> {
        &self.authenticator
    }
}

/// The router of all endpoints, and what it serves.
pub fn endpoints(api: Api) -> (Router, Vec<Operation>) {
    all().into_router(api)
}

/// What is served.
#[must_use]
pub fn operations() -> Vec<Operation> {
    all().operations().to_vec()
}

fn all() -> Endpoints<Api> {
    let endpoints = Endpoints::default();
    administration(profiles(devices(accounts(sessions(endpoints)))))
}

fn sessions(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    endpoints
        .serve::<session::get_login_types::v3::Request, _, _>(login_types::handle)
        .serve::<Open<session::login::v3::Request>, _, _>(login::handle)
        .serve::<Asking<session::get_login_token::v1::Request>, _, _>(get_login_token::handle)
        .serve::<session::refresh_token::v3::Request, _, _>(refresh::handle)
        .serve::<session::logout::v3::Request, _, _>(logout::handle)
        .serve::<session::logout_all::v3::Request, _, _>(logout_all::handle)
}

fn accounts(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    use account::check_registration_token_validity::v1 as token_validity;
    use account::get_username_availability::v3 as availability;
    endpoints
        .serve::<register::Registering, _, _>(register::handle)
        .serve::<availability::Request, _, _>(username_available::handle)
        .serve::<token_validity::Request, _, _>(registration_token::handle)
        .serve::<account::whoami::v3::Request, _, _>(whoami::handle)
        .serve::<Asking<account::change_password::v3::Request>, _, _>(change_password::handle)
        .serve::<Asking<account::deactivate::v3::Request>, _, _>(deactivate::handle)
        .serve::<account::get_3pids::v3::Request, _, _>(get_threepids::handle)
}

fn devices(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    endpoints
        .serve::<device::get_devices::v3::Request, _, _>(get_devices::handle)
        .serve::<device::get_device::v3::Request, _, _>(get_device::handle)
        .serve::<device::update_device::v3::Request, _, _>(update_device::handle)
        .serve::<Asking<device::delete_device::v3::Request>, _, _>(delete_device::handle)
        .serve::<Asking<device::delete_devices::v3::Request>, _, _>(delete_devices::handle)
}

/// The endpoints for one field serve the older ones for `displayname` and `avatar_url` too: their paths
/// and bodies are the same.
fn profiles(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    endpoints
        .serve::<profile::get_profile::v3::Request, _, _>(get_profile::handle)
        .serve::<profile::get_profile_field::v3::Request, _, _>(get_profile_field::handle)
        .serve::<set_profile_field::SetField, _, _>(set_profile_field::handle)
        .serve::<profile::delete_profile_field::v3::Request, _, _>(delete_profile_field::handle)
}

fn administration(endpoints: Endpoints<Api>) -> Endpoints<Api> {
    endpoints
        .serve::<moderate::get_user_info::v3::Request, _, _>(whois::handle)
        .serve::<moderate::is_user_locked::v1::Request, _, _>(moderation::is_locked)
        .serve::<moderate::lock_user::v1::Request, _, _>(moderation::lock)
        .serve::<moderate::is_user_suspended::v1::Request, _, _>(moderation::is_suspended)
        .serve::<moderate::suspend_user::v1::Request, _, _>(moderation::suspend)
}
