//! Which event relates to which, and what threads that makes.

use super::events::{Event, event_id};
use super::rooms::position;
use bongsu_base::EventId;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value};

/// An edit.
pub const REPLACE: &str = "m.replace";
/// Being in a thread.
pub const THREAD: &str = "m.thread";
/// A reaction.
pub const ANNOTATION: &str = "m.annotation";
/// Any other relation that is shown with its target.
pub const REFERENCE: &str = "m.reference";

/// How far relations of relations are followed.
const DEPTH: usize = 3;

/// What a content says of its event's relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its kind: `m.replace`, `m.thread`, …
    pub rel: String,
    /// The id of the event it is about.
    pub target: String,
    /// What an annotation says.
    pub key: Option<String>,
}

/// The relation in an event's content, if there is one.
#[must_use]
pub fn relation(content: &str) -> Option<Relation> {
    // Most events relate to nothing; they are not parsed.
    if !content.contains("\"m.relates_to\"") {
        return None;
    }
    let content: Map<String, Value> = serde_json::from_str(content).ok()?;
    let relates = content.get("m.relates_to")?;
    let text = |name: &str| relates.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Relation {
        rel: text("rel_type")?,
        target: text("event_id")?,
        key: text("key"),
    })
}

/// Whether an event relates to another by an edit, a thread, an annotation or else.
///
/// # Errors
/// When the view cannot be read.
pub fn relates(db: &Connection, event: i64) -> rusqlite::Result<Option<(i64, String)>> {
    db.prepare_cached("SELECT target, rel FROM relation WHERE event = ?1")?
        .query_row([event], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// The root of the thread that an event belongs to, by itself or through what it relates to.
///
/// # Errors
/// When the view cannot be read.
pub fn thread_of(db: &Connection, event: i64) -> rusqlite::Result<Option<i64>> {
    let mut at = event;
    for _ in 0..DEPTH {
        match relates(db, at)? {
            Some((root, rel)) if rel == THREAD => return Ok(Some(root)),
            Some((target, _)) => at = target,
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// Whether a thread begins at an event.
///
/// # Errors
/// When the view cannot be read.
pub fn is_root(db: &Connection, event: i64) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM thread WHERE root = ?1")?
        .exists([event])
}

/// Where `user` has annotated `target` with `key` by an event of this type.
///
/// # Errors
/// When the view cannot be read.
pub fn annotated(
    db: &Connection,
    (target, user): (i64, &str),
    (kind, key): (&str, &str),
) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached(
        "SELECT event FROM relation
         WHERE target = ?1 AND sender = ?2 AND type = ?3 AND key = ?4 AND rel = ?5
         ORDER BY event LIMIT 1",
    )?
    .query_row((target, user, kind, key, ANNOTATION), |row| row.get(0))
    .optional()
}

/// Whether an event of this relation is shown beside its target (Matrix v1.19, validity of replacement
/// events).
fn counts(event: &Event, relation: &Relation, target: &Event) -> bool {
    match relation.rel.as_str() {
        REPLACE => {
            event.sender == target.sender
                && event.kind == target.kind
                && event.state_key.is_none()
                && target.state_key.is_none()
                && (event.kind == "m.room.encrypted" || event.content.contains("\"m.new_content\""))
        }
        THREAD | REFERENCE => event.state_key.is_none(),
        _ => false,
    }
}

/// Notes what `event` relates to, and moves the thread it is in. Says whether it is in one. Costs the
/// same in every room.
///
/// # Errors
/// When the view cannot be written.
pub fn note(db: &Connection, event: &Event) -> rusqlite::Result<bool> {
    let Some(relation) = relation(&event.content) else {
        return Ok(false);
    };
    let target = Event::by_id(db, &relation.target)?.filter(|target| target.room == event.room);
    let Some(target) = target else {
        return Ok(false);
    };
    let (at, root) = (event.position.as_i64(), target.position.as_i64());
    let counts = counts(event, &relation, &target);
    db.prepare_cached(
        "INSERT INTO relation (event, target, rel, type, sender, key, counts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        at,
        root,
        &relation.rel,
        &event.kind,
        &event.sender,
        &relation.key,
        counts,
    ))?;
    let threaded = relation.rel == THREAD && counts;
    if threaded {
        db.prepare_cached(
            "INSERT INTO thread (root, room, latest, count) VALUES (?1, ?2, ?3, 1)
             ON CONFLICT DO UPDATE SET latest = excluded.latest, count = count + 1",
        )?
        .execute((root, event.room, at))?;
        db.prepare_cached(
            "INSERT INTO thread_member (root, user, count, last) VALUES (?1, ?2, 1, ?3)
             ON CONFLICT DO UPDATE SET last = excluded.last, count = count + 1",
        )?
        .execute((root, &event.sender, at))?;
    }
    Ok(threaded)
}

/// Takes away what a redacted event related to.
///
/// # Errors
/// When the view cannot be written.
pub fn forget(db: &Connection, event: &Event) -> rusqlite::Result<()> {
    let at = event.position.as_i64();
    let found: Option<(i64, String, bool)> = db
        .prepare_cached("SELECT target, rel, counts FROM relation WHERE event = ?1")?
        .query_row([at], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((root, rel, counts)) = found else {
        return Ok(());
    };
    db.prepare_cached("DELETE FROM relation WHERE event = ?1")?
        .execute([at])?;
    if rel != THREAD || !counts {
        return Ok(());
    }
    db.prepare_cached("UPDATE thread_member SET count = count - 1 WHERE root = ?1 AND user = ?2")?
        .execute((root, &event.sender))?;
    let latest: Option<i64> = db
        .prepare_cached(
            "SELECT max(event) FROM relation WHERE target = ?1 AND rel = 'm.thread' AND counts = 1",
        )?
        .query_row([root], |row| row.get(0))?;
    match latest {
        Some(latest) => db
            .prepare_cached("UPDATE thread SET count = count - 1, latest = ?2 WHERE root = ?1")?
            .execute((root, latest))?,
        None => db
            .prepare_cached("DELETE FROM thread WHERE root = ?1")?
            .execute([root])?,
    };
    Ok(())
}

/// Takes away what a purged event related to. The root of a thread is remembered by its id until the
/// last reply has gone, so that what is unread in the thread stays what it was.
///
/// # Errors
/// When the view cannot be written.
pub fn purge(db: &Connection, event: &Event) -> rusqlite::Result<()> {
    let at = event.position.as_i64();
    let thread = relates(db, at)?.filter(|(_, rel)| rel == THREAD);
    forget(db, event)?;
    if let Some((root, _)) = thread
        && !has_thread(db, root)?
    {
        for sql in [
            "DELETE FROM thread_member WHERE root = ?1",
            "DELETE FROM purged_root WHERE root = ?1",
        ] {
            db.prepare_cached(sql)?.execute([root])?;
        }
    }
    if has_thread(db, at)? {
        db.prepare_cached("INSERT INTO purged_root (root, tag) VALUES (?1, ?2)")?
            .execute((at, event.tag))?;
    }
    Ok(())
}

fn has_thread(db: &Connection, root: i64) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM thread WHERE root = ?1")?
        .exists([root])
}

/// The id of a thread's root, whether the root is still there or was purged.
///
/// # Errors
/// When the view cannot be read.
pub fn root_id(db: &Connection, root: i64) -> rusqlite::Result<Option<EventId>> {
    let tag: Option<i64> = db
        .prepare_cached(
            "SELECT coalesce((SELECT tag FROM event WHERE position = ?1),
                             (SELECT tag FROM purged_root WHERE root = ?1))",
        )?
        .query_row([root], |row| row.get(0))?;
    Ok(tag.map(|tag| event_id(position(root), tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relation_is_read_from_a_content_and_nonsense_is_none() {
        let check = |content: &str, expect: Option<(&str, &str, Option<&str>)>| {
            let found = relation(content);
            let found = found
                .as_ref()
                .map(|found| (&*found.rel, &*found.target, found.key.as_deref()));
            assert_eq!(found, expect, "{content}");
        };
        check("{}", None);
        check(r#"{"m.relates_to":7}"#, None);
        check(r#"{"m.relates_to":{"rel_type":"m.thread"}}"#, None);
        check(r#"{"m.relates_to":{"rel_type":3,"event_id":"$a"}}"#, None);
        check(
            r#"{"m.relates_to":{"m.in_reply_to":{"event_id":"$a"}}}"#,
            None,
        );
        check(
            r#"{"m.relates_to":{"event_id":"$a","key":"+","rel_type":"m.annotation"}}"#,
            Some(("m.annotation", "$a", Some("+"))),
        );
        check(
            r#"{"m.relates_to":{"event_id":"$a","rel_type":"x"}}"#,
            Some(("x", "$a", None)),
        );
    }
}
