//! What push rules say of an event (Matrix v1.19, push rules, conditions).

use super::rules::{Rule, RuleKind, Ruleset};
use crate::state::events::Event;
use crate::state::rooms::Room;
use crate::state::words::{has_word, is_border, may_notify};
use rusqlite::Connection;
use serde_json::{Value, json};

/// How much of a text is searched for a pattern, in characters.
const LOOK: usize = 8_192;

/// For whom, and where, rules are asked.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The view.
    pub db: &'a Connection,
    /// The room.
    pub room: &'a Room,
    /// Whose rules they are.
    pub user: &'a str,
    /// How that person shows themselves in the room.
    pub displayname: Option<&'a str>,
}

/// What is to be done about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// Whether it makes the person unread.
    pub notify: bool,
    /// Whether it is shown to them as being about them.
    pub highlight: bool,
    /// All actions of the rule that matched.
    pub actions: &'a [Value],
}

/// Asks `rules` about `event`. One's own events and those without content any more are about nothing.
///
/// # Errors
/// When the view cannot be read.
pub fn judge<'a>(
    place: &Place<'_>,
    rules: &'a Ruleset,
    event: &Event,
) -> rusqlite::Result<Verdict<'a>> {
    let mut verdict = Verdict {
        notify: false,
        highlight: false,
        actions: &[],
    };
    if event.sender == place.user || event.redacted_by.is_some() {
        return Ok(verdict);
    }
    let content: Value = serde_json::from_str(&event.content).unwrap_or_default();
    let mut whole = json!({
        "type": event.kind,
        "sender": event.sender,
        "room_id": place.room.id.as_str(),
        "event_id": event.id().as_str(),
        "content": content,
    });
    if let Some(key) = &event.state_key {
        whole["state_key"] = Value::String(key.clone());
    }
    for kind in RuleKind::ALL {
        for rule in rules.of(kind) {
            if rule.enabled && matches(place, kind, rule, &whole)? {
                verdict.actions = &rule.actions;
                verdict.notify = rule
                    .actions
                    .iter()
                    .any(|action| action == "notify" || action == "coalesce");
                verdict.highlight = verdict.notify && rule.actions.iter().any(is_highlight);
                return Ok(verdict);
            }
        }
    }
    Ok(verdict)
}

fn is_highlight(action: &Value) -> bool {
    action
        .get("set_tweak")
        .is_some_and(|tweak| tweak == "highlight")
        && action
            .get("value")
            .is_none_or(|value| value == &Value::Bool(true))
}

fn matches(
    place: &Place<'_>,
    kind: RuleKind,
    rule: &Rule,
    event: &Value,
) -> rusqlite::Result<bool> {
    // Rules that look for names in texts give way to what a message says of itself.
    let by_name = [
        ".m.rule.contains_display_name",
        ".m.rule.contains_user_name",
        ".m.rule.roomnotif",
    ];
    if rule.default
        && by_name.contains(&rule.rule_id.as_str())
        && event["content"].get("m.mentions").is_some()
    {
        return Ok(false);
    }
    match kind {
        RuleKind::Room => Ok(event["room_id"] == rule.rule_id.as_str()),
        RuleKind::Sender => Ok(event["sender"] == rule.rule_id.as_str()),
        RuleKind::Content => {
            let pattern = rule.pattern.as_deref();
            let body = event["content"]["body"].as_str();
            Ok(pattern
                .zip(body)
                .is_some_and(|(pattern, body)| glob(pattern, body, true)))
        }
        RuleKind::Override | RuleKind::Underride => {
            for condition in rule.conditions.iter().flatten() {
                if !holds(place, condition, event)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
    }
}

fn holds(place: &Place<'_>, condition: &Value, event: &Value) -> rusqlite::Result<bool> {
    let text = |name: &str| condition.get(name).and_then(Value::as_str);
    let property = || text("key").and_then(|key| property(event, key));
    let wanted = condition
        .get("value")
        .filter(|value| !value.is_object() && !value.is_array());
    Ok(match text("kind") {
        Some("event_match") => {
            let found = property().and_then(Value::as_str);
            let in_words = text("key") == Some("content.body");
            found
                .zip(text("pattern"))
                .is_some_and(|(found, pattern)| glob(pattern, found, in_words))
        }
        Some("event_property_is") => wanted.is_some() && property() == wanted,
        Some("event_property_contains") => {
            let list = property().and_then(Value::as_array);
            wanted
                .zip(list)
                .is_some_and(|(wanted, list)| list.contains(wanted))
        }
        Some("contains_display_name") => {
            let body = event["content"]["body"].as_str();
            let name = place.displayname.filter(|name| !name.is_empty());
            body.zip(name)
                .is_some_and(|(body, name)| has_word(body, name))
        }
        Some("room_member_count") => text("is").is_some_and(|is| counts(is, place.room.joined)),
        Some("sender_notification_permission") => {
            let sender = event["sender"].as_str().unwrap_or_default();
            may_notify(
                place.db,
                place.room,
                sender,
                text("key").unwrap_or_default(),
            )?
        }
        _ => false,
    })
}

/// Whether `number` is what `is` says: `2`, `==2`, `<10`, `>=3` and so on.
fn counts(is: &str, number: i64) -> bool {
    let digits = is.trim_start_matches(['<', '>', '=']);
    let Ok(wanted) = digits.parse::<i64>() else {
        return false;
    };
    match &is[..is.len() - digits.len()] {
        "" | "==" => number == wanted,
        "<" => number < wanted,
        ">" => number > wanted,
        "<=" => number <= wanted,
        ">=" => number >= wanted,
        _ => false,
    }
}

/// The property at a path with dots; a backslash takes a dot's or a backslash's meaning away.
fn property<'a>(event: &'a Value, path: &str) -> Option<&'a Value> {
    let mut parts = vec![String::new()];
    let mut letters = path.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '.' => parts.push(String::new()),
            '\\' if matches!(letters.peek(), Some('.' | '\\')) => {
                parts.last_mut()?.extend(letters.next());
            }
            _ => parts.last_mut()?.push(letter),
        }
    }
    parts.iter().try_fold(event, |value, part| value.get(part))
}

/// Whether `text` matches `pattern`, in which `*` stands for any text and `?` for a character, in
/// capitals or not: as a whole, or somewhere between the borders of words.
fn glob(pattern: &str, text: &str, in_words: bool) -> bool {
    if in_words && !pattern.contains(['*', '?']) {
        return !pattern.is_empty() && has_word(text, pattern);
    }
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().take(LOOK).collect();
    let border = |at: usize| {
        let before = at.checked_sub(1).map(|at| text[at]);
        is_border(before, text.get(at).copied())
    };
    // Which parts of the pattern may have been passed after the text up to here.
    let mut passed = vec![false; pattern.len() + 1];
    for at in 0..=text.len() {
        passed[0] |= at == 0 || (in_words && border(at));
        for n in 0..pattern.len() {
            passed[n + 1] |= passed[n] && pattern[n] == '*';
        }
        if passed[pattern.len()] && (at == text.len() || (in_words && border(at))) {
            return true;
        }
        let Some(&letter) = text.get(at) else { break };
        for n in (0..pattern.len()).rev() {
            let step = passed[n] && (pattern[n] == '?' || pattern[n] == letter);
            // A star that was reached stays reached.
            passed[n + 1] = step || (passed[n + 1] && pattern[n] == '*');
        }
        passed[0] = false;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_values_or_words() {
        let check = |pattern: &str, text: &str, in_words: bool, expect: bool| {
            assert_eq!(
                glob(pattern, text, in_words),
                expect,
                "{pattern} {text} {in_words}"
            );
        };
        check("m.room.*", "m.room.message", false, true);
        check("m.room", "m.room.message", false, false);
        check("M.Notice", "m.notice", false, true);
        check("", "", false, true);
        check("lunc?*", "Come, LUNCHTIME!", true, true);
        check("lunc?*", "brunch", true, false);
        check("cake", "a cake, please", true, true);
        check("cake", "pancakes", true, false);
        check("ex*ple", "An example.", true, true);
        check("foo ", "foo bar", true, true);
        check("foo *", "foo bar", true, true);
        check("🔥", "x🔥y", true, true);
        check("🔥?", "x🔥y", true, true);
        check("*", "", true, true);
        check("*", "anything", true, true);
        check("a?c", "abc", false, true);
        check("a?c", "ac", false, false);
    }

    #[test]
    fn paths_and_counts_are_read() {
        let event = json!({"content": {"m.mentions": {"room": true}, "a": {"b\\": 1}}});
        assert_eq!(
            property(&event, r"content.m\.mentions.room"),
            Some(&json!(true))
        );
        assert_eq!(property(&event, r"content.a.b\\"), Some(&json!(1)));
        assert_eq!(property(&event, "content.m.mentions.room"), None);
        for (is, expect) in [
            ("2", true),
            ("==2", true),
            ("<2", false),
            (">=2", true),
            ("x", false),
            ("=2", false),
        ] {
            assert_eq!(counts(is, 2), expect, "{is}");
        }
    }
}
