//! The parts of events that a filter asks for (Matrix v1.19, filtering, `event_fields`).

use serde_json::{Map, Value};

/// The lists of a room in which events stand.
const LISTS: [&str; 3] = ["timeline", "state", "state_after"];

/// A sync's answer with nothing of its events but `fields`: dotted paths, in which `\.` is a dot and `\\` is a
/// backslash.
///
/// # Errors
/// When `answer` is no JSON.
pub fn only(answer: &[u8], fields: &[String]) -> serde_json::Result<Vec<u8>> {
    let paths: Vec<Vec<String>> = fields.iter().map(|field| steps(field)).collect();
    let mut answer: Value = serde_json::from_slice(answer)?;
    for section in ["join", "leave"] {
        let rooms = answer
            .get_mut("rooms")
            .and_then(|rooms| rooms.get_mut(section))
            .and_then(Value::as_object_mut);
        for room in rooms.into_iter().flat_map(Map::values_mut) {
            for list in LISTS {
                let events = room.get_mut(list).and_then(|list| list.get_mut("events"));
                let events = events.and_then(Value::as_array_mut);
                for event in events.into_iter().flatten() {
                    *event = pick(event, &paths);
                }
            }
        }
    }
    serde_json::to_vec(&answer)
}

/// The steps of a dotted path.
fn steps(field: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut letters = field.chars();
    while let Some(letter) = letters.next() {
        let step = steps.last_mut().expect("there is always one");
        match letter {
            '.' => steps.push(String::new()),
            '\\' => match letters.next() {
                Some(letter @ ('.' | '\\')) => step.push(letter),
                Some(letter) => step.extend(['\\', letter]),
                None => step.push('\\'),
            },
            letter => step.push(letter),
        }
    }
    steps
}

fn pick(event: &Value, paths: &[Vec<String>]) -> Value {
    let mut picked = Value::Object(Map::new());
    for path in paths {
        let found = path.iter().try_fold(event, |at, step| at.get(step));
        let Some(found) = found else { continue };
        let mut at = &mut picked;
        for step in path {
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            at = &mut at[step.as_str()];
        }
        *at = found.clone();
    }
    picked
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_are_taken_apart_at_their_dots() {
        assert_eq!(steps("content.body"), ["content", "body"]);
        assert_eq!(
            steps(r"content.m\.relates_to.a\\b.c\d\"),
            ["content", "m.relates_to", r"a\b", r"c\d\"]
        );
    }

    #[test]
    fn nothing_is_left_of_events_but_what_is_asked_for() {
        let event = json!({
            "type": "m.room.message",
            "event_id": "$1",
            "content": { "body": "hi", "m.x": { "deep": 1, "other": 2 }, "msgtype": "m.text" },
        });
        let answer = json!({
            "next_batch": "s1",
            "rooms": {
                "join": { "!a:b": { "timeline": { "events": [event], "limited": false }, "state": { "events": [event] } } },
                "invite": {},
            },
        });
        let fields = [
            r"content.m\.x.deep",
            "type",
            "content.body",
            "content.none",
            "type.x",
        ];
        let fields = fields.map(str::to_owned);
        let left = only(answer.to_string().as_bytes(), &fields).expect("JSON");
        let left: Value = serde_json::from_slice(&left).expect("JSON");
        let event =
            json!({ "type": "m.room.message", "content": { "body": "hi", "m.x": { "deep": 1 } } });
        assert_eq!(
            left,
            json!({
                "next_batch": "s1",
                "rooms": {
                    "join": { "!a:b": { "timeline": { "events": [event], "limited": false }, "state": { "events": [event] } } },
                    "invite": {},
                },
            })
        );
    }
}
