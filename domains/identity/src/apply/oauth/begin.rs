//! Beginning a client's session.

use super::{Cx, Ruled, TIDIED};
use crate::apply::{ending, reject, session as devices};
use crate::command::Rejected;
use crate::command::oauth::{Beginning, Begun, ClientId, Issued};
use crate::state::device;
use crate::state::oauth::session::{self, Session};
use bongsu_base::{DeviceId, LogTime, UserId};

/// For whom a session begins, and what was granted.
pub(super) struct For {
    pub user: UserId,
    pub client: ClientId,
    pub scope: String,
    pub auth_time: LogTime,
    pub browser: Option<DeviceId>,
    pub claims: Option<String>,
    pub nonce: Option<String>,
    /// The Matrix device that the client wants to be.
    pub device: Option<DeviceId>,
}

pub(super) fn begin(cx: &mut Cx<'_>, whose: For, new: &Beginning) -> Ruled<Begun> {
    if new.name.len() > devices::MAX_DEVICE_NAME {
        return Err(reject(Rejected::DeviceName));
    }
    let now = cx.time();
    session::purge_revoked(cx.db(), now, TIDIED)?;
    for ended in session::ended(cx.db(), now, TIDIED)? {
        ending::session(cx, &ended)?;
    }
    let id = whose.device.unwrap_or_else(|| new.device.clone());
    // As with a password, what the device had before ends (Matrix v1.19, client-server API, login).
    ending::on_device(cx, &whose.user, &id)?;
    let name = Some(new.name.as_str());
    device::seen(cx.db(), &whose.user, &id, name, &new.address, now)?;
    let row = Session {
        n: session::next_number(cx.db())?,
        user: whose.user,
        device: id,
        client: whose.client,
        scope: whose.scope,
        browser: whose.browser,
        jkt: new.jkt,
        auth_time: whose.auth_time,
        claims: whose.claims,
        generation: u32::from(new.refresh),
        refreshed: now,
        lasts: new.lasts,
    };
    let end = now + if new.refresh { new.idle } else { new.lasts };
    session::insert(cx.db(), &row, end)?;
    let claims = row.claims.clone();
    Ok(Begun {
        issued: issued(row),
        nonce: whose.nonce,
        claims,
    })
}

/// What the tokens of a session are made of now.
pub(super) fn issued(session: Session) -> Issued {
    Issued {
        session: session.n,
        generation: session.generation,
        at: session.refreshed,
        lasts: session.lasts,
        user: session.user,
        device: session.device,
        scope: session.scope,
        auth_time: session.auth_time,
        browser: session.browser,
        jkt: session.jkt,
    }
}
