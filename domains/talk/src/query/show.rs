//! Events with what belongs beside them when they are shown.

use super::history::Visible;
use super::related::{Related, related};
use crate::state::erased::{Erased, is_their_own, left_of};
use crate::state::events::Event;
use rusqlite::Connection;
use std::borrow::Cow;

/// An event as it is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The event.
    pub event: Event,
    /// The state event it replaced: its id, its sender and its content.
    pub before: Option<(String, String, String)>,
    /// The redaction that took its content.
    pub redaction: Option<Box<Event>>,
    /// What relates to it, as far as it is shown with it.
    pub related: Related,
    /// What who sees it was to the room by then: the word of their membership.
    pub membership: Option<Cow<'static, str>>,
}

/// Gathers what belongs beside `event`, but for what relates to it.
///
/// # Errors
/// When the view cannot be read.
pub fn show(db: &Connection, event: Event) -> rusqlite::Result<Shown> {
    show_with(db, &Erased::of(db), event)
}

/// As [`show`], for one event of many.
///
/// # Errors
/// When the view cannot be read.
pub(super) fn show_with(
    db: &Connection,
    erased: &Erased<'_>,
    mut event: Event,
) -> rusqlite::Result<Shown> {
    let find = |position: Option<i64>| {
        let found = position.map(|position| Event::find(db, position));
        found.transpose().map(Option::flatten)
    };
    let mut before = find(event.replaces)?;
    let redaction = find(event.redacted_by)?;
    for event in before.iter_mut().chain([&mut event]) {
        if is_their_own(event)
            && erased.has(&event.sender)?
            && let Some(left) = left_of(event)
        {
            event.content = left;
            event.redacted_by.get_or_insert(0);
        }
    }
    let redaction = match redaction {
        None if event.redacted_by.is_some() => Some(stand_in(&event)),
        redaction => redaction,
    };
    Ok(Shown {
        event,
        before: before.map(|before| (before.id().to_string(), before.sender, before.content)),
        redaction: redaction.map(Box::new),
        related: Related::default(),
        membership: None,
    })
}

/// What is shown as the redaction of an event that was redacted by one that was purged, or by none: its
/// sender was erased. Nobody finds it by its id.
fn stand_in(event: &Event) -> Event {
    Event {
        tag: event.tag.wrapping_add(1),
        kind: "m.room.redaction".to_owned(),
        state_key: None,
        content: "{}".to_owned(),
        replaces: None,
        redacts: Some(event.id().to_string()),
        redacted_by: None,
        transaction: None,
        ..event.clone()
    }
}

/// Gathers what belongs beside `event`, with what relates to it and what they were to the room, for whom `visible`
/// is about.
///
/// # Errors
/// When the view cannot be read.
pub fn show_to(db: &Connection, event: Event, visible: &Visible) -> rusqlite::Result<Shown> {
    show_one_of(db, &Erased::of(db), event, visible)
}

/// As [`show_to`], for one event of many.
///
/// # Errors
/// When the view cannot be read.
pub(super) fn show_one_of(
    db: &Connection,
    erased: &Erased<'_>,
    event: Event,
    visible: &Visible,
) -> rusqlite::Result<Shown> {
    let related = related(db, &event, visible)?;
    let membership = visible.membership_at(db, &event)?;
    let mut shown = show_with(db, erased, event)?;
    shown.related = related;
    shown.membership = Some(membership);
    Ok(shown)
}
