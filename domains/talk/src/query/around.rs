//! What stands around an event, and which stands nearest to a time.

use super::history::{Direction, Page, Visible, page};
use crate::state::events::Event;
use crate::state::rooms::Room;
use rusqlite::{Connection, OptionalExtension};

/// What stands around an event.
#[derive(Debug, Default)]
pub struct Around {
    /// Before it, newest first.
    pub before: Page,
    /// After it, oldest first.
    pub after: Page,
}

/// Up to `limit` events around the one at `at` that `admit` lets through, half of them before it.
///
/// # Errors
/// When the view cannot be read.
pub fn around(
    db: &Connection,
    (room, at): (i64, i64),
    limit: usize,
    admit: impl Fn(&Event) -> bool,
) -> rusqlite::Result<Around> {
    let half = limit / 2;
    let before = page(db, room, (0, at - 1), Direction::Backward, half, &admit)?;
    let rest = limit - half;
    let after = page(db, room, (at, i64::MAX), Direction::Forward, rest, &admit)?;
    Ok(Around { before, after })
}

/// The event of `room` nearest to `time`, in milliseconds since 1970: with `Forward` the first that is
/// not before it, with `Backward` the last that is not after it. Positions and times grow together, so
/// that it is found by halving.
///
/// # Errors
/// When the view cannot be read.
pub fn nearest(
    db: &Connection,
    room: &Room,
    time: i64,
    direction: Direction,
    visible: &Visible,
) -> rusqlite::Result<Option<Event>> {
    let mut probe = db.prepare_cached(
        "SELECT time FROM event WHERE room = ?1 AND position >= ?2 ORDER BY position LIMIT 1",
    )?;
    // The first position from which on all events are later than what is looked for.
    let bound = match direction {
        Direction::Forward => time,
        Direction::Backward => time.saturating_add(1),
    };
    let (mut low, mut high) = (0, room.changed.as_i64() + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<i64> = probe
            .query_row((room.n, middle), |row| row.get(0))
            .optional()?;
        if found.is_none_or(|found| found >= bound) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let range = match direction {
        Direction::Forward => (low - 1, i64::MAX),
        Direction::Backward => (0, low - 1),
    };
    let admit = |event: &Event| visible.admits(event);
    let page = page(db, room.n, range, direction, 1, admit)?;
    Ok(page.events.into_iter().next())
}
