//! What a client wants to see (Matrix v1.19, filtering).

use super::related_by::RelatedBy;
use crate::state::events::Event;

/// Which events of a kind are wanted. `None` admits everything, an empty list nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Types, in which `*` stands for any text.
    pub types: Option<Vec<String>>,
    /// Types that are not wanted, even if they are in `types`.
    pub not_types: Vec<String>,
    /// Senders.
    pub senders: Option<Vec<String>>,
    /// Senders that are not wanted.
    pub not_senders: Vec<String>,
    /// Whether the content has to have, or not to have, a `url`.
    pub contains_url: Option<bool>,
    /// What has to relate to them, which [`super::RelatedLook`] sees.
    pub related_by: RelatedBy,
    /// Rooms, by their ids.
    pub rooms: Option<Vec<String>>,
    /// Rooms that are not wanted.
    pub not_rooms: Vec<String>,
    /// At most so many.
    pub limit: Option<usize>,
    /// Which memberships are wanted as state.
    pub lazy: Lazy,
    /// Whether what is unread is to be counted thread by thread.
    pub by_thread: bool,
}

/// Whether all memberships of a room are wanted, or just those of the senders that are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lazy {
    /// All.
    #[default]
    Off,
    /// Those of the senders whose membership the client does not know.
    On,
    /// Those of the senders, known or not.
    Again,
}

/// What a sync wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncFilter {
    /// Of the rooms' timelines.
    pub timeline: EventFilter,
    /// Of the rooms' state.
    pub state: EventFilter,
    /// Receipts and typing.
    pub ephemeral: EventFilter,
    /// Account data of rooms.
    pub room_account_data: EventFilter,
    /// Account data of the account.
    pub account_data: EventFilter,
    /// Rooms, for all of the above.
    pub rooms: Option<Vec<String>>,
    /// Rooms that are not wanted.
    pub not_rooms: Vec<String>,
    /// Of the rooms' events nothing else, if it is not empty: dotted paths.
    pub event_fields: Vec<String>,
    /// Whether rooms that were left are wanted at the first sync too.
    pub include_leave: bool,
    /// Who is there.
    pub presence: EventFilter,
}

impl EventFilter {
    /// Whether an event is wanted.
    #[must_use]
    pub fn admits(&self, event: &Event) -> bool {
        self.admits_type(&event.kind)
            && listed(self.senders.as_deref(), &self.not_senders, &event.sender)
            && self
                .contains_url
                .is_none_or(|wanted| has_url(&event.content) == wanted)
    }

    /// Whether it leaves out events of rooms that are wanted.
    #[must_use]
    pub fn narrows(&self) -> bool {
        self.types.is_some()
            || !self.not_types.is_empty()
            || self.senders.is_some()
            || !self.not_senders.is_empty()
            || self.contains_url.is_some()
            || self.related_by.asks()
    }

    /// Whether events of this type are wanted.
    #[must_use]
    pub fn admits_type(&self, kind: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, kind));
        self.types.as_deref().is_none_or(any) && !any(&self.not_types)
    }

    /// Whether events of this sender are wanted.
    #[must_use]
    pub fn admits_sender(&self, sender: &str) -> bool {
        listed(self.senders.as_deref(), &self.not_senders, sender)
    }

    /// Whether events of this room are wanted.
    #[must_use]
    pub fn admits_room(&self, room: &str) -> bool {
        listed(self.rooms.as_deref(), &self.not_rooms, room)
    }
}

impl SyncFilter {
    /// Whether anything of this room is wanted.
    #[must_use]
    pub fn admits_room(&self, room: &str) -> bool {
        listed(self.rooms.as_deref(), &self.not_rooms, room)
    }
}

fn listed(wanted: Option<&[String]>, unwanted: &[String], one: &str) -> bool {
    let is = |list: &[String]| list.iter().any(|other| other == one);
    wanted.is_none_or(is) && !is(unwanted)
}

fn has_url(content: &str) -> bool {
    let content: Result<serde_json::Map<String, serde_json::Value>, _> =
        serde_json::from_str(content);
    content.is_ok_and(|content| content.get("url").is_some_and(serde_json::Value::is_string))
}

/// Whether `text` matches `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, mut tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(head) else {
        return false;
    };
    while let Some((part, next)) = tail.split_once('*') {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        tail = next;
    }
    rest.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        let check = |pattern: &str, text: &str, expect: bool| {
            assert_eq!(matches(pattern, text), expect, "{pattern} {text}");
        };
        check("m.room.message", "m.room.message", true);
        check("m.room.*", "m.room.message", true);
        check("*", "", true);
        check("*.message", "m.room.message", true);
        check("m.*.mes*ge", "m.room.message", true);
        check("m.*.x*ge", "m.room.message", false);
        check("m.room", "m.room.message", false);
        check("ab*b", "ab", false);
    }

    #[test]
    fn an_empty_list_admits_nothing_and_none_admits_all() {
        let filter = EventFilter {
            types: Some(vec![]),
            ..EventFilter::default()
        };
        assert!(!filter.admits_type("m.room.message"));
        assert!(EventFilter::default().admits_type("m.room.message"));
        let filter = EventFilter {
            not_types: vec!["m.*".to_owned()],
            ..EventFilter::default()
        };
        assert!(!filter.admits_type("m.room.message"));
    }
}
