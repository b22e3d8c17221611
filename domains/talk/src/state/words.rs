//! Names in texts, and who may call everybody.

use super::power::user_level;
use super::rooms::Room;
use rusqlite::Connection;
use serde_json::{Map, Value};

/// Whether a letter belongs to a word (Matrix v1.19, push rules, word boundaries).
#[must_use]
pub fn in_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// Whether `word` stands in `text` with the borders of words around it, in capitals or not.
#[must_use]
pub fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    text.match_indices(&word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(in_word) && !after.is_some_and(in_word)
    })
}

/// Whether `sender` has the power to notify everybody of `room` in the way named `key`.
///
/// # Errors
/// When the view cannot be read.
pub fn may_notify(db: &Connection, room: &Room, sender: &str, key: &str) -> rusqlite::Result<bool> {
    let content = room.state(db, "m.room.power_levels", "")?;
    let content: Map<String, Value> = content
        .and_then(|(_, content)| serde_json::from_str(&content).ok())
        .unwrap_or_default();
    let needed = content
        .get("notifications")
        .and_then(|levels| levels.get(key));
    let needed = needed.and_then(Value::as_i64).unwrap_or(50);
    Ok(user_level(db, room.n, &room.levels, sender)? >= needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_borders() {
        for (text, word, expect) in [
            ("hey Jun!", "jun", true),
            ("june", "jun", false),
            ("hi jun_", "jun", false),
            ("준아 안녕", "준아", true),
            ("@room please", "@room", true),
        ] {
            assert_eq!(has_word(text, word), expect, "{text} {word}");
        }
    }
}
