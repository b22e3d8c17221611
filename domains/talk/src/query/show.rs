//! Events with what belongs beside them when they are shown.

use super::related::{Related, related};
use crate::state::events::Event;
use rusqlite::Connection;

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
}

/// Gathers what belongs beside `event`, but for what relates to it.
///
/// # Errors
/// When the view cannot be read.
pub fn show(db: &Connection, event: Event) -> rusqlite::Result<Shown> {
    let before = event
        .replaces
        .map(|position| Event::at(db, position))
        .transpose()?;
    let redaction = event
        .redacted_by
        .map(|position| Event::at(db, position))
        .transpose()?;
    Ok(Shown {
        event,
        before: before.map(|before| (before.id().to_string(), before.sender, before.content)),
        redaction: redaction.map(Box::new),
        related: Related::default(),
    })
}

/// Gathers what belongs beside `event`, with what relates to it, for `user`.
///
/// # Errors
/// When the view cannot be read.
pub fn show_to(db: &Connection, event: Event, user: &str) -> rusqlite::Result<Shown> {
    let related = related(db, &event, user)?;
    let mut shown = show(db, event)?;
    shown.related = related;
    Ok(shown)
}
