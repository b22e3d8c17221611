//! Push rules (Matrix v1.19, push rules API): the tree, single rules, what they do, whether they are on.
//!
//! The log carries the whole tree; a change that another device overtook is made again from the new one.

use super::Api;
use super::plain::Plain;
use crate::command::Command;
use crate::query::{Misplaced, Rule, RuleKind, Ruleset, push_rules};
use crate::state::rooms::Room;
use axum::Json;
use axum::extract::State;
use bongsu_base::RoomId;
use bongsu_lane::Priority;
use bongsu_web_kit::Caller;
use bongsu_web_kit::matrix::MatrixError;
use http::StatusCode;
use ruma::api::error::ErrorKind;
use serde_json::{Map, Value, json};

/// How often a change is made again that another overtook.
const ATTEMPTS: usize = 8;
/// The longest tree, in bytes.
const MAX_RULES: usize = 1 << 16;
/// The longest id of a rule, and the longest pattern, in bytes.
const MAX_TEXT: usize = 255;

type Told = Result<Json<Value>, MatrixError>;

fn no_such_rule() -> MatrixError {
    MatrixError::not_found("there is no such push rule")
}

fn kind(plain: &Plain) -> Result<RuleKind, MatrixError> {
    let unknown = || MatrixError::invalid_param("there are push rules of no such kind");
    RuleKind::from_word(plain.param("kind")).ok_or_else(unknown)
}

fn to_json(value: impl serde::Serialize) -> Told {
    let value = serde_json::to_value(value).map_err(MatrixError::internal)?;
    Ok(Json(value))
}

impl Api {
    async fn push_rules(&self, caller: &Caller) -> Result<(Ruleset, i64), MatrixError> {
        let user = caller.user.as_str();
        let (rules, changed) = self.lane.read(|view| push_rules(view.db(), user)).await?;
        let rules = rules.unwrap_or_else(|| Ruleset::server_default(user));
        Ok((rules, changed))
    }

    async fn change_push_rules(
        &self,
        caller: &Caller,
        change: impl Fn(&mut Ruleset) -> Result<(), MatrixError>,
    ) -> Told {
        let mut attempt = 1;
        loop {
            let (before, base) = self.push_rules(caller).await?;
            let mut rules = before.clone();
            change(&mut rules)?;
            if rules == before {
                return Ok(Json(json!({})));
            }
            let json = rules.to_content();
            if json.len() > MAX_RULES {
                return Err(MatrixError::too_large(format!(
                    "your push rules would be longer than {MAX_RULES} bytes"
                )));
            }
            let command = Command::SetPushRules { json, base };
            let done = self.submit(caller, Priority::Normal, None, command).await;
            match done {
                Err(MatrixError::Standard { status, .. })
                    if status == StatusCode::CONFLICT && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                done => return done.map(|_| Json(json!({}))),
            }
        }
    }
}

impl Api {
    /// Gives the caller's rule for the room that `room` replaced to `room` too, if they have one (Matrix
    /// v1.19, room upgrades).
    pub(super) async fn take_push_rule_along(
        &self,
        caller: &Caller,
        room: &RoomId,
    ) -> Result<(), MatrixError> {
        let look = self.lane.read(|view| {
            let db = view.db();
            let Some(room) = Room::by_id(db, room)? else {
                return Ok(None);
            };
            let create = room.state(db, "m.room.create", "")?;
            // Most people have no rules of their own, and most rooms replaced none.
            let own = push_rules(db, caller.user.as_str())?.0.is_some();
            Ok(create
                .filter(|_| own)
                .and_then(|(_, create)| predecessor(&create)))
        });
        let Some(before) = look.await? else {
            return Ok(());
        };
        let copy = |rules: &mut Ruleset| {
            if let Some(rule) = rules.get(RuleKind::Room, &before).cloned()
                && rules.get(RuleKind::Room, room.as_str()).is_none()
            {
                let rule_id = room.to_string();
                let rule = Rule { rule_id, ..rule };
                // Beside none other, it has a place.
                let _ = rules.insert(RuleKind::Room, rule, None, None);
            }
            Ok(())
        };
        self.change_push_rules(caller, copy).await.map(drop)
    }
}

/// The room that a room replaced, by the content of its `m.room.create`.
fn predecessor(create: &str) -> Option<String> {
    let create: Value = serde_json::from_str(create).ok()?;
    create["predecessor"]["room_id"].as_str().map(str::to_owned)
}

pub async fn all(State(api): State<Api>, plain: Plain) -> Told {
    let (rules, _) = api.push_rules(&plain.caller).await?;
    // Clients of old look for the rules of single devices, of which there are none any more.
    to_json(json!({ "global": rules, "device": {} }))
}

/// The answer at a path that names no rules: 400, since what is wrong is the scope, the kind or the rule that
/// the path names, and not where the endpoint is looked for.
pub async fn nothing_named(_: Plain) -> MatrixError {
    MatrixError::new(
        StatusCode::BAD_REQUEST,
        ErrorKind::Unrecognized,
        "this path names no push rule; the scope is `global`, and lists of rules end in a slash",
    )
}

pub async fn of_scope(State(api): State<Api>, plain: Plain) -> Told {
    to_json(api.push_rules(&plain.caller).await?.0)
}

pub async fn of_kind(State(api): State<Api>, plain: Plain) -> Told {
    let kind = kind(&plain)?;
    to_json(api.push_rules(&plain.caller).await?.0.of(kind))
}

async fn one(api: &Api, plain: &Plain) -> Result<Rule, MatrixError> {
    let kind = kind(plain)?;
    let (rules, _) = api.push_rules(&plain.caller).await?;
    let rule = rules.get(kind, plain.param("rule_id"));
    rule.cloned().ok_or_else(no_such_rule)
}

pub async fn get(State(api): State<Api>, plain: Plain) -> Told {
    to_json(one(&api, &plain).await?)
}

pub async fn get_enabled(State(api): State<Api>, plain: Plain) -> Told {
    Ok(Json(json!({ "enabled": one(&api, &plain).await?.enabled })))
}

pub async fn get_actions(State(api): State<Api>, plain: Plain) -> Told {
    Ok(Json(json!({ "actions": one(&api, &plain).await?.actions })))
}

pub async fn set_enabled(State(api): State<Api>, plain: Plain) -> Told {
    let kind = kind(&plain)?;
    let Some(Value::Bool(enabled)) = plain.object()?.get("enabled").cloned() else {
        return Err(MatrixError::bad_json("`enabled` is to be true or false"));
    };
    let set = |rules: &mut Ruleset| {
        let rule = rules.get_mut(kind, plain.param("rule_id"));
        rule.ok_or_else(no_such_rule)?.enabled = enabled;
        Ok(())
    };
    api.change_push_rules(&plain.caller, set).await
}

pub async fn set_actions(State(api): State<Api>, plain: Plain) -> Told {
    let kind = kind(&plain)?;
    let actions = actions(&plain.object()?)?;
    let set = |rules: &mut Ruleset| {
        let rule = rules.get_mut(kind, plain.param("rule_id"));
        rule.ok_or_else(no_such_rule)?.actions.clone_from(&actions);
        Ok(())
    };
    api.change_push_rules(&plain.caller, set).await
}

pub async fn delete(State(api): State<Api>, plain: Plain) -> Told {
    let kind = kind(&plain)?;
    let id = plain.param("rule_id");
    let remove = |rules: &mut Ruleset| {
        if rules.remove(kind, id) {
            Ok(())
        } else {
            Err(no_such_rule())
        }
    };
    api.change_push_rules(&plain.caller, remove).await
}

pub async fn put(State(api): State<Api>, plain: Plain) -> Told {
    let kind = kind(&plain)?;
    let rule = new_rule(kind, plain.param("rule_id"), &plain.object()?)?;
    let (before, after) = (plain.query("before"), plain.query("after"));
    let insert = |rules: &mut Ruleset| {
        let put = rules.insert(kind, rule.clone(), before.as_deref(), after.as_deref());
        put.map_err(|why| match why {
            Misplaced::Unknown => MatrixError::invalid_param(
                "there is no such rule before or after which this one could stand",
            ),
            Misplaced::BesideDefault => {
                MatrixError::invalid_param("rules can't be placed beside those of the server's own")
            }
        })
    };
    api.change_push_rules(&plain.caller, insert).await
}

fn new_rule(kind: RuleKind, id: &str, body: &Map<String, Value>) -> Result<Rule, MatrixError> {
    let refused = if id.starts_with('.') {
        "ids that begin with a dot are the server's own"
    } else if id.contains(['/', '\\']) {
        "an id has neither slashes nor backslashes"
    } else if id.is_empty() || id.len() > MAX_TEXT {
        "an id has between 1 and 255 bytes"
    } else {
        ""
    };
    if !refused.is_empty() {
        return Err(MatrixError::invalid_param(refused));
    }
    let conditional = matches!(kind, RuleKind::Override | RuleKind::Underride);
    Ok(Rule {
        rule_id: id.to_owned(),
        default: false,
        enabled: true,
        actions: actions(body)?,
        conditions: conditional.then(|| conditions(body)).transpose()?,
        pattern: (kind == RuleKind::Content)
            .then(|| pattern(body))
            .transpose()?,
    })
}

fn conditions(body: &Map<String, Value>) -> Result<Vec<Value>, MatrixError> {
    let conditions = body.get("conditions").and_then(Value::as_array);
    let conditions = conditions.ok_or_else(|| MatrixError::bad_json("`conditions` is missing"))?;
    for condition in conditions {
        if !condition.get("kind").is_some_and(Value::is_string) {
            return Err(MatrixError::bad_json("each condition has a `kind`"));
        }
        let pattern = condition.get("pattern").and_then(Value::as_str);
        if pattern.is_some_and(|pattern| pattern.len() > MAX_TEXT) {
            return Err(MatrixError::invalid_param("a pattern has up to 255 bytes"));
        }
    }
    Ok(conditions.clone())
}

fn pattern(body: &Map<String, Value>) -> Result<String, MatrixError> {
    let pattern = body.get("pattern").and_then(Value::as_str);
    let pattern = pattern.ok_or_else(|| MatrixError::bad_json("`pattern` is missing"))?;
    if pattern.len() > MAX_TEXT {
        return Err(MatrixError::invalid_param("a pattern has up to 255 bytes"));
    }
    Ok(pattern.to_owned())
}

fn actions(body: &Map<String, Value>) -> Result<Vec<Value>, MatrixError> {
    let actions = body.get("actions").and_then(Value::as_array);
    let actions = actions.ok_or_else(|| MatrixError::bad_json("`actions` is missing"))?;
    let known = |action: &Value| match action {
        Value::String(word) => matches!(word.as_str(), "notify" | "dont_notify" | "coalesce"),
        Value::Object(tweak) => tweak.get("set_tweak").is_some_and(Value::is_string),
        _ => false,
    };
    if actions.iter().all(known) {
        return Ok(actions.clone());
    }
    Err(MatrixError::bad_json(
        "an action is `notify` or an object with `set_tweak`",
    ))
}
