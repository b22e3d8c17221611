//! Names in texts, and who may call everybody.

use super::power::user_level;
use super::rooms::Room;
use rusqlite::Connection;
use serde_json::{Map, Value};

/// Whether a letter belongs to a word (Matrix v1.19, push rules, word boundaries).
fn in_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// Whether a word may begin or end between two letters, or at an end of the text: where one of them belongs to no
/// word. `None` is beyond the text.
#[must_use]
pub fn is_border(before: Option<char>, after: Option<char>) -> bool {
    !before.is_some_and(in_word) || !after.is_some_and(in_word)
}

/// Whether `word` stands in `text` with the borders of words around it, in capitals or not.
#[must_use]
pub fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let Some(first) = word.chars().next() else {
        return true;
    };
    let last = word.chars().next_back();
    let mut from = 0;
    while let Some(found) = text[from..].find(&word) {
        let at = from + found;
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        if is_border(before, Some(first)) && is_border(last, after) {
            return true;
        }
        from = at + first.len_utf8();
    }
    false
}

/// Whether `text` calls everybody in the room: `@room` with no letter of a word beside it. What is noted of messages
/// follows from this since their first release, so that it stays as it is.
#[must_use]
pub fn calls_everybody(text: &str) -> bool {
    let text = text.to_lowercase();
    text.match_indices("@room").any(|(at, call)| {
        let before = text[..at].chars().next_back();
        let after = text[at + call.len()..].chars().next();
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
            ("foobar", "foo ", false),
            ("foo bar", "foo ", true),
            ("x🔥y", "🔥", true),
            ("x_under", "_under", false),
            ("x@y", "@", true),
            ("ba a a", "a a", true),
            ("pancakes and cake", "cake", true),
            ("helló", "hell", true),
            ("éclair", "clair", true),
        ] {
            assert_eq!(has_word(text, word), expect, "{text} {word}");
        }
    }

    #[test]
    fn everybody_is_called_by_a_word_of_its_own() {
        for (text, expect) in [
            ("@room please", true),
            ("hey @ROOM!", true),
            ("x@room", false),
            ("@rooms", false),
        ] {
            assert_eq!(calls_everybody(text), expect, "{text}");
        }
    }
}
