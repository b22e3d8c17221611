//! What has happened for somebody since a position.

use super::filter::SyncFilter;
use super::history::Visible;
use super::room_state::Summary;
use super::rules::{PUSH_RULES, Ruleset};
use super::show::{Shown, show_with};
use super::unread::{Counts, Wishes, blocks_invites};
use super::window::{Window, window};
use crate::state::erased::Erased;
use crate::state::events::Event;
use crate::state::receipts::READ;
use crate::state::rooms::Room;
use crate::state::unread::UnreadRoom;
use bongsu_base::Position;
use bongsu_lane::ReadView;
use rusqlite::Connection;
use std::collections::BTreeSet;

const MEMBER: &str = "m.room.member";

/// What a client asks for.
#[derive(Debug, Clone, Copy)]
pub struct SyncWanted<'a> {
    /// Whose sync it is.
    pub user: &'a str,
    /// Up to where the client knows everything; `None` at its first sync.
    pub since: Option<Position>,
    /// Whether all state is wanted, even if the client knows it.
    pub full_state: bool,
    /// What is wanted.
    pub filter: &'a SyncFilter,
    /// The only rooms in which anything can have changed, by their numbers, if that is known; nothing of
    /// the person's own has changed then.
    pub among: Option<&'a [i64]>,
    /// Rooms in which who is typing changed.
    pub typing: &'a [String],
    /// Where the events stand of the memberships that the client knows, if it loads them lazily.
    pub told: &'a BTreeSet<i64>,
    /// Whether state is wanted as it is after the timeline instead of before it.
    pub state_after: bool,
    /// What was counted before.
    pub counts: &'a Counts,
}

/// What was found.
#[derive(Debug, Default)]
pub struct SyncFound {
    /// Up to where the client knows everything with this.
    pub until: Position,
    /// Rooms the user is in.
    pub joined: Vec<JoinedRoom>,
    /// Rooms the user is invited to.
    pub invited: Vec<InvitedRoom>,
    /// Rooms the user has knocked at.
    pub knocked: Vec<InvitedRoom>,
    /// Rooms the user has left.
    pub left: Vec<LeftRoom>,
    /// Account data: type and content.
    pub account_data: Vec<(String, String)>,
}

/// News of a room that the user is in.
#[derive(Debug)]
pub struct JoinedRoom {
    /// The room.
    pub room: Room,
    /// The latest events, oldest first.
    pub timeline: Vec<Shown>,
    /// Whether there are more between these and what the client knows.
    pub limited: bool,
    /// From where older ones can be read.
    pub prev_batch: i64,
    /// The state before the timeline, as far as the client does not know it.
    pub state: Vec<Shown>,
    /// Account data of the room: type and content.
    pub account_data: Vec<(String, String)>,
    /// Receipts that changed.
    pub receipts: Vec<ReadMark>,
    /// What is unread.
    pub unread: UnreadRoom,
    /// Whether that is to be told thread by thread.
    pub by_thread: bool,
    /// The summary, where it may have changed.
    pub summary: Option<Summary>,
    /// Whether the client is to be told who is typing.
    pub typing: bool,
}

/// A room that the user is invited to or has knocked at.
#[derive(Debug)]
pub struct InvitedRoom {
    /// The room.
    pub room: Room,
    /// What such people may know of it.
    pub state: Vec<Event>,
}

/// News of a room that the user has left.
#[derive(Debug)]
pub struct LeftRoom {
    /// The room.
    pub room: Room,
    /// The latest events up to the leaving, oldest first.
    pub timeline: Vec<Shown>,
    /// Whether there are more between these and what the client knows.
    pub limited: bool,
    /// From where older ones can be read.
    pub prev_batch: i64,
    /// The state before the timeline, as far as the client does not know it.
    pub state: Vec<Shown>,
    /// Account data of the room: type and content.
    pub account_data: Vec<(String, String)>,
}

/// How far somebody has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMark {
    /// Who.
    pub user: String,
    /// `m.read` or `m.read.private`.
    pub kind: String,
    /// The thread, or empty.
    pub thread: String,
    /// The event's id.
    pub event: String,
    /// When, in milliseconds since 1970.
    pub time: i64,
}

impl SyncFound {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty()
            && self.invited.is_empty()
            && self.knocked.is_empty()
            && self.left.is_empty()
            && self.account_data.is_empty()
    }
}

/// What decides, in all rooms, what the person is shown.
pub(super) struct Gaze<'a> {
    pub wishes: Wishes,
    pub erased: Erased<'a>,
}

/// Gathers what has happened.
///
/// # Errors
/// When the view cannot be read.
pub fn sync(view: &ReadView<'_>, wanted: &SyncWanted<'_>) -> rusqlite::Result<SyncFound> {
    let db = view.db();
    let since = wanted.since.map_or(0, Position::as_i64);
    let mut found = SyncFound {
        until: Position::end_of(view.applied()?),
        ..SyncFound::default()
    };
    if wanted.among.is_none() {
        own_data(db, wanted, since, &mut found)?;
    }
    let changed = changed_rooms(db, wanted, since)?;
    if changed.is_empty() && wanted.among.is_some() {
        return Ok(found);
    }
    let gaze = Gaze {
        wishes: Wishes::of(db, wanted.user)?,
        erased: Erased::of(db),
    };
    for n in changed {
        let room = Room::by_number(db, n)?;
        if !wanted.filter.admits_room(room.id.as_str()) {
            continue;
        }
        let news = joined_room(db, room, wanted, &gaze, since)?;
        if wanted.since.is_none() || wanted.full_state || !news.is_empty() {
            found.joined.push(news);
        }
    }
    if wanted.among.is_none() {
        others(db, wanted, &gaze, since, &mut found)?;
    }
    Ok(found)
}

/// The person's own data, as far as it changed.
fn own_data(
    db: &Connection,
    wanted: &SyncWanted<'_>,
    since: i64,
    found: &mut SyncFound,
) -> rusqlite::Result<()> {
    found.account_data = account_data(db, wanted.user, since, None)?;
    let has_rules = |data: &[(String, String)]| data.iter().any(|(kind, _)| kind == PUSH_RULES);
    if wanted.since.is_none() && !has_rules(&found.account_data) {
        let rules = Ruleset::server_default(wanted.user).to_content();
        found.account_data.push((PUSH_RULES.to_owned(), rules));
    }
    found
        .account_data
        .retain(|(kind, _)| wanted.filter.account_data.admits_type(kind));
    Ok(())
}

impl JoinedRoom {
    fn is_empty(&self) -> bool {
        self.timeline.is_empty()
            && self.state.is_empty()
            && self.account_data.is_empty()
            && self.receipts.is_empty()
            && !self.typing
    }
}

/// The rooms the user is in of which there may be something to tell.
fn changed_rooms(
    db: &Connection,
    wanted: &SyncWanted<'_>,
    since: i64,
) -> rusqlite::Result<BTreeSet<i64>> {
    let since = if wanted.full_state { 0 } else { since };
    let mut rooms = match wanted.among {
        Some(among) => changed_among(db, wanted.user, among, since)?,
        None => changed_of_all(db, wanted.user, since)?,
    };
    for id in wanted.typing {
        let n = db
            .prepare_cached(
                "SELECT room.n FROM room JOIN member ON member.room = room.n
                 WHERE room.id = ?1 AND member.user = ?2 AND member.membership = 'join'",
            )?
            .query_map((id, wanted.user), |row| row.get::<_, i64>(0))?
            .next();
        rooms.extend(n.transpose()?);
    }
    Ok(rooms)
}

fn changed_among(
    db: &Connection,
    user: &str,
    among: &[i64],
    since: i64,
) -> rusqlite::Result<BTreeSet<i64>> {
    let mut changed = db.prepare_cached(
        "SELECT 1 FROM room JOIN member ON member.room = room.n
         WHERE room.n = ?1 AND member.user = ?2 AND member.membership = 'join'
           AND (room.changed > ?3 OR room.receipts_changed > ?3)",
    )?;
    let mut rooms = BTreeSet::new();
    for n in among {
        if changed.exists((n, user, since))? {
            rooms.insert(*n);
        }
    }
    Ok(rooms)
}

fn changed_of_all(db: &Connection, user: &str, since: i64) -> rusqlite::Result<BTreeSet<i64>> {
    let mut rooms: BTreeSet<i64> = db
        .prepare_cached(
            "SELECT room.n FROM member JOIN room ON room.n = member.room
             WHERE member.user = ?1 AND member.membership = 'join'
               AND (room.changed > ?2 OR room.receipts_changed > ?2) ORDER BY room.n",
        )?
        .query_map((user, since), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let with_data: Vec<i64> = db
        .prepare_cached(
            "SELECT DISTINCT account_data.room FROM account_data
             JOIN member ON member.room = account_data.room AND member.user = account_data.user
             WHERE account_data.user = ?1 AND account_data.changed > ?2 AND member.membership = 'join'
             ORDER BY account_data.room",
        )?
        .query_map((user, since), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    rooms.extend(with_data);
    Ok(rooms)
}

fn joined_room(
    db: &Connection,
    room: Room,
    wanted: &SyncWanted<'_>,
    gaze: &Gaze<'_>,
    since: i64,
) -> rusqlite::Result<JoinedRoom> {
    let visible = Visible::of(db, room.n, wanted.user)?.ignoring(&gaze.wishes.ignored);
    let joined = visible.joined_at().unwrap_or(0);
    // Who joined after what the client knows is told of the room from its beginning.
    let known = if joined > since { 0 } else { since };
    let Window {
        timeline,
        limited,
        prev_batch,
        state,
        summary,
    } = window(db, &room, wanted, (&visible, gaze), (known, i64::MAX))?;
    // Whoever comes into a room has a gap before it.
    let limited = limited || (wanted.since.is_some() && joined > since);
    let account_data = room_account_data(db, wanted, &room, known)?;
    let ephemeral = &wanted.filter.ephemeral;
    let wants = |kind: &str| ephemeral.admits_type(kind) && ephemeral.admits_room(room.id.as_str());
    let mut receipts = if wants("m.receipt") {
        receipts(db, room.n, wanted.user, known)?
    } else {
        Vec::new()
    };
    receipts.retain(|mark| ephemeral.admits_sender(&mark.user));
    let unread = wanted.counts.unread(db, &room, &gaze.wishes, joined)?;
    // Who is typing is told as a whole and by nobody: whoever names senders does not want it.
    let typing = wanted.typing.iter().any(|id| id == room.id.as_str())
        && wants("m.typing")
        && ephemeral.senders.is_none();
    Ok(JoinedRoom {
        room,
        timeline,
        limited,
        prev_batch,
        state,
        account_data,
        receipts,
        unread,
        by_thread: wanted.filter.timeline.by_thread,
        summary,
        typing,
    })
}

/// Account data of a room that changed and is wanted: type and content.
fn room_account_data(
    db: &Connection,
    wanted: &SyncWanted<'_>,
    room: &Room,
    since: i64,
) -> rusqlite::Result<Vec<(String, String)>> {
    let filter = &wanted.filter.room_account_data;
    if !filter.admits_room(room.id.as_str()) {
        return Ok(Vec::new());
    }
    let mut data = account_data(db, wanted.user, since, Some(room.n))?;
    data.retain(|(kind, _)| filter.admits_type(kind));
    Ok(data)
}

/// Account data that changed: type and content.
///
/// # Errors
/// When the view cannot be read.
pub fn account_data(
    db: &Connection,
    user: &str,
    since: i64,
    room: Option<i64>,
) -> rusqlite::Result<Vec<(String, String)>> {
    db.prepare_cached(
        "SELECT type, content FROM account_data WHERE user = ?1 AND room = ?2 AND changed > ?3 ORDER BY changed",
    )?
    .query_map((user, room.unwrap_or(0), since), |row| Ok((row.get(0)?, row.get(1)?)))?
    .collect()
}

/// The receipts of a room that changed, but for other people's private ones.
///
/// # Errors
/// When the view cannot be read.
pub fn receipts(
    db: &Connection,
    room: i64,
    user: &str,
    since: i64,
) -> rusqlite::Result<Vec<ReadMark>> {
    let mut statement = db.prepare_cached(
        "SELECT receipt.user, kind, thread, event.tag, receipt.time, event.position
         FROM receipt JOIN event ON event.position = receipt.event
         WHERE receipt.room = ?1 AND receipt.changed > ?2 AND (kind = ?3 OR receipt.user = ?4)
         ORDER BY receipt.changed",
    )?;
    let rows = statement.query_map((room, since, READ, user), |row| {
        let position = crate::state::rooms::position(row.get(5)?);
        Ok(ReadMark {
            user: row.get(0)?,
            kind: row.get(1)?,
            thread: row.get(2)?,
            event: crate::state::events::event_id(position, row.get(3)?).to_string(),
            time: row.get(4)?,
        })
    })?;
    rows.collect()
}

/// Invitations, and rooms that were left.
fn others(
    db: &Connection,
    wanted: &SyncWanted<'_>,
    gaze: &Gaze<'_>,
    since: i64,
    found: &mut SyncFound,
) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "SELECT room, membership, position, forgotten FROM member
         WHERE user = ?1 AND membership IN ('invite', 'knock', 'leave', 'ban') AND position > ?2
         ORDER BY position",
    )?;
    let rows: Vec<(i64, String, i64, bool)> = statement
        .query_map((wanted.user, since), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    for (n, membership, position, forgotten) in rows {
        let room = Room::by_number(db, n)?;
        if !wanted.filter.admits_room(room.id.as_str()) {
            continue;
        }
        if forgotten {
            // Whoever knew the room has to hear that it is gone, and no more than that.
            if wanted.since.is_some() {
                let gone = Event::at(db, position)?;
                let gone = show_with(db, &gaze.erased, gone)?;
                found.left.push(LeftRoom {
                    room,
                    timeline: vec![gone],
                    limited: false,
                    prev_batch: position - 1,
                    state: Vec::new(),
                    account_data: Vec::new(),
                });
            }
        } else if membership == "invite" {
            let invitation = Event::at(db, position)?;
            if gaze.wishes.ignored.contains(&invitation.sender) || blocks_invites(db, wanted.user)?
            {
                continue;
            }
            let state = invite_state(db, &room, wanted.user)?;
            found.invited.push(InvitedRoom { room, state });
        } else if membership == "knock" {
            let state = invite_state(db, &room, wanted.user)?;
            found.knocked.push(InvitedRoom { room, state });
        } else if wanted.since.is_some() || wanted.filter.include_leave {
            let visible = Visible::of(db, n, wanted.user)?.ignoring(&gaze.wishes.ignored);
            // Who came and went after what the client knows is told of the room from its beginning.
            let known = if visible.last_joined() > Some(since) {
                0
            } else {
                since
            };
            let Window {
                timeline,
                limited,
                prev_batch,
                mut state,
                ..
            } = window(db, &room, wanted, (&visible, gaze), (known, position))?;
            // Who never was in the room does not learn its state by going.
            state.retain(|shown| visible.ever_joined() || visible.admits(&shown.event));
            let account_data = room_account_data(db, wanted, &room, known)?;
            found.left.push(LeftRoom {
                room,
                timeline,
                limited,
                prev_batch,
                state,
                account_data,
            });
        }
    }
    Ok(())
}

/// What an invited person may know of a room (Matrix v1.19, stripped state).
fn invite_state(db: &Connection, room: &Room, user: &str) -> rusqlite::Result<Vec<Event>> {
    let own = room.state(db, MEMBER, user)?;
    let inviter = own
        .as_ref()
        .map(|(position, _)| Event::at(db, *position))
        .transpose()?
        .map(|event| event.sender);
    let mut keys = vec![
        ("m.room.create", ""),
        ("m.room.join_rules", ""),
        ("m.room.canonical_alias", ""),
        ("m.room.avatar", ""),
        ("m.room.name", ""),
        ("m.room.topic", ""),
        ("m.room.encryption", ""),
        ("m.room.member", user),
    ];
    if let Some(inviter) = inviter.as_deref().filter(|inviter| *inviter != user) {
        keys.push(("m.room.member", inviter));
    }
    let mut events = Vec::new();
    for (kind, key) in keys {
        if let Some((position, _)) = room.state(db, kind, key)? {
            events.push(Event::at(db, position)?);
        }
    }
    events.sort_by_key(|event| event.position);
    Ok(events)
}
