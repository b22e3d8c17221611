//! Who knows whom.

use rusqlite::Connection;
use std::collections::BTreeMap;

/// How many members are looked at for one search.
const LOOK: i64 = 50_000;

/// Somebody whom a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub user: String,
    /// The name they show.
    pub displayname: Option<String>,
    /// The picture they show.
    pub avatar_url: Option<String>,
}

/// People whose id or name has every word of `term` in it, who share a room with `user` or are in a public one: up to
/// `limit`, those whose id or name is the term or has words that begin with it first, and whether there are more.
///
/// # Errors
/// When the view cannot be read.
pub fn search_people(
    db: &Connection,
    user: &str,
    term: &str,
    limit: usize,
) -> rusqlite::Result<(Vec<Person>, bool)> {
    let term = term.trim().trim_start_matches('@').to_lowercase();
    if term.is_empty() {
        return Ok((Vec::new(), false));
    }
    let mut statement = db.prepare_cached(
        "SELECT user, displayname, avatar_url FROM member
         WHERE membership = 'join' AND room IN (
           SELECT room FROM member WHERE user = ?1 AND membership = 'join'
           UNION SELECT n FROM room WHERE join_rule = 'public' OR listed)
         LIMIT ?2",
    )?;
    let mut rows = statement.query((user, LOOK))?;
    let mut found: BTreeMap<(u8, String), Person> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let person = Person {
            user: row.get(0)?,
            displayname: row.get(1)?,
            avatar_url: row.get(2)?,
        };
        let id = person.user.trim_start_matches('@').to_lowercase();
        let localpart = id.split(':').next().unwrap_or_default();
        let name = person
            .displayname
            .as_deref()
            .unwrap_or_default()
            .to_lowercase();
        let begins = |part: &str| {
            localpart.starts_with(part)
                || name.split_whitespace().any(|word| word.starts_with(part))
        };
        let has = |part: &str| localpart.contains(part) || name.contains(part);
        let rank = if localpart == term || name == term {
            0
        } else if term.split_whitespace().all(begins) {
            1
        } else if term.split_whitespace().all(has) || id == term {
            2
        } else {
            continue;
        };
        found.entry((rank, person.user.clone())).or_insert(person);
    }
    let mut people: Vec<Person> = Vec::new();
    let mut more = false;
    for person in found.into_values() {
        // The same person may show different names in different rooms.
        if people.iter().any(|other| other.user == person.user) {
            continue;
        }
        more = people.len() == limit;
        if more {
            break;
        }
        people.push(person);
    }
    Ok((people, more))
}

/// Whether two people are in a room together.
///
/// # Errors
/// When the view cannot be read.
pub fn share_a_room(db: &Connection, one: &str, other: &str) -> rusqlite::Result<bool> {
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM member a JOIN member b ON b.room = a.room
         WHERE a.user = ?1 AND a.membership = 'join' AND b.user = ?2 AND b.membership = 'join')",
    )?
    .query_row((one, other), |row| row.get(0))
}

/// The rooms that `user` is in with no more than `most` people.
///
/// # Errors
/// When the view cannot be read.
pub fn small_rooms(db: &Connection, user: &str, most: i64) -> rusqlite::Result<Vec<String>> {
    db.prepare_cached(
        "SELECT room.id FROM member JOIN room ON room.n = member.room
         WHERE member.user = ?1 AND member.membership = 'join' AND room.joined <= ?2 ORDER BY room.n",
    )?
    .query_map((user, most), |row| row.get(0))?
    .collect()
}
