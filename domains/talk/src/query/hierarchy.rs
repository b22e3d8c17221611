//! A space with what is in it, and in the spaces in it (Matrix v1.19, spaces).

use super::describe::{Described, describe};
use crate::state::entrance::may_know;
use crate::state::events::Event;
use crate::state::rooms::Room;
use bongsu_base::LogTime;
use rusqlite::Connection;
use serde_json::Value;
use std::collections::BTreeSet;

/// How many rooms and mentions of rooms are looked at, at most.
const LOOK: usize = 20_000;
/// The longest `order` that counts, in characters.
const MAX_ORDER: usize = 50;

/// What of a space is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Hierarchy<'a> {
    /// Who asks.
    pub user: &'a str,
    /// Whether only suggested children count.
    pub suggested_only: bool,
    /// How deep it goes; the space itself is at 0.
    pub max_depth: Option<u64>,
    /// How many rooms are passed over.
    pub skip: usize,
    /// How many rooms are given, at most.
    pub limit: usize,
}

/// A room in a space, or the space itself.
#[derive(Debug)]
pub struct Branch {
    /// The room.
    pub room: Described,
    /// Its children, as state events, in order; none if it is no space.
    pub children: Vec<Event>,
}

/// Walks through the space `root`, depth first; tells whether there is more. `None` if the asker may not
/// know of the space.
///
/// # Errors
/// When the view cannot be read.
pub fn hierarchy(
    db: &Connection,
    root: Room,
    wanted: &Hierarchy<'_>,
) -> rusqlite::Result<Option<(Vec<Branch>, bool)>> {
    if !may_know(db, &root, Some(wanted.user))? {
        return Ok(None);
    }
    let mut seen = BTreeSet::new();
    let mut ahead = vec![(root.id.to_string(), 0)];
    let mut found = Vec::new();
    let (mut passed, mut looked) = (0, 0);
    while let Some((id, depth)) = ahead.pop() {
        let new = !seen.contains(&id);
        let Some(room) = known_room(db, &id, wanted.user)?.filter(|_| new) else {
            continue;
        };
        if found.len() == wanted.limit {
            return Ok(Some((found, true)));
        }
        seen.insert(id);
        let room = describe(db, room)?;
        let children = if room.kind.as_deref() == Some("m.space") {
            children(db, &room.room, wanted.suggested_only, LOOK - looked)?
        } else {
            Vec::new()
        };
        looked = LOOK.min(looked + 1 + children.len());
        if wanted.max_depth.is_none_or(|most| depth < most) {
            // What is pushed last is looked at first.
            let ids = children
                .iter()
                .rev()
                .filter_map(|child| child.state_key.clone());
            ahead.extend(ids.map(|id| (id, depth + 1)));
        }
        passed += 1;
        if passed > wanted.skip {
            found.push(Branch { room, children });
        }
    }
    Ok(Some((found, false)))
}

/// The room `id`, if the asker may know of it.
fn known_room(db: &Connection, id: &str, user: &str) -> rusqlite::Result<Option<Room>> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let Some(room) = Room::by_id(db, &id)? else {
        return Ok(None);
    };
    Ok(may_know(db, &room, Some(user))?.then_some(room))
}

/// The children of a space, in order.
fn children(
    db: &Connection,
    space: &Room,
    suggested_only: bool,
    most: usize,
) -> rusqlite::Result<Vec<Event>> {
    let positions: Vec<i64> = db
        .prepare_cached(
            "SELECT position FROM state WHERE room = ?1 AND type = 'm.space.child'
             ORDER BY state_key LIMIT ?2",
        )?
        .query_map((space.n, most as i64), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut children = Vec::new();
    for position in positions {
        let event = Event::at(db, position)?;
        let content: Value = serde_json::from_str(&event.content).unwrap_or_default();
        let suggested = content["suggested"] == Value::Bool(true);
        if is_child(&content) && (suggested || !suggested_only) {
            let place = place(&content, event.time, event.state_key.as_deref());
            children.push((place, event));
        }
    }
    children.sort_by(|(place, _), (other, _)| place.cmp(other));
    Ok(children.into_iter().map(|(_, event)| event).collect())
}

/// Whether a child says by which servers it is reached, without which it is none (Matrix v1.19, `m.space.child`).
fn is_child(content: &Value) -> bool {
    let via = content["via"].as_array();
    via.is_some_and(|via| !via.is_empty() && via.iter().all(Value::is_string))
}

/// Where a child stands: by its `order`, those without one last, then by age, then by id.
type Place = (bool, Option<String>, LogTime, Option<String>);

fn place(content: &Value, time: LogTime, child: Option<&str>) -> Place {
    let order = order(content);
    (order.is_none(), order, time, child.map(str::to_owned))
}

/// A child's `order`, if it is one that counts.
fn order(content: &Value) -> Option<String> {
    let order = content["order"].as_str()?;
    let counts =
        order.len() <= MAX_ORDER && order.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    counts.then(|| order.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_child_is_reached_by_servers() {
        assert!(is_child(&json!({"via": ["a", "b"]})));
        for via in [
            json!(null),
            json!("a"),
            json!([]),
            json!([1]),
            json!(["a", 1]),
        ] {
            assert!(!is_child(&json!({ "via": via })), "{via}");
        }
    }

    #[test]
    fn children_stand_by_order_then_age_then_id() {
        let child = |content: Value, time, id| place(&content, LogTime(time), Some(id));
        let sorted = [
            child(json!({"order": "1"}), 9, "!z"),
            child(json!({"order": "2"}), 5, "!y"),
            child(json!({}), 1, "!x"),
            child(json!({"order": "\u{e9} is not ASCII"}), 2, "!b"),
            child(json!({"order": "0".repeat(51)}), 3, "!a"),
            child(json!({"order": 4}), 3, "!c"),
        ];
        assert!(sorted.is_sorted(), "{sorted:?}");
    }
}
