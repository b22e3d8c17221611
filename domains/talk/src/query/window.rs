//! What a sync tells of one room: its latest events, and the state before them.

use super::filter::Lazy;
use super::history::{Direction, Visible, page};
use super::related_by::RelatedLook;
use super::room_state::{Part, Summary, select, state_at, summary};
use super::show::{Shown, show_one_of, show_with};
use super::sync::{Gaze, SyncWanted};
use crate::state::events::Event;
use crate::state::rooms::Room;
use rusqlite::{Connection, OptionalExtension};
use std::cell::Cell;
use std::collections::BTreeSet;

/// How many events of a room's timeline are given where the client names no number, and at most.
const TIMELINE: usize = 10;
const MAX_TIMELINE: usize = 1_000;
const MEMBER: &str = "m.room.member";

/// A room's latest events and the state before them.
pub(super) struct Window {
    pub timeline: Vec<Shown>,
    pub limited: bool,
    pub prev_batch: i64,
    pub state: Vec<Shown>,
    /// After whom the room is called and how many are there, if that may have changed, for who is there.
    pub summary: Option<Summary>,
}

/// What is told of the events after `known` and up to `upto`.
pub(super) fn window(
    db: &Connection,
    room: &Room,
    wanted: &SyncWanted<'_>,
    (visible, gaze): (&Visible, &Gaze<'_>),
    (known, upto): (i64, i64),
) -> rusqlite::Result<Window> {
    let filter = &wanted.filter.timeline;
    let limit = filter.limit.unwrap_or(TIMELINE).min(MAX_TIMELINE);
    let in_room = filter.admits_room(room.id.as_str());
    let current = CurrentState::of(db, room, upto);
    let related = RelatedLook::new(db, &filter.related_by);
    let admit = |event: &Event| {
        in_room
            && filter.admits(event)
            && !gaze.wishes.ignores(event)
            && (visible.admits(event) || current.has(event))
            && related.admits(event)
    };
    let found = page(db, room.n, (known, upto), Direction::Backward, limit, admit)?;
    let inside = current.inside;
    current.finish()?;
    related.finish()?;
    let mut events = found.events;
    events.reverse();
    let end = room.changed.as_i64().min(upto);
    let begin = match events.first() {
        Some(event) if !wanted.state_after => event.position.as_i64() - 1,
        _ => end,
    };
    let prev_batch = events
        .first()
        .map_or(found.end, |event| event.position.as_i64() - 1);
    let prev_batch = prev_batch.max(beginning(db, room)?);
    let mut state = state_before(db, room, wanted, &events, (known, begin))?;
    if filter.narrows() && begin < end {
        let left_out = state_before(db, room, wanted, &events, (known.max(begin), end))?;
        add_left_out(&mut state, left_out, &events);
    }
    let may_be_new = known == 0 || found.more || renames(events.iter().chain(&state));
    let summary = (inside && may_be_new)
        .then(|| summary(db, room, wanted.user))
        .transpose()?;
    if let Some(summary) = &summary {
        add_heroes(
            db,
            room,
            wanted,
            summary.heroes.as_deref().unwrap_or_default(),
            (known, begin),
            &mut state,
        )?;
    }
    let erased = &gaze.erased;
    let timeline = events.into_iter();
    let timeline = timeline.map(|event| show_one_of(db, erased, event, visible));
    let state = state.into_iter().map(|event| show_with(db, erased, event));
    Ok(Window {
        timeline: timeline.collect::<rusqlite::Result<_>>()?,
        limited: found.more,
        prev_batch,
        state: state.collect::<rusqlite::Result<_>>()?,
        summary,
    })
}

/// Whether one of these changes what the room is called, which is after its members where it has no name.
fn renames<'a>(mut events: impl Iterator<Item = &'a Event>) -> bool {
    let names = ["m.room.name", "m.room.canonical_alias", MEMBER];
    events.any(|event| event.state_key.is_some() && names.contains(&&*event.kind))
}

/// With lazily loaded members, those are told, too, after whom the room is called, unless the client knows them (Matrix v1.19,
/// `RoomSummary`, `m.heroes`).
fn add_heroes(
    db: &Connection,
    room: &Room,
    wanted: &SyncWanted<'_>,
    heroes: &[String],
    (known, begin): (i64, i64),
    state: &mut Vec<Event>,
) -> rusqlite::Result<()> {
    let filter = &wanted.filter.state;
    if filter.lazy == Lazy::Off || !filter.admits_room(room.id.as_str()) {
        return Ok(());
    }
    let heroes = heroes.iter().map(String::as_str).collect();
    let there = state.len();
    add_members(db, room, &heroes, begin, state)?;
    let mut added = state.split_off(there);
    added.retain(|event| {
        let knows_some = known > 0 && !wanted.full_state;
        let told = knows_some && wanted.told.contains(&event.position.as_i64());
        filter.admits(event) && !told
    });
    state.append(&mut added);
    Ok(())
}

/// What was set while the timeline ran and is not in it, because the filter of the timeline leaves it out, is told
/// with the state before it: the client would go on with what stood there before.
fn add_left_out(state: &mut Vec<Event>, mut left_out: Vec<Event>, timeline: &[Event]) {
    left_out.retain(|event| {
        let told = timeline.iter();
        !told
            .map(|told| told.position)
            .any(|told| told == event.position)
    });
    let key = |event: &Event| (event.kind.clone(), event.state_key.clone());
    let later: BTreeSet<_> = left_out.iter().map(key).collect();
    state.retain(|event| !later.contains(&key(event)));
    state.append(&mut left_out);
}

/// The place at which a room's creator had joined it. Nothing is told of as being before that, since some take
/// a page without events for a room without any, and ask there who is in it.
fn beginning(db: &Connection, room: &Room) -> rusqlite::Result<i64> {
    let second = "SELECT position FROM event WHERE room = ?1 ORDER BY position LIMIT 1 OFFSET 1";
    let found = db
        .prepare_cached(second)?
        .query_row([room.n], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0))
}

/// The state of a room that somebody is in. They know it whenever it was set, also while they were not
/// there; without it in the timeline, they would go on with what stood there before.
struct CurrentState<'a> {
    db: &'a Connection,
    room: &'a Room,
    /// Whether they are in the room now.
    inside: bool,
    failed: Cell<Option<rusqlite::Error>>,
}

impl<'a> CurrentState<'a> {
    fn of(db: &'a Connection, room: &'a Room, upto: i64) -> Self {
        Self {
            db,
            room,
            inside: upto == i64::MAX,
            failed: Cell::new(None),
        }
    }

    fn has(&self, event: &Event) -> bool {
        let Some(key) = event.state_key.as_deref().filter(|_| self.inside) else {
            return false;
        };
        match self.room.state(self.db, &event.kind, key) {
            Ok(found) => found.is_some_and(|(at, _)| at == event.position.as_i64()),
            Err(error) => {
                self.failed.set(Some(error));
                false
            }
        }
    }

    fn finish(self) -> rusqlite::Result<()> {
        self.failed.into_inner().map_or(Ok(()), Err)
    }
}

/// The state before a timeline, as far as it came after what the client knows.
fn state_before(
    db: &Connection,
    room: &Room,
    wanted: &SyncWanted<'_>,
    timeline: &[Event],
    (known, begin): (i64, i64),
) -> rusqlite::Result<Vec<Event>> {
    let filter = &wanted.filter.state;
    if !filter.admits_room(room.id.as_str()) {
        return Ok(Vec::new());
    }
    let known = if wanted.full_state { 0 } else { known };
    // Whoever is told the same again and again is told of themselves at first alone.
    let themselves = (known == 0 || filter.lazy == Lazy::On).then_some(wanted.user);
    let senders: BTreeSet<&str> = timeline
        .iter()
        .map(|event| event.sender.as_str())
        .chain(themselves)
        .collect();
    let mut events = if known == 0 {
        let part = match filter.lazy {
            Lazy::Off => Part::All,
            _ => Part::Around(&senders),
        };
        state_at(db, room, begin, part)?
    } else {
        // Only state that was set in the gap is news, and of that only what was in force at its end; of memberships
        // everybody's, since nobody would tell of them later (Matrix v1.19, lazy-loading room members).
        let gap = "event WHERE event.room = ?1 AND event.position > ?2 AND event.position <= ?3
                   AND event.state_key IS NOT NULL ORDER BY event.position";
        let mut latest = std::collections::BTreeMap::new();
        for event in select(db, gap, (room.n, known, begin))? {
            latest.insert((event.kind.clone(), event.state_key.clone()), event);
        }
        let mut events: Vec<Event> = latest.into_values().collect();
        if filter.lazy != Lazy::Off {
            let there = events.len();
            add_members(db, room, &senders, begin, &mut events)?;
            let mut added = events.split_off(there);
            added.retain(|event| !wanted.told.contains(&event.position.as_i64()));
            events.append(&mut added);
        }
        events.sort_by_key(|event| event.position);
        events
    };
    events.retain(|event| filter.admits(event));
    Ok(events)
}

/// Adds the memberships of these people as they were before `begin`, where they are not there yet.
fn add_members(
    db: &Connection,
    room: &Room,
    people: &BTreeSet<&str>,
    begin: i64,
    events: &mut Vec<Event>,
) -> rusqlite::Result<()> {
    for who in people {
        let there = events
            .iter()
            .any(|event| event.kind == MEMBER && event.state_key.as_deref() == Some(who));
        if there {
            continue;
        }
        if let Some((position, _)) = room.state(db, MEMBER, who)?
            && position <= begin
        {
            events.push(Event::at(db, position)?);
        }
    }
    Ok(())
}
