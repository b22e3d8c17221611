//! Somebody's push rules (Matrix v1.19, push rules): the tree, its defaults, and changing it.
//!
//! Rules, conditions and actions of kinds that are not known here are kept as they were given.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The type under which account data holds the tree.
pub const PUSH_RULES: &str = "m.push_rules";

/// What a rule is about, from the most important to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleKind {
    /// Conditions, before all others.
    Override,
    /// A pattern in a message's body.
    Content,
    /// A room.
    Room,
    /// A sender.
    Sender,
    /// Conditions, after all others.
    Underride,
}

impl RuleKind {
    /// All kinds, in the order in which they are asked.
    pub const ALL: [Self; 5] = [
        Self::Override,
        Self::Content,
        Self::Room,
        Self::Sender,
        Self::Underride,
    ];

    /// From the word in paths.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "override" => Self::Override,
            "content" => Self::Content,
            "room" => Self::Room,
            "sender" => Self::Sender,
            "underride" => Self::Underride,
            _ => return None,
        })
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its id; those of the server's own begin with a dot.
    pub rule_id: String,
    /// Whether it is one of the server's own.
    pub default: bool,
    /// Whether it is in force.
    pub enabled: bool,
    /// What follows where it matches.
    pub actions: Vec<Value>,
    /// What has to hold, for kinds with conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<Value>>,
    /// What the body has to have, for rules of content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// All rules of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ruleset {
    #[serde(rename = "override")]
    overrides: Vec<Rule>,
    content: Vec<Rule>,
    room: Vec<Rule>,
    sender: Vec<Rule>,
    underride: Vec<Rule>,
}

/// Why a rule cannot stand where it was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misplaced {
    /// The rule it was to stand beside does not exist.
    Unknown,
    /// It was to stand beside one of the server's own.
    BesideDefault,
}

impl Ruleset {
    /// What somebody has who changed nothing (Matrix v1.19, predefined rules, and those by names in
    /// texts, of which clients of old make use).
    #[must_use]
    pub fn server_default(user: &str) -> Self {
        let id = user.trim_start_matches('@');
        let localpart = id.split(':').next().unwrap_or_default();
        let mut name = rule(".m.rule.contains_user_name", vec![], loud());
        name.conditions = None;
        name.pattern = Some(localpart.to_owned());
        Self {
            overrides: default_overrides(user),
            content: vec![name],
            room: vec![],
            sender: vec![],
            underride: default_underrides(),
        }
    }

    /// Reads the content of `m.push_rules`.
    #[must_use]
    pub fn from_content(content: &str) -> Option<Self> {
        let mut content: Value = serde_json::from_str(content).ok()?;
        serde_json::from_value(content.get_mut("global")?.take()).ok()
    }

    /// The content of `m.push_rules`.
    #[must_use]
    pub fn to_content(&self) -> String {
        json!({ "global": self }).to_string()
    }

    /// The rules of a kind, the most important first.
    #[must_use]
    pub fn of(&self, kind: RuleKind) -> &[Rule] {
        match kind {
            RuleKind::Override => &self.overrides,
            RuleKind::Content => &self.content,
            RuleKind::Room => &self.room,
            RuleKind::Sender => &self.sender,
            RuleKind::Underride => &self.underride,
        }
    }

    fn of_mut(&mut self, kind: RuleKind) -> &mut Vec<Rule> {
        match kind {
            RuleKind::Override => &mut self.overrides,
            RuleKind::Content => &mut self.content,
            RuleKind::Room => &mut self.room,
            RuleKind::Sender => &mut self.sender,
            RuleKind::Underride => &mut self.underride,
        }
    }

    /// A rule.
    #[must_use]
    pub fn get(&self, kind: RuleKind, id: &str) -> Option<&Rule> {
        self.of(kind).iter().find(|rule| rule.rule_id == id)
    }

    /// A rule, to be changed.
    pub fn get_mut(&mut self, kind: RuleKind, id: &str) -> Option<&mut Rule> {
        self.of_mut(kind).iter_mut().find(|rule| rule.rule_id == id)
    }

    /// Puts a person's own rule first, or beside another; one with its id gives way to it, but whether
    /// it is in force stays as it was.
    ///
    /// # Errors
    /// When there is no such other, or it is one of the server's own.
    pub fn insert(
        &mut self,
        kind: RuleKind,
        mut rule: Rule,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Result<(), Misplaced> {
        if [before, after]
            .iter()
            .flatten()
            .any(|id| id.starts_with('.'))
        {
            return Err(Misplaced::BesideDefault);
        }
        let rules = self.of(kind);
        let mut rules: Vec<Rule> = rules.to_vec();
        if let Some(at) = rules.iter().position(|old| old.rule_id == rule.rule_id) {
            rule.enabled = rules.remove(at).enabled;
        }
        let find = |id: &str| {
            let at = rules.iter().position(|other| other.rule_id == id);
            at.ok_or(Misplaced::Unknown)
        };
        let at = match (after, before) {
            (Some(after), _) => find(after)? + 1,
            (None, Some(before)) => find(before)?,
            // The master rule stays before all others.
            (None, None) => usize::from(kind == RuleKind::Override),
        };
        rules.insert(at.min(rules.len()), rule);
        *self.of_mut(kind) = rules;
        Ok(())
    }

    /// Takes a person's own rule away; says whether there was one.
    pub fn remove(&mut self, kind: RuleKind, id: &str) -> bool {
        let rules = self.of_mut(kind);
        let before = rules.len();
        rules.retain(|rule| rule.default || rule.rule_id != id);
        rules.len() < before
    }
}

fn default_overrides(user: &str) -> Vec<Rule> {
    let permission = || json!({ "kind": "sender_notification_permission", "key": "room" });
    let property =
        |kind: &str, key: &str, value: Value| json!({ "kind": kind, "key": key, "value": value });
    let user_key = r"content.m\.mentions.user_ids";
    let mentioned = property("event_property_contains", user_key, user.into());
    let room_key = r"content.m\.mentions.room";
    let all_mentioned = property("event_property_is", room_key, true.into());
    let relation_key = r"content.m\.relates_to.rel_type";
    let edits = property("event_property_is", relation_key, "m.replace".into());
    let invited = vec![
        is("type", "m.room.member"),
        is("content.membership", "invite"),
        is("state_key", user),
    ];
    let named = vec![json!({ "kind": "contains_display_name" })];
    let called = vec![is("content.body", "@room"), permission()];
    let state = |kind: &str| vec![is("type", kind), is("state_key", "")];
    let notices = vec![is("content.msgtype", "m.notice")];
    let members = vec![is("type", "m.room.member")];
    let reactions = vec![is("type", "m.reaction")];
    let mut master = rule(".m.rule.master", vec![], vec![]);
    master.enabled = false;
    let rules: [(&str, Vec<Value>, Vec<Value>); 11] = [
        ("suppress_notices", notices, vec![]),
        ("invite_for_me", invited, heard("default")),
        ("member_event", members, vec![]),
        ("is_user_mention", vec![mentioned], loud()),
        ("contains_display_name", named, loud()),
        (
            "is_room_mention",
            vec![all_mentioned, permission()],
            marked(),
        ),
        ("roomnotif", called, marked()),
        ("tombstone", state("m.room.tombstone"), marked()),
        ("reaction", reactions, vec![]),
        ("room.server_acl", state("m.room.server_acl"), vec![]),
        ("suppress_edits", vec![edits], vec![]),
    ];
    let rules =
        rules.map(|(id, conditions, actions)| rule(&format!(".m.rule.{id}"), conditions, actions));
    [master].into_iter().chain(rules).collect()
}

fn default_underrides() -> Vec<Rule> {
    let two = || json!({ "kind": "room_member_count", "is": "2" });
    let (message, encrypted) = ("m.room.message", "m.room.encrypted");
    let rules: [(&str, Vec<Value>, Vec<Value>); 5] = [
        ("call", vec![is("type", "m.call.invite")], heard("ring")),
        (
            "encrypted_room_one_to_one",
            vec![two(), is("type", encrypted)],
            heard("default"),
        ),
        (
            "room_one_to_one",
            vec![two(), is("type", message)],
            heard("default"),
        ),
        ("message", vec![is("type", message)], vec!["notify".into()]),
        (
            "encrypted",
            vec![is("type", encrypted)],
            vec!["notify".into()],
        ),
    ];
    let rules =
        rules.map(|(id, conditions, actions)| rule(&format!(".m.rule.{id}"), conditions, actions));
    rules.into()
}

fn is(key: &str, pattern: &str) -> Value {
    json!({ "kind": "event_match", "key": key, "pattern": pattern })
}

fn heard(sound: &str) -> Vec<Value> {
    vec![
        "notify".into(),
        json!({ "set_tweak": "sound", "value": sound }),
    ]
}

fn marked() -> Vec<Value> {
    vec!["notify".into(), json!({ "set_tweak": "highlight" })]
}

fn loud() -> Vec<Value> {
    let mut actions = heard("default");
    actions.push(json!({ "set_tweak": "highlight" }));
    actions
}

fn rule(id: &str, conditions: Vec<Value>, actions: Vec<Value>) -> Rule {
    Rule {
        rule_id: id.to_owned(),
        default: true,
        enabled: true,
        actions,
        conditions: Some(conditions),
        pattern: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(id: &str) -> Rule {
        Rule {
            default: false,
            conditions: None,
            ..rule(id, vec![], vec![])
        }
    }

    fn ids(rules: &Ruleset, kind: RuleKind) -> Vec<&str> {
        let rules = rules.of(kind).iter();
        rules.map(|rule| rule.rule_id.as_str()).collect()
    }

    #[test]
    fn rules_stand_where_they_were_put_and_the_master_stays_first() {
        let mut rules = Ruleset::server_default("@m:test");
        let kind = RuleKind::Room;
        assert_eq!(rules.insert(kind, own("a"), None, None), Ok(()));
        assert_eq!(rules.insert(kind, own("b"), None, None), Ok(()));
        assert_eq!(rules.insert(kind, own("c"), None, Some("b")), Ok(()));
        assert_eq!(rules.insert(kind, own("d"), Some("a"), None), Ok(()));
        assert_eq!(ids(&rules, kind), ["b", "c", "d", "a"]);
        let put = rules.insert(kind, own("e"), Some("none"), None);
        assert_eq!(put, Err(Misplaced::Unknown));
        let put = rules.insert(kind, own("e"), None, Some(".m.rule.master"));
        assert_eq!(put, Err(Misplaced::BesideDefault));
        assert_eq!(
            rules.insert(RuleKind::Override, own("o"), None, None),
            Ok(())
        );
        assert_eq!(
            ids(&rules, RuleKind::Override)[..2],
            [".m.rule.master", "o"]
        );
        assert!(rules.remove(kind, "b") && !rules.remove(kind, "b"));
        assert!(!rules.remove(RuleKind::Override, ".m.rule.master"));
        let again = Ruleset::from_content(&rules.to_content());
        assert_eq!(again, Some(rules));
    }

    #[test]
    fn a_rule_that_is_put_again_stays_switched_off() {
        let mut rules = Ruleset::default();
        let kind = RuleKind::Sender;
        assert_eq!(rules.insert(kind, own("a"), None, None), Ok(()));
        rules.get_mut(kind, "a").expect("it is there").enabled = false;
        assert_eq!(rules.insert(kind, own("a"), None, None), Ok(()));
        assert!(!rules.get(kind, "a").expect("it is there").enabled);
        assert_eq!(rules.of(kind).len(), 1);
    }
}
