//! Ending whatever stands on a device: a messenger's tokens, a client's session, a browser that is signed in.

use super::Cx;
use crate::effect::Effect;
use crate::state::oauth::session::{self, Session};
use crate::state::oauth::{browser, client};
use crate::state::{device, token};
use bongsu_base::{DeviceId, UserId};
use rusqlite::Result;
use std::collections::BTreeSet;

/// Scopes with which a client goes on after the person has left the browser: it works while they are away, or is
/// a messenger of its own.
const STAYS: [&str; 2] = ["offline_access", "urn:matrix:client:device:"];

/// Ends all on a device, and the device; whether there was one.
pub(super) fn device(cx: &mut Cx<'_>, user: &UserId, id: &DeviceId) -> Result<bool> {
    on_device(cx, user, id)?;
    device::delete(cx.db(), user, id)
}

/// Ends all on a device that goes on to exist.
pub(super) fn on_device(cx: &mut Cx<'_>, user: &UserId, id: &DeviceId) -> Result<()> {
    if let Some(found) = session::on_device(cx.db(), user, id)? {
        revoke(cx, &found)?;
    }
    if browser::remove(cx.db(), user, id)? {
        left_browser(cx, user, id)?;
    }
    token::revoke(cx.db(), user, id)
}

/// Ends a client's session with its device.
pub(super) fn session(cx: &mut Cx<'_>, found: &Session) -> Result<()> {
    device(cx, &found.user, &found.device).map(drop)
}

fn revoke(cx: &mut Cx<'_>, found: &Session) -> Result<()> {
    session::revoke(cx.db(), found, cx.time())?;
    tell(cx, found)
}

/// The clients that were used in a browser learn that the person left it; most sessions of theirs end.
fn left_browser(cx: &mut Cx<'_>, user: &UserId, id: &DeviceId) -> Result<()> {
    let mut told = BTreeSet::new();
    for found in session::of_browser(cx.db(), user, id)? {
        let stays = found
            .scope
            .split(' ')
            .any(|scope| STAYS.iter().any(|one| scope.starts_with(one)));
        if !stays {
            session::revoke(cx.db(), &found, cx.time())?;
            token::revoke(cx.db(), user, &found.device)?;
            device::delete(cx.db(), user, &found.device)?;
        }
        if told.insert(found.client.clone()) {
            tell(cx, &found)?;
        }
    }
    Ok(())
}

fn tell(cx: &mut Cx<'_>, found: &Session) -> Result<()> {
    let Some(to) = client::logout_uri(cx.db(), &found.client)? else {
        return Ok(());
    };
    let effect = Effect::SignedOut {
        client: found.client.clone(),
        to,
        user: found.user.clone(),
        browser: found.browser.clone(),
        at: cx.time(),
    };
    cx.effect(&effect)
}
