//! Erasing somebody: what they wrote is shown to nobody from then on, and taken away a bounded part at a
//! time, with what they uploaded.

use super::need_operator;
use super::sweep::{MOST, sweep_topic};
use crate::outcome::Accepted;
use crate::state::erased::{self, Place, left_of};
use crate::state::events::{COLUMNS, Event};
use crate::state::media;
use crate::state::relations;
use crate::{Applied, Cx};
use bongsu_base::UserId;
use rusqlite::{Connection, OptionalExtension};

/// How many events of a room are looked at for each one that may be taken away.
const LOOK: u32 = 8;

/// See [`crate::Command::Erase`].
pub fn begin(cx: &mut Cx<'_>, user: &UserId) -> Applied {
    need_operator(cx)?;
    let since = cx.position().as_i64();
    erased::begin(cx.db(), user.as_str(), since)?;
    media::set_avatar(cx.db(), user.as_str(), None)?;
    cx.wake(sweep_topic());
    Ok(Accepted::Done)
}

/// See [`crate::Command::SweepErased`].
pub fn sweep(cx: &mut Cx<'_>, user: &UserId, most: u32) -> Applied {
    need_operator(cx)?;
    let most = most.min(MOST);
    let (db, user) = (cx.db(), user.as_str());
    let Some(place) = erased::place(db, user)? else {
        return Ok(Accepted::Done);
    };
    let uploads = media::uploads(db, user, "", most)?;
    for id in &uploads {
        if let Some(item) = media::item(db, id)? {
            media::remove(db, id, &item)?;
        }
    }
    if uploads.len() < most as usize {
        erased::advance(db, user, strip(db, user, place, most)?)?;
    }
    Ok(Accepted::Done)
}

/// Takes away what `user` wrote from `place` on, and says where to go on.
fn strip(db: &Connection, user: &str, place: Place, most: u32) -> rusqlite::Result<Option<Place>> {
    let room: Option<i64> = db
        .prepare_cached(
            "SELECT room FROM member WHERE user = ?1 AND room >= ?2 ORDER BY room LIMIT 1",
        )?
        .query_row((user, place.room), |row| row.get(0))
        .optional()?;
    let Some(room) = room else { return Ok(None) };
    let after = if room == place.room { place.event } else { 0 };
    let look = i64::from(most * LOOK);
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM event WHERE room = ?1 AND position > ?2 ORDER BY position LIMIT ?3"
    ))?;
    let mut rows = statement.query((room, after, look))?;
    let (mut looked, mut last) = (0, after);
    let mut theirs = Vec::new();
    while let Some(row) = rows.next()? {
        looked += 1;
        last = row.get(0)?;
        if row.get_ref(3)?.as_str()? == user {
            theirs.push(Event::from_row(row)?);
        }
        if theirs.len() == most as usize {
            break;
        }
    }
    let whole = theirs.len() < most as usize && looked < look;
    for event in theirs {
        let Some(left) = left_of(&event) else {
            continue;
        };
        db.prepare_cached(
            "UPDATE event SET content = ?2, redacted_by = coalesce(redacted_by, 0)
             WHERE position = ?1",
        )?
        .execute((event.position.as_i64(), left))?;
        if event.state_key.is_none() {
            relations::forget(db, &event)?;
        }
    }
    Ok(Some(if whole {
        Place {
            room: room + 1,
            event: 0,
        }
    } else {
        Place { room, event: last }
    }))
}
