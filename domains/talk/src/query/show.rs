//! Events with what belongs beside them when they are shown.

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
}

/// Gathers what belongs beside `event`.
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
    })
}
