//! Keys and their answers, kept for ever.

use super::damaged;
use crate::answer::Kept;
use crate::id::Hash;
use rusqlite::{Connection, OptionalExtension};

/// What was asked under `key`, and the answer.
pub fn find(db: &Connection, caller: &str, key: &str) -> rusqlite::Result<Option<(Hash, Kept)>> {
    let found: Option<([u8; 32], Vec<u8>)> = db
        .prepare_cached("SELECT print, answer FROM key WHERE caller = ?1 AND key = ?2")?
        .query_row((caller, key), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let decode = |(print, answer): ([u8; 32], Vec<u8>)| {
        let answer = postcard::from_bytes(&answer).map_err(|_| damaged("answer"))?;
        Ok((Hash(print), answer))
    };
    found.map(decode).transpose()
}

/// Keeps the answer of a key that has none.
pub fn keep(
    db: &Connection,
    (caller, key): (&str, &str),
    (print, answer): (Hash, &Kept),
) -> rusqlite::Result<()> {
    let answer = postcard::to_stdvec(answer).expect("an answer is plain data");
    db.prepare_cached("INSERT INTO key (caller, key, print, answer) VALUES (?1, ?2, ?3, ?4)")?
        .execute((caller, key, print.0, answer))
        .map(drop)
}
