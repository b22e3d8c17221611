//! Beginning a session on a device.

use super::{Cx, ending, reject};
use crate::command::{NewSession, Rejected};
use crate::state::{device, token};
use bongsu_base::UserId;
use bongsu_lane::Refusal;

/// The longest name of a device, in bytes.
pub(super) const MAX_DEVICE_NAME: usize = 255;

/// Begins `session`. Earlier tokens of the same device end (Matrix v1.19, client-server API, login:
/// "any previous access token associated with that device is invalidated").
pub(super) fn begin(
    cx: &mut Cx<'_>,
    user: &UserId,
    session: &NewSession,
) -> Result<(), Refusal<Rejected>> {
    let name = session.display_name.as_deref();
    if name.is_some_and(|name| name.len() > MAX_DEVICE_NAME) {
        return Err(reject(Rejected::DeviceName));
    }
    let (now, at) = (cx.time(), cx.position());
    let id = &session.device;
    ending::on_device(cx, user, id)?;
    let db = cx.db();
    device::seen(db, user, id, name, &session.address, now)?;
    let expires = session.access_lifetime.map(|lifetime| now + lifetime);
    token::set_access(db, user, id, &session.access, expires)?;
    if let Some(refresh) = &session.refresh {
        token::add_refresh(db, user, id, refresh, at)?;
    }
    Ok(())
}
