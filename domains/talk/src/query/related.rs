//! What relates to an event: what is shown with it, its relations a page at a time, and a room's threads.

use super::history::{Direction, Visible};
use super::room_state::select;
use super::show::{Shown, show};
use super::unread::is_of;
use crate::state::events::{COLUMNS, Event};
use crate::state::relations::{ANNOTATION, REFERENCE, REPLACE, relates};
use rusqlite::{Connection, OptionalExtension};
use std::collections::BTreeSet;

/// How many references are shown with an event.
const REFERENCES: i64 = 500;
/// How many relations are looked at for one page.
const LOOK: usize = 5_000;
/// How far relations of relations are followed when a client asks for that.
pub const RECURSION: usize = 3;

/// What is shown with an event of that which relates to it.
#[derive(Debug, Clone, Default)]
pub struct Related {
    /// The latest edit of it.
    pub edit: Option<Box<Shown>>,
    /// The thread that begins at it.
    pub thread: Option<Box<ThreadSummary>>,
    /// The ids of events that refer to it.
    pub references: Vec<String>,
}

/// A thread, seen from its root.
#[derive(Debug, Clone)]
pub struct ThreadSummary {
    /// The last event in it.
    pub latest: Shown,
    /// How many events are in it, without its root.
    pub count: i64,
    /// Whether the reader wrote one of them, or the root.
    pub participated: bool,
}

impl Related {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edit.is_none() && self.thread.is_none() && self.references.is_empty()
    }
}

/// What is shown with `event` to whom `visible` is about, without what those whom they ignore say (Matrix v1.19,
/// server-side aggregation of threads). Nothing is shown with state, edits and annotations, and no edit of what was
/// redacted.
///
/// # Errors
/// When the view cannot be read.
pub(super) fn related(
    db: &Connection,
    event: &Event,
    visible: &Visible,
) -> rusqlite::Result<Related> {
    let (user, ignored) = (visible.user(), visible.ignored());
    let Some(mut related) = inner(db, event, ignored)? else {
        return Ok(Related::default());
    };
    let at = event.position.as_i64();
    if let Some((latest, count)) = thread(db, at, ignored)? {
        let latest = Event::at(db, latest)?;
        let in_latest = inner(db, &latest, ignored)?.unwrap_or_default();
        let mut latest = show(db, latest)?;
        latest.related = in_latest;
        related.thread = Some(Box::new(ThreadSummary {
            latest,
            count,
            participated: event.sender == user || has_written(db, at, user)?,
        }));
    }
    Ok(related)
}

fn has_written(db: &Connection, root: i64, user: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM thread_member WHERE root = ?1 AND user = ?2 AND count > 0")?
        .exists((root, user))
}

/// The last event of the thread that begins at `root`, and how many are in it, if any is, of people who are not `ignored`.
fn thread(
    db: &Connection,
    root: i64,
    ignored: &BTreeSet<String>,
) -> rusqlite::Result<Option<(i64, i64)>> {
    let found: Option<(i64, i64)> = db
        .prepare_cached("SELECT latest, count FROM thread WHERE root = ?1")?
        .query_row([root], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((latest, mut count)) = found.filter(|_| !ignored.is_empty()) else {
        return Ok(found);
    };
    let mut theirs =
        db.prepare_cached("SELECT count FROM thread_member WHERE root = ?1 AND user = ?2")?;
    for user in ignored {
        let written: Option<i64> = theirs
            .query_row((root, user), |row| row.get(0))
            .optional()?;
        count -= written.unwrap_or(0);
    }
    if count <= 0 {
        return Ok(None);
    }
    let mut replies = db.prepare_cached(
        "SELECT event, sender FROM relation
         WHERE target = ?1 AND rel = 'm.thread' AND counts = 1 ORDER BY event DESC",
    )?;
    let mut replies = replies.query([root])?;
    while let Some(row) = replies.next()? {
        if !ignored.contains(row.get_ref(1)?.as_str()?) {
            return Ok(Some((row.get(0)?, count)));
        }
    }
    Ok(Some((latest, count)))
}

/// Edit and references, unless nothing can be shown with the event.
fn inner(
    db: &Connection,
    event: &Event,
    ignored: &BTreeSet<String>,
) -> rusqlite::Result<Option<Related>> {
    if event.state_key.is_some() {
        return Ok(None);
    }
    let at = event.position.as_i64();
    let any: bool = db
        .prepare_cached("SELECT 1 FROM relation WHERE target = ?1 LIMIT 1")?
        .exists([at])?;
    if !any {
        return Ok(None);
    }
    if let Some((_, rel)) = relates(db, at)?
        && (rel == REPLACE || rel == ANNOTATION)
    {
        return Ok(None);
    }
    let counting = "event JOIN relation ON relation.event = event.position
                    WHERE relation.target = ?1 AND relation.rel = ?2 AND relation.counts = 1
                    ORDER BY relation.event";
    let mut related = Related::default();
    if event.redacted_by.is_none() {
        let latest = select(db, &format!("{counting} DESC LIMIT 1"), (at, REPLACE))?;
        let latest = latest.into_iter().next();
        related.edit = latest.map(|edit| show(db, edit)).transpose()?.map(Box::new);
    }
    let first = format!("{counting} LIMIT {REFERENCES}");
    related.references = select(db, &first, (at, REFERENCE))?
        .iter()
        .filter(|event| !ignored.contains(&event.sender))
        .map(|event| event.id().to_string())
        .collect();
    Ok(Some(related))
}

/// A page of what relates to an event, or of a room's threads.
#[derive(Debug, Default)]
pub struct RelatingPage {
    /// The events, in the order in which they were read.
    pub events: Vec<Event>,
    /// Where the next page goes on, if there is more.
    pub next: Option<i64>,
}

/// Up to `limit` events that relate to the one at `target`: those after `after` and up to `upto`,
/// beginning at the end that `direction` names; with what relates to those, `depth` deep. Of what they
/// are, `wanted` is asked by relation and type, and for the event by itself.
///
/// # Errors
/// When the view cannot be read.
pub fn relating(
    db: &Connection,
    target: i64,
    (after, upto): (i64, i64),
    (direction, limit, depth): (Direction, usize, usize),
    wanted: (impl Fn(&str, &str) -> bool, impl Fn(&Event) -> bool),
) -> rusqlite::Result<RelatingPage> {
    let (wanted, admit) = wanted;
    let mut found: BTreeSet<i64> = BTreeSet::new();
    let mut targets = vec![target];
    let mut looked = 0;
    let order = match direction {
        Direction::Backward => "DESC",
        Direction::Forward => "ASC",
    };
    let mut children = db.prepare_cached(&format!(
        "SELECT event, rel, type FROM relation WHERE target = ?1 AND event > ?2 AND event <= ?3
         ORDER BY event {order} LIMIT ?4"
    ))?;
    // What relates to something outside the page may stand in it.
    let (from, to) = if depth == 1 {
        (after, upto)
    } else {
        (0, i64::MAX)
    };
    for _ in 0..depth {
        let mut next = Vec::new();
        for target in targets {
            let rows = children.query_map((target, from, to, (LOOK - looked) as i64), |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, String>(2)?,
                ))
            })?;
            for row in rows {
                let (event, rel, kind) = row?;
                looked += 1;
                next.push(event);
                if wanted(&rel, &kind) && event > after && event <= upto {
                    found.insert(event);
                }
            }
        }
        targets = next;
    }
    let ordered: Vec<i64> = match direction {
        Direction::Backward => found.into_iter().rev().collect(),
        Direction::Forward => found.into_iter().collect(),
    };
    let mut page = RelatingPage::default();
    for position in ordered {
        let event = Event::at(db, position)?;
        if !admit(&event) {
            continue;
        }
        if page.events.len() == limit {
            let last = page.events.last().map(|event| event.position.as_i64());
            page.next = last.map(|at| at - i64::from(direction == Direction::Backward));
            break;
        }
        page.events.push(event);
    }
    Ok(page)
}

/// Up to `limit` roots of the threads of the room numbered `room`, the one last written in first, among
/// those whose last event does not stand after `upto`.
///
/// # Errors
/// When the view cannot be read.
pub fn threads(
    db: &Connection,
    (room, upto): (i64, i64),
    participated: Option<&str>,
    limit: usize,
    visible: &Visible,
) -> rusqlite::Result<RelatingPage> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, thread.latest FROM thread JOIN event ON event.position = thread.root
         WHERE thread.room = ?1 AND thread.latest <= ?2 ORDER BY thread.latest DESC LIMIT ?3"
    ))?;
    let mut rows = statement.query((room, upto, LOOK as i64))?;
    let mut page = RelatingPage::default();
    let mut last = upto;
    while let Some(row) = rows.next()? {
        let mut event = Event::from_row(row)?;
        let root = event.position.as_i64();
        let theirs = match participated {
            Some(user) => event.sender == user || has_written(db, root, user)?,
            None => true,
        };
        let ignored = visible.ignored();
        let any = ignored.is_empty() || thread(db, root, ignored)?.is_some();
        if !theirs || !any || !visible.may_read(&event) {
            continue;
        }
        // What somebody whom they ignore began goes on without that (Matrix v1.19, threads in a room).
        if is_of(ignored, &event) {
            event.content = "{}".to_owned();
            event.redacted_by.get_or_insert(0);
        }
        if page.events.len() == limit {
            page.next = Some(last - 1);
            break;
        }
        last = row.get(14)?;
        page.events.push(event);
    }
    Ok(page)
}
