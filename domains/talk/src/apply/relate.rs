//! What an event may relate to (Matrix v1.19, relationships between events; annotations; threads).

use super::Ruled;
use crate::outcome::Rejected;
use crate::state::events::Event;
use crate::state::relations::{ANNOTATION, THREAD, annotated, relates, relation};
use crate::state::rooms::Room;
use bongsu_lane::Refusal;
use rusqlite::Connection;

/// The longest key of an annotation, in characters.
const MAX_KEY: usize = 500;

fn wrong<T>(why: &str) -> Ruled<T> {
    Err(Refusal::Rejected(Rejected::BadRelation(why.to_owned())))
}

/// Whether `user` may send an event of `kind` with this content, as far as it relates to another.
/// `repeat` is the device and transaction of the request, whose own event is no duplicate of itself.
///
/// # Errors
/// When not, or the view fails.
pub fn may_relate(
    db: &Connection,
    room: &Room,
    user: &str,
    (kind, content): (&str, &str),
    repeat: Option<(&str, &str)>,
) -> Ruled<()> {
    let Some(relation) = relation(content) else {
        return Ok(());
    };
    let Some(target) = Event::by_id(db, &relation.target)? else {
        return wrong("there is no event with this id to relate to");
    };
    if target.room != room.n {
        return wrong("an event relates to events of its own room alone");
    }
    let at = target.position.as_i64();
    match (relation.rel.as_str(), relation.key) {
        (ANNOTATION, None) => wrong("an annotation needs a `key`"),
        (ANNOTATION, Some(key)) => {
            if key.chars().count() > MAX_KEY {
                return wrong("the annotation's `key` is too long");
            }
            let Some(there) = annotated(db, (at, user), (kind, &key))? else {
                return Ok(());
            };
            let there = Event::at(db, there)?.transaction;
            let there = there.as_ref().map(|(device, txn)| (&**device, &**txn));
            if repeat.is_some() && there == repeat {
                return Ok(());
            }
            Err(Refusal::Rejected(Rejected::DuplicateAnnotation))
        }
        (THREAD, _) if relates(db, at)?.is_some() => {
            wrong("a thread cannot begin at an event that relates to another")
        }
        _ => Ok(()),
    }
}
