//! Media: giving out ids, storing, deleting, withholding.

use super::{Ruled, actor, need_operator};
use crate::command::{AddMedia, ReserveMedia, StoreMedia};
use crate::outcome::{Accepted, Rejected};
use crate::state::media;
use crate::{Applied, Cx};
use bongsu_base::{LogTime, UserId};
use bongsu_lane::{Refusal, Topic};
use rusqlite::Connection;

/// How many expired ids are forgotten whenever a new one is given out.
const FORGOTTEN: u32 = 64;

/// What to wait for until the media `id` has its content.
#[must_use]
pub fn media_topic(id: &str) -> Topic {
    Topic::of("media", id)
}

pub fn add(cx: &mut Cx<'_>, command: &AddMedia) -> Applied {
    let user = actor(cx)?;
    media::add(cx.db(), user.as_str(), command, cx.time())?;
    Ok(Accepted::Done)
}

pub fn reserve(cx: &mut Cx<'_>, command: &ReserveMedia) -> Applied {
    let user = actor(cx)?;
    let now = cx.time();
    may_reserve(cx.db(), user.as_str(), now, command.most)?;
    media::forget_expired(cx.db(), now, FORGOTTEN)?;
    let expires = LogTime(now.0.saturating_add(command.lifetime_ms));
    media::reserve(cx.db(), &command.id, user.as_str(), expires)?;
    Ok(Accepted::Done)
}

pub fn store(cx: &mut Cx<'_>, command: &StoreMedia) -> Applied {
    let user = actor(cx)?;
    may_store(cx.db(), user.as_str(), cx.time(), command)?;
    media::add(cx.db(), user.as_str(), &command.media, cx.time())?;
    if command.reserved {
        media::unreserve(cx.db(), &command.media.id)?;
        cx.wake(media_topic(&command.media.id));
    }
    Ok(Accepted::Done)
}

pub fn delete(cx: &mut Cx<'_>, id: &str) -> Applied {
    need_operator(cx)?;
    let item = media::item(cx.db(), id)?.ok_or(Refusal::Rejected(Rejected::NoSuchMedia))?;
    media::remove(cx.db(), id, &item)?;
    Ok(Accepted::Done)
}

pub fn set_quarantined(cx: &mut Cx<'_>, id: &str, quarantined: bool) -> Applied {
    need_operator(cx)?;
    media::item(cx.db(), id)?.ok_or(Refusal::Rejected(Rejected::NoSuchMedia))?;
    media::set_quarantined(cx.db(), id, quarantined)?;
    Ok(Accepted::Done)
}

/// Notes which picture somebody shows everywhere, so that it does not go by age.
pub fn show_avatar(cx: &mut Cx<'_>, user: &UserId, url: Option<&str>) -> Applied {
    need_operator(cx)?;
    media::set_avatar(cx.db(), user.as_str(), url)?;
    Ok(Accepted::Done)
}

/// Sees that `user` may have one more id before its content: fewer than `most` wait for theirs.
///
/// # Errors
/// When they may not, or the view cannot be read.
pub fn may_reserve(db: &Connection, user: &str, now: LogTime, most: u32) -> Ruled<()> {
    match media::reservations(db, user, now)? {
        (count, Some(first)) if count >= most => {
            let wait_ms = first.0.saturating_sub(now.0);
            Err(Refusal::Rejected(Rejected::TooManyReserved {
                most,
                wait_ms,
            }))
        }
        _ => Ok(()),
    }
}

/// Sees that `user` may store this media.
///
/// # Errors
/// When they may not, or the view cannot be read.
pub fn may_store(db: &Connection, user: &str, now: LogTime, command: &StoreMedia) -> Ruled<()> {
    let StoreMedia {
        media: new,
        reserved,
        quota,
    } = command;
    let refuse = |why| Err(Refusal::Rejected(why));
    if let Some(item) = media::item(db, &new.id)? {
        return refuse(if item.uploader == user {
            Rejected::MediaExists
        } else {
            Rejected::NotYours("somebody else made this media id".to_owned())
        });
    }
    if *reserved {
        match media::reserved(db, &new.id)? {
            Some(reserved) if reserved.user != user => {
                let why = "only who made this media id may upload to it";
                return refuse(Rejected::NotYours(why.to_owned()));
            }
            Some(reserved) if reserved.expires > now => {}
            _ => return refuse(Rejected::NoSuchMedia),
        }
    }
    match *quota {
        Some(quota) if media::usage(db, user)?.bytes.saturating_add(new.bytes) > quota => {
            refuse(Rejected::OverQuota { quota })
        }
        _ => Ok(()),
    }
}
