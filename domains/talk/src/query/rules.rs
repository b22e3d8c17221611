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
    /// What somebody has who changed nothing.
    #[must_use]
    pub fn server_default(user: &str) -> Self {
        let localpart = user
            .trim_start_matches('@')
            .split(':')
            .next()
            .unwrap_or_default();
        let highlight = json!({ "set_tweak": "highlight" });
        let sound = json!({ "set_tweak": "sound", "value": "default" });
        let ring = json!({ "set_tweak": "sound", "value": "ring" });
        let notify = json!("notify");
        let is = |key: &str, pattern: &str| json!({ "kind": "event_match", "key": key, "pattern": pattern });
        let members = json!({ "kind": "room_member_count", "is": "2" });
        let permission = json!({ "kind": "sender_notification_permission", "key": "room" });
        let loud = vec![notify.clone(), sound.clone(), highlight.clone()];
        let marked = vec![notify.clone(), highlight];
        let heard = vec![notify.clone(), sound];
        let mut name = rule(".m.rule.contains_user_name", vec![], loud.clone());
        name.conditions = None;
        name.pattern = Some(localpart.to_owned());
        let mut master = rule(".m.rule.master", vec![], vec![]);
        master.enabled = false;
        Self {
            overrides: vec![
                master,
                rule(
                    ".m.rule.suppress_notices",
                    vec![is("content.msgtype", "m.notice")],
                    vec![],
                ),
                rule(
                    ".m.rule.invite_for_me",
                    vec![
                        is("type", "m.room.member"),
                        is("content.membership", "invite"),
                        is("state_key", user),
                    ],
                    heard.clone(),
                ),
                rule(
                    ".m.rule.member_event",
                    vec![is("type", "m.room.member")],
                    vec![],
                ),
                rule(
                    ".m.rule.is_user_mention",
                    vec![
                        json!({ "kind": "event_property_contains", "key": "content.m\\.mentions.user_ids", "value": user }),
                    ],
                    loud.clone(),
                ),
                rule(
                    ".m.rule.contains_display_name",
                    vec![json!({ "kind": "contains_display_name" })],
                    loud,
                ),
                rule(
                    ".m.rule.is_room_mention",
                    vec![
                        json!({ "kind": "event_property_is", "key": "content.m\\.mentions.room", "value": true }),
                        permission.clone(),
                    ],
                    marked.clone(),
                ),
                rule(
                    ".m.rule.roomnotif",
                    vec![is("content.body", "@room"), permission],
                    marked.clone(),
                ),
                rule(
                    ".m.rule.tombstone",
                    vec![is("type", "m.room.tombstone"), is("state_key", "")],
                    marked,
                ),
                rule(".m.rule.reaction", vec![is("type", "m.reaction")], vec![]),
                rule(
                    ".m.rule.room.server_acl",
                    vec![is("type", "m.room.server_acl"), is("state_key", "")],
                    vec![],
                ),
                rule(
                    ".m.rule.suppress_edits",
                    vec![
                        json!({ "kind": "event_property_is", "key": "content.m\\.relates_to.rel_type", "value": "m.replace" }),
                    ],
                    vec![],
                ),
            ],
            content: vec![name],
            room: vec![],
            sender: vec![],
            underride: vec![
                rule(
                    ".m.rule.call",
                    vec![is("type", "m.call.invite")],
                    vec![notify.clone(), ring],
                ),
                rule(
                    ".m.rule.room_one_to_one",
                    vec![members.clone(), is("type", "m.room.message")],
                    heard.clone(),
                ),
                rule(
                    ".m.rule.encrypted_room_one_to_one",
                    vec![members, is("type", "m.room.encrypted")],
                    heard,
                ),
                rule(
                    ".m.rule.message",
                    vec![is("type", "m.room.message")],
                    vec![notify.clone()],
                ),
                rule(
                    ".m.rule.encrypted",
                    vec![is("type", "m.room.encrypted")],
                    vec![notify],
                ),
            ],
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
