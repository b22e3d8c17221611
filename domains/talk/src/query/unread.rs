//! What is unread for somebody, by their push rules.
//!
//! Who changed no rule and ignores nobody has the counts that each event carries; only the texts of what
//! is new are searched for their names. For everybody else each event is judged. What was found is kept
//! in memory, so that each event is looked at once.

use super::judge::{Place, judge};
use super::room_state::select;
use super::rules::{PUSH_RULES, Ruleset};
use crate::state::account;
use crate::state::events::Event;
use crate::state::members::member;
use crate::state::receipts::Unread;
use crate::state::relations::{THREAD, relates, root_id};
use crate::state::rooms::Room;
use crate::state::unread::{UnreadRoom, read, read_in_thread, unread};
use crate::state::words::has_word;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many events are judged for a count, at most: the latest.
const WINDOW: i64 = 1_000;
/// For how many people and rooms counts are kept.
const KEPT: usize = 50_000;
/// The type under which account data names those who are ignored.
const IGNORED: &str = "m.ignored_user_list";

/// What somebody decided about what they want to hear.
#[derive(Debug, Clone)]
pub struct Wishes {
    user: String,
    rules: Option<Ruleset>,
    /// Whose messages and invitations are not shown.
    pub ignored: BTreeSet<String>,
}

impl Wishes {
    /// The wishes of `user`.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn of(db: &Connection, user: &str) -> rusqlite::Result<Self> {
        let (rules, _) = push_rules(db, user)?;
        let ignored = account::data(db, user, 0, IGNORED)?;
        let ignored =
            ignored.and_then(|content| serde_json::from_str::<Map<String, Value>>(&content).ok());
        let ignored = ignored
            .as_ref()
            .and_then(|content| content.get("ignored_users")?.as_object());
        let ignored: BTreeSet<String> = ignored
            .into_iter()
            .flat_map(|users| users.keys().cloned())
            .collect();
        Ok(Self {
            user: user.to_owned(),
            rules,
            ignored,
        })
    }

    /// Their rules, or the server's own.
    #[must_use]
    pub fn rules(&self) -> Ruleset {
        self.rules
            .clone()
            .unwrap_or_else(|| Ruleset::server_default(&self.user))
    }

    /// Whether they want no messages of the event's sender. State is everybody's.
    #[must_use]
    pub fn ignores(&self, event: &Event) -> bool {
        event.state_key.is_none() && self.ignored.contains(&event.sender)
    }
}

/// The rules that `user` has made their own, if any, and where they were last changed.
///
/// # Errors
/// When the view cannot be read.
pub fn push_rules(db: &Connection, user: &str) -> rusqlite::Result<(Option<Ruleset>, i64)> {
    let found: Option<(String, i64)> = db
        .prepare_cached(
            "SELECT content, changed FROM account_data WHERE user = ?1 AND room = 0 AND type = ?2",
        )?
        .query_row((user, PUSH_RULES), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.map_or((None, 0), |(content, changed)| {
        (Ruleset::from_content(&content), changed)
    }))
}

/// What has been counted. Cloning it gives another handle.
#[derive(Debug, Clone, Default)]
pub struct Counts(Arc<Mutex<BTreeMap<(String, i64), Counted>>>);

#[derive(Debug, Clone, Copy)]
struct Counted {
    from: i64,
    upto: i64,
    highlights: i64,
}

impl Counts {
    /// What is unread in `room` for the person with these `wishes`, who is in it since `joined`.
    ///
    /// # Errors
    /// When the view cannot be read.
    pub fn unread(
        &self,
        db: &Connection,
        room: &Room,
        wishes: &Wishes,
        joined: i64,
    ) -> rusqlite::Result<UnreadRoom> {
        if wishes.rules.is_some() || !wishes.ignored.is_empty() {
            return judged(db, room, wishes, joined);
        }
        let user = wishes.user.as_str();
        let mut found = unread(db, room.n, user, joined)?;
        if found.main.notifications > 0 {
            let from = read(db, room.n, user, joined)?.main;
            let highlights = found.main.highlights + self.named(db, room, user, from)?;
            found.main.highlights = highlights.min(found.main.notifications);
        }
        Ok(found)
    }

    /// How many messages after `from` name the person; what was counted before is not read again.
    fn named(&self, db: &Connection, room: &Room, user: &str, from: i64) -> rusqlite::Result<i64> {
        let changed = room.changed.as_i64();
        let key = (user.to_owned(), room.n);
        let known = self.0.lock().get(&key).copied();
        let known = known.filter(|known| known.from == from && known.upto <= changed);
        let (after, before) = known.map_or((from, 0), |known| (known.upto, known.highlights));
        if after == changed {
            return Ok(before);
        }
        let highlights = before + named(db, room, user, after)?;
        let mut kept = self.0.lock();
        if kept.len() >= KEPT {
            kept.clear();
        }
        let upto = changed;
        kept.insert(
            key,
            Counted {
                from,
                upto,
                highlights,
            },
        );
        Ok(highlights)
    }
}

/// How many messages after `after` have the person's name in their text without saying whom they mention.
fn named(db: &Connection, room: &Room, user: &str, after: i64) -> rusqlite::Result<i64> {
    let localpart = user.trim_start_matches('@').split(':').next();
    let shown = member(db, room.n, user)?.and_then(|member| member.displayname);
    let names: Vec<String> = localpart
        .map(str::to_owned)
        .into_iter()
        .chain(shown)
        .collect();
    let names: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !name.is_empty())
        .collect();
    let mut statement = db.prepare_cached(
        "SELECT content FROM event WHERE room = ?1 AND position > ?2 AND type = 'm.room.message'
           AND state_key IS NULL AND sender <> ?3 ORDER BY position DESC LIMIT ?4",
    )?;
    let mut rows = statement.query((room.n, after, user, WINDOW))?;
    let mut found = 0;
    while let Some(row) = rows.next()? {
        let raw = row.get_ref(0)?.as_str()?;
        // Nearly all texts name nobody; they are not parsed. A name with a quote or a backslash stands
        // in JSON otherwise than in the text.
        let lower = raw.to_lowercase();
        let maybe =
            |name: &&str| name.contains(['"', '\\']) || lower.contains(&name.to_lowercase());
        if !names.iter().any(maybe) {
            continue;
        }
        let content: Map<String, Value> = serde_json::from_str(raw).unwrap_or_default();
        let replaces = content
            .get("m.relates_to")
            .is_some_and(|to| to["rel_type"] == "m.replace");
        if content.contains_key("m.mentions")
            || replaces
            || content.get("msgtype") == Some(&"m.notice".into())
        {
            continue;
        }
        let body = content
            .get("body")
            .and_then(Value::as_str)
            .unwrap_or_default();
        found += i64::from(names.iter().any(|name| has_word(body, name)));
    }
    Ok(found)
}

/// What is unread for somebody with rules of their own: each of the latest events is judged.
fn judged(
    db: &Connection,
    room: &Room,
    wishes: &Wishes,
    joined: i64,
) -> rusqlite::Result<UnreadRoom> {
    let user = wishes.user.as_str();
    let read = read(db, room.n, user, joined)?;
    let mut found = UnreadRoom::default();
    let rules = wishes.rules();
    let displayname = member(db, room.n, user)?.and_then(|member| member.displayname);
    let place = Place {
        db,
        room,
        user,
        displayname: displayname.as_deref(),
    };
    let rest =
        "event WHERE room = ?1 AND position > ?2 AND sender <> ?3 ORDER BY position DESC LIMIT ?4";
    for event in select(db, rest, (room.n, read.all, user, WINDOW))? {
        if wishes.ignores(&event) || event.redacted_by.is_some() {
            continue;
        }
        let position = event.position.as_i64();
        let thread = relates(db, position)?.filter(|(_, rel)| rel == THREAD);
        let count: &mut Unread = match thread {
            None if position > read.main => &mut found.main,
            None => continue,
            Some((root, _)) => {
                let Some(id) = root_id(db, root)?.map(|id| id.to_string()) else {
                    continue;
                };
                if position <= read_in_thread(db, (room.n, root, &id), user)?.max(read.all) {
                    continue;
                }
                found.threads.entry(id).or_default()
            }
        };
        let verdict = judge(&place, &rules, &event)?;
        count.notifications += i64::from(verdict.notify);
        count.highlights += i64::from(verdict.highlight);
    }
    found.threads.retain(|_, count| count.notifications > 0);
    Ok(found)
}

/// An event that somebody is to hear of.
#[derive(Debug, Clone)]
pub struct Notification {
    /// The room.
    pub room: bongsu_base::RoomId,
    /// The event.
    pub event: super::Shown,
    /// What the rule that matched says.
    pub actions: Vec<Value>,
}

/// What `user` has not read and is to hear of, newest first: up to `limit` events before `before`, and
/// whether there are more. Of each room the latest thousand are looked at.
///
/// # Errors
/// When the view cannot be read.
pub fn notifications(
    db: &Connection,
    user: &str,
    before: i64,
    limit: usize,
    highlights_only: bool,
) -> rusqlite::Result<(Vec<Notification>, bool)> {
    let wishes = Wishes::of(db, user)?;
    let rules = wishes.rules();
    let mut found: BTreeMap<i64, (Event, Vec<Value>, Room)> = BTreeMap::new();
    for n in rooms_of(db, user)? {
        let room = Room::by_number(db, n)?;
        let visible = super::Visible::of(db, n, user)?;
        let from = read(db, n, user, visible.joined_at().unwrap_or(0))?.main;
        if room.changed.as_i64() <= from {
            continue;
        }
        let displayname = member(db, n, user)?.and_then(|member| member.displayname);
        let place = Place {
            db,
            room: &room,
            user,
            displayname: displayname.as_deref(),
        };
        let rest = "event WHERE room = ?1 AND position > ?2 AND position < ?3 AND sender <> ?4
                    ORDER BY position DESC LIMIT ?5";
        for event in select(db, rest, (n, from, before, user, WINDOW))? {
            // Enough newer ones are known already.
            let oldest = found.first_key_value().map(|(position, _)| *position);
            if found.len() > limit && oldest.is_some_and(|oldest| event.position.as_i64() < oldest)
            {
                break;
            }
            let verdict = judge(&place, &rules, &event)?;
            let wanted = verdict.notify
                && (verdict.highlight || !highlights_only)
                && event.redacted_by.is_none();
            if wanted && !wishes.ignores(&event) && visible.admits(&event) {
                let actions = verdict.actions.to_vec();
                found.insert(event.position.as_i64(), (event, actions, room.clone()));
                if found.len() > limit + 1 {
                    found.pop_first();
                }
            }
        }
    }
    let more = found.len() > limit;
    let shown = found
        .into_values()
        .rev()
        .take(limit)
        .map(|(event, actions, room)| {
            Ok(Notification {
                room: room.id,
                event: super::show_to(db, event, user)?,
                actions,
            })
        });
    Ok((shown.collect::<rusqlite::Result<_>>()?, more))
}

fn rooms_of(db: &Connection, user: &str) -> rusqlite::Result<Vec<i64>> {
    db.prepare_cached(
        "SELECT room FROM member WHERE user = ?1 AND membership = 'join' ORDER BY room",
    )?
    .query_map([user], |row| row.get(0))?
    .collect()
}
