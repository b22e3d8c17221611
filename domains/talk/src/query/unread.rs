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
use crate::state::unread::{Read, UnreadRoom, read, read_in_thread, unread};
use crate::state::words::has_word;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many events are judged for a count, at most: the latest.
const WINDOW: i64 = 1_000;
/// For how many people and rooms counts are kept.
const KEPT: usize = 50_000;
/// The type under which account data names those who are ignored.
pub const IGNORED: &str = "m.ignored_user_list";

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
        Ok(Self {
            user: user.to_owned(),
            rules,
            ignored: ignored_by(db, user)?,
        })
    }

    /// Their rules, or the server's own.
    #[must_use]
    pub fn rules(&self) -> Ruleset {
        self.rules
            .clone()
            .unwrap_or_else(|| Ruleset::server_default(&self.user))
    }

    /// Whose wishes they are.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Whether the event lets them into a room, by somebody whom they ignore.
    #[must_use]
    pub fn ignores_invite(&self, event: &Event) -> bool {
        event.state_key.as_deref() == Some(&self.user) && self.ignored.contains(&event.sender)
    }

    /// Whether they want no messages of the event's sender.
    #[must_use]
    pub fn ignores(&self, event: &Event) -> bool {
        is_of(&self.ignored, event)
    }
}

/// Whether somebody of `ignored` says this. State is everybody's (Matrix v1.19, ignoring users).
pub(super) fn is_of(ignored: &BTreeSet<String>, event: &Event) -> bool {
    event.state_key.is_none() && ignored.contains(&event.sender)
}

/// Whether `user` wants no invitations, from nobody (Matrix v1.19, invite permission).
///
/// # Errors
/// When the view cannot be read.
pub fn blocks_invites(db: &Connection, user: &str) -> rusqlite::Result<bool> {
    let content = account::data(db, user, 0, "m.invite_permission_config")?;
    let content = content.and_then(|content| serde_json::from_str::<Value>(&content).ok());
    Ok(content.is_some_and(|content| content["default_action"] == "block"))
}

/// Whom `user` ignores.
///
/// # Errors
/// When the view cannot be read.
pub(super) fn ignored_by(db: &Connection, user: &str) -> rusqlite::Result<BTreeSet<String>> {
    let content = account::data(db, user, 0, IGNORED)?;
    let content =
        content.and_then(|content| serde_json::from_str::<Map<String, Value>>(&content).ok());
    let users = content
        .as_ref()
        .and_then(|content| content.get("ignored_users")?.as_object());
    Ok(users
        .into_iter()
        .flat_map(|users| users.keys().cloned())
        // Nobody misses what they said themselves.
        .filter(|ignored| ignored != user)
        .collect())
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

/// Which messages between two places name somebody, newest last.
#[derive(Debug, Clone)]
struct Counted {
    from: i64,
    upto: i64,
    named: Arc<Vec<Named>>,
}

/// A message that has somebody's name in its text without saying whom it mentions, or an edit that is for them.
#[derive(Debug, Clone, Copy)]
struct Named {
    position: i64,
    highlights: bool,
    /// Whether it makes them unread by that alone: edits make nobody unread but whom they name.
    notifies: bool,
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
        let read = read(db, room.n, user, joined)?;
        let mut found = unread(db, room.n, user, read)?;
        for named in self.named(db, room, user, read.all)?.iter() {
            let event = Event::find(db, named.position)?;
            let Some(event) = event.filter(|event| event.redacted_by.is_none()) else {
                continue;
            };
            let (thread, is_read) = reading(db, (room.n, user), read, &event)?;
            if is_read {
                continue;
            }
            let count = match thread {
                None => &mut found.main,
                Some(root) => found.threads.entry(root).or_default(),
            };
            count.notifications += i64::from(named.notifies);
            count.highlights += i64::from(named.highlights);
        }
        for count in found.threads.values_mut().chain([&mut found.main]) {
            count.highlights = count.highlights.min(count.notifications);
        }
        found.threads.retain(|_, count| count.notifications > 0);
        Ok(found)
    }

    /// The messages after `from` that name the person; what was looked at before is not read again.
    fn named(
        &self,
        db: &Connection,
        room: &Room,
        user: &str,
        from: i64,
    ) -> rusqlite::Result<Arc<Vec<Named>>> {
        let changed = room.changed.as_i64();
        let key = (user.to_owned(), room.n);
        let known = self.0.lock().get(&key).cloned();
        let known = known.filter(|known| known.from == from && known.upto <= changed);
        let after = known.as_ref().map_or(from, |known| known.upto);
        let mut all = known.map(|known| known.named).unwrap_or_default();
        if after >= changed {
            return Ok(all);
        }
        let new = named(db, room, user, after)?;
        if !new.is_empty() {
            let all = Arc::make_mut(&mut all);
            all.extend(new);
            let over = all.len().saturating_sub(WINDOW as usize);
            all.drain(..over);
        }
        let mut kept = self.0.lock();
        if kept.len() >= KEPT {
            kept.clear();
        }
        let upto = changed;
        let named = all.clone();
        kept.insert(key, Counted { from, upto, named });
        Ok(all)
    }
}

/// The messages after `after` that name the person, oldest first.
fn named(db: &Connection, room: &Room, user: &str, after: i64) -> rusqlite::Result<Vec<Named>> {
    let localpart = user.trim_start_matches('@').split(':').next();
    let shown = member(db, room.n, user)?.and_then(|member| member.displayname);
    let names: Vec<&str> = localpart
        .into_iter()
        .chain(shown.as_deref())
        .filter(|name| !name.is_empty())
        .collect();
    let rules = OnceCell::new();
    let place = Place {
        db,
        room,
        user,
        displayname: shown.as_deref(),
    };
    let mut statement = db.prepare_cached(
        "SELECT position, content FROM event WHERE room = ?1 AND position > ?2
           AND type = 'm.room.message' AND state_key IS NULL AND sender <> ?3
         ORDER BY position DESC LIMIT ?4",
    )?;
    let mut rows = statement.query((room.n, after, user, WINDOW))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (position, raw) = (row.get(0)?, row.get_ref(1)?.as_str()?);
        // Edits are few, and no count that an event carries has them: they are judged.
        if is_edit(raw) {
            let rules = rules.get_or_init(|| Ruleset::server_default(user));
            let verdict = judge(&place, rules, &Event::at(db, position)?)?;
            if verdict.notify || verdict.highlight {
                found.push(Named {
                    position,
                    highlights: verdict.highlight,
                    notifies: verdict.notify,
                });
            }
        } else if names_one_of(&names, raw) {
            found.push(Named {
                position,
                highlights: true,
                notifies: false,
            });
        }
    }
    found.reverse();
    Ok(found)
}

fn is_edit(content: &str) -> bool {
    // Nearly all are none; they are not parsed.
    if !content.contains("\"m.replace\"") {
        return false;
    }
    let content: Value = serde_json::from_str(content).unwrap_or_default();
    content["m.relates_to"]["rel_type"] == "m.replace"
}

/// Whether a message with this content has one of `names` in its text without saying whom it mentions.
fn names_one_of(names: &[&str], raw: &str) -> bool {
    // Nearly all texts name nobody; they are not parsed. A name with a quote or a backslash stands
    // in JSON otherwise than in the text.
    let lower = raw.to_lowercase();
    let maybe = |name: &&str| name.contains(['"', '\\']) || lower.contains(&name.to_lowercase());
    if !names.iter().any(maybe) {
        return false;
    }
    let content: Map<String, Value> = serde_json::from_str(raw).unwrap_or_default();
    if content.contains_key("m.mentions") || content.get("msgtype") == Some(&"m.notice".into()) {
        return false;
    }
    let body = content
        .get("body")
        .and_then(Value::as_str)
        .unwrap_or_default();
    names.iter().any(|name| has_word(body, name))
}

/// The root of the thread that `event` is in, if it is in one, and whether `user` has read it.
pub(super) fn reading(
    db: &Connection,
    (room, user): (i64, &str),
    read: Read,
    event: &Event,
) -> rusqlite::Result<(Option<String>, bool)> {
    let position = event.position.as_i64();
    let thread = relates(db, position)?.filter(|(_, rel)| rel == THREAD);
    let Some((root, _)) = thread else {
        return Ok((None, position <= read.main));
    };
    // Of a thread whose root is purged nothing is told.
    let Some(id) = root_id(db, root)?.map(|id| id.to_string()) else {
        return Ok((None, true));
    };
    let upto = read_in_thread(db, (room, root, &id), user)?.max(read.all);
    Ok((Some(id), position <= upto))
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
        let (thread, is_read) = reading(db, (room.n, user), read, &event)?;
        if is_read {
            continue;
        }
        let count: &mut Unread = match thread {
            None => &mut found.main,
            Some(root) => found.threads.entry(root).or_default(),
        };
        let verdict = judge(&place, &rules, &event)?;
        count.notifications += i64::from(verdict.notify);
        count.highlights += i64::from(verdict.highlight);
    }
    found.threads.retain(|_, count| count.notifications > 0);
    Ok(found)
}
