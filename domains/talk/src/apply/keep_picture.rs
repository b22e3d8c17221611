//! Keeping a picture of a page that somebody linked to, for a while.

use crate::command::KeepPicture;
use crate::outcome::{Accepted, Rejected};
use crate::state::{kept, media};
use crate::{Applied, Cx};
use bongsu_base::LogTime;
use bongsu_lane::{Actor, Refusal};

/// How many that have expired go whenever a new one comes.
pub const FORGOTTEN: u32 = 64;

/// Whose media it is: nobody's, so that it counts against no quota.
const PLATFORM: &str = "";

pub fn apply(cx: &mut Cx<'_>, command: &KeepPicture) -> Applied {
    if *cx.actor() != Actor::Platform && cx.actor().operator().is_none() {
        let why = "only the platform keeps pictures of pages";
        return Err(Refusal::Rejected(Rejected::NotYours(why.to_owned())));
    }
    if media::item(cx.db(), &command.media.id)?.is_some() {
        return Err(Refusal::Rejected(Rejected::MediaExists));
    }
    let now = cx.time();
    for (id, _) in kept::expired(cx.db(), now, FORGOTTEN)? {
        kept::forget(cx.db(), &id)?;
    }
    media::add(cx.db(), PLATFORM, &command.media, now)?;
    let expires = LogTime(now.0.saturating_add(command.lifetime_ms));
    kept::keep(cx.db(), &command.media.id, expires)?;
    Ok(Accepted::Done)
}
