//! A room's history, a page at a time, and who may read it.

use super::room_state::membership_at;
use super::unread::{ignored_by, is_of};
use crate::state::events::{COLUMNS, Event};
use crate::state::members::{Stay, forgotten_upto, member, stays};
use crate::state::rooms::{Room, Visibility};
use rusqlite::Connection;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// How many events are looked at for one page, at most, when a filter lets few through.
const LOOK: i64 = 20_000;

/// What somebody may read of a room's history (Matrix v1.19, room history visibility).
#[derive(Debug, Clone)]
pub struct Visible {
    room: i64,
    user: String,
    stays: Vec<Stay>,
    banned: bool,
    ignored: BTreeSet<String>,
}

impl Visible {
    /// What `user` may read of the room numbered `room`.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn of(db: &Connection, room: i64, user: &str) -> rusqlite::Result<Self> {
        let mut stays = stays(db, room, user)?;
        let gone = stays.last().is_some_and(|stay| stay.until.is_some());
        let gone = if gone { member(db, room, user)? } else { None };
        // Who has forgotten a room reads nothing of it any more, until they come back.
        if gone.as_ref().is_some_and(|member| member.forgotten) {
            stays.clear();
        } else if stays.iter().any(|stay| stay.until.is_some())
            && let Some(upto) = forgotten_upto(db, room, user)?
        {
            // To be invited is not yet to be back.
            let back = |stay: &Stay| stay.joined.is_some_and(|joined| joined > upto);
            if !stays.iter().any(back) {
                stays.retain(|stay| stay.started > upto);
            }
        }
        Ok(Self {
            room,
            user: user.to_owned(),
            stays,
            banned: gone.is_some_and(|member| member.membership == "ban"),
            ignored: BTreeSet::new(),
        })
    }

    /// Who may read it.
    pub(super) fn user(&self) -> &str {
        &self.user
    }

    /// What they were to the room once `event` was in it: the word of their membership.
    pub(super) fn membership_at(
        &self,
        db: &Connection,
        event: &Event,
    ) -> rusqlite::Result<Cow<'static, str>> {
        let at = event.position.as_i64();
        let lasted = |stay: &&Stay| at >= stay.started && stay.until.is_none_or(|until| at < until);
        Ok(match self.stays.iter().find(lasted) {
            Some(stay) if stay.joined.is_some_and(|joined| at >= joined) => "join".into(),
            Some(_) => "invite".into(),
            None => {
                membership_at(db, self.room, &self.user, at)?.map_or("leave".into(), Cow::Owned)
            }
        })
    }

    /// The same without what those whom they ignore say.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn without_ignored(self, db: &Connection) -> rusqlite::Result<Self> {
        let ignored = ignored_by(db, &self.user)?;
        Ok(self.ignoring(&ignored))
    }

    /// The same without what those of `ignored` say.
    pub(super) fn ignoring(mut self, ignored: &BTreeSet<String>) -> Self {
        self.ignored.clone_from(ignored);
        self
    }

    /// Whom they ignore, as far as this is without what those say.
    pub(super) fn ignored(&self) -> &BTreeSet<String> {
        &self.ignored
    }

    /// Whether they may read `event`. What changes who may read is read by whom it let read before or lets
    /// read after.
    #[must_use]
    pub fn admits(&self, event: &Event) -> bool {
        !is_of(&self.ignored, event) && self.may_read(event)
    }

    /// As [`Self::admits`], whether they ignore its sender or not.
    pub(super) fn may_read(&self, event: &Event) -> bool {
        if event.state_key.as_deref() == Some(&self.user) || self.admits_as(event, event.visibility)
        {
            return true;
        }
        let changed = (event.kind == "m.room.history_visibility")
            .then(|| Visibility::of_content(&event.content));
        changed.is_some_and(|visibility| self.admits_as(event, visibility))
    }

    fn admits_as(&self, event: &Event, visibility: Visibility) -> bool {
        if visibility == Visibility::WorldReadable {
            return true;
        }
        let at = event.position.as_i64();
        self.stays.iter().any(|stay| {
            let Some(joined) = stay.joined else {
                return false;
            };
            let from = match visibility {
                Visibility::Joined => joined,
                Visibility::Invited => stay.started,
                Visibility::Shared | Visibility::WorldReadable => 0,
            };
            at >= from && stay.until.is_none_or(|until| at <= until)
        })
    }

    /// Whether they were in the room when `event` was sent, or it made them come or go.
    #[must_use]
    pub fn was_there(&self, event: &Event) -> bool {
        let at = event.position.as_i64();
        let within = |stay: &Stay| {
            stay.joined.is_some_and(|joined| at > joined)
                && stay.until.is_none_or(|until| at <= until)
        };
        event.state_key.as_deref() == Some(&self.user) || self.stays.iter().any(within)
    }

    /// Whether they may look into `room`, the one this is about: who is or was in it and is not banned, and everybody where
    /// the world may. Of which events, [`Self::admits`] says.
    #[must_use]
    pub fn may_look_into(&self, room: &Room) -> bool {
        room.visibility == Visibility::WorldReadable || self.ever_joined() && !self.banned
    }

    /// Whether they are or were in the room.
    #[must_use]
    pub fn ever_joined(&self) -> bool {
        self.stays.iter().any(|stay| stay.joined.is_some())
    }

    /// Where the last stay became a membership, whether it lasts or not.
    #[must_use]
    pub fn last_joined(&self) -> Option<i64> {
        self.stays.last().and_then(|stay| stay.joined)
    }

    /// Where the present stay became a membership, if one is in the room now.
    #[must_use]
    pub fn joined_at(&self) -> Option<i64> {
        self.stays
            .last()
            .filter(|stay| stay.until.is_none())
            .and_then(|stay| stay.joined)
    }
}

/// Which way a page is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From new to old.
    Backward,
    /// From old to new.
    Forward,
}

/// A page of history, in the order in which it was read.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Its events.
    pub events: Vec<Event>,
    /// Whether there is more beyond it.
    pub more: bool,
    /// Where the next page goes on, whatever it is to have: beyond the last event, or, of a page without any, where
    /// reading ended.
    pub end: i64,
}

/// Reads up to `limit` events that `wanted` admits of the room numbered `room`: those after `after` and
/// up to `upto`, beginning at the end that `direction` names.
///
/// # Errors
/// When the view cannot be read.
pub fn page(
    db: &Connection,
    room: i64,
    (after, upto): (i64, i64),
    direction: Direction,
    limit: usize,
    wanted: impl Fn(&Event) -> bool,
) -> rusqlite::Result<Page> {
    let order = match direction {
        Direction::Backward => "DESC",
        Direction::Forward => "ASC",
    };
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM event WHERE room = ?1 AND position > ?2 AND position <= ?3
         ORDER BY position {order} LIMIT ?4"
    ))?;
    let mut rows = statement.query((room, after, upto, LOOK))?;
    let mut found = Page {
        end: if direction == Direction::Backward {
            upto
        } else {
            after
        },
        ..Page::default()
    };
    let mut looked = 0;
    while let Some(row) = rows.next()? {
        let event = Event::from_row(row)?;
        looked += 1;
        let admitted = wanted(&event);
        if admitted && found.events.len() == limit {
            found.more = true;
            return Ok(found);
        }
        if admitted || found.events.is_empty() {
            let at = event.position.as_i64();
            found.end = if direction == Direction::Backward {
                at - 1
            } else {
                at
            };
        }
        if admitted {
            found.events.push(event);
        }
    }
    found.more = looked == LOOK;
    Ok(found)
}
