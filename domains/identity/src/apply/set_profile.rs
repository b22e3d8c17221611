//! Setting or removing one field of a profile (Matrix v1.19, client-server API, profiles).

use super::{Cx, Verdict, owner, reject};
use crate::command::{Accepted, Rejected, SetProfile};
use crate::effect::Effect;
use crate::state::profile;
use bongsu_base::UserId;
use rusqlite::Connection;

/// The longest name of a field, in bytes.
pub(crate) const MAX_NAME: usize = 255;
/// The longest profile as a JSON object without white space, in bytes.
const MAX_PROFILE: usize = 64 * 1024;
/// The longest display name or avatar address as JSON, in bytes: both are copied into rooms.
const MAX_SHOWN: usize = 1024;
/// The fields that other domains learn of.
const SHOWN: [&str; 2] = ["displayname", "avatar_url"];

pub(super) fn apply(cx: &mut Cx<'_>, command: &SetProfile) -> Verdict {
    let SetProfile { user, field, value } = command;
    owner::account_of(cx, user)?;
    may_hold(field, value.as_deref()).map_err(reject)?;
    let shown = SHOWN.contains(&field.as_str());
    let before = profile::get(cx.db(), user, field)?;
    if before == *value {
        return Ok(Accepted::Done);
    }
    if !has_room(cx.db(), user, field, value.as_deref())? {
        return Err(reject(Rejected::ProfileTooLarge));
    }
    match value {
        Some(value) => profile::set(cx.db(), user, field, value)?,
        None => profile::remove(cx.db(), user, field)?,
    }
    if shown {
        let [displayname, avatar_url] = SHOWN.map(|field| text(cx.db(), user, field));
        let effect = Effect::ProfileChanged {
            user: user.clone(),
            displayname: displayname?,
            avatar_url: avatar_url?,
        };
        cx.effect(&effect)?;
    }
    Ok(Accepted::Done)
}

/// Whether a profile may have this field with this value, as JSON, whatever else is in it. A gateway asks
/// before it appends.
pub(crate) fn may_hold(field: &str, value: Option<&str>) -> Result<(), Rejected> {
    if field.is_empty() || field.len() > MAX_NAME {
        return Err(Rejected::FieldName);
    }
    let length = value.map_or(0, str::len);
    if SHOWN.contains(&field) && length > MAX_SHOWN {
        return Err(Rejected::FieldTooLong);
    }
    if length > MAX_PROFILE {
        return Err(Rejected::ProfileTooLarge);
    }
    Ok(())
}

/// Whether the profile of `user` has room for this field with this value, as JSON, beside all others. A gateway
/// asks before it appends.
pub(crate) fn has_room(
    db: &Connection,
    user: &UserId,
    field: &str,
    value: Option<&str>,
) -> rusqlite::Result<bool> {
    let mut fields = profile::list(db, user)?;
    fields.retain(|(name, _)| name != field);
    fields.extend(value.map(|value| (field.to_owned(), value.to_owned())));
    Ok(size(&fields) <= MAX_PROFILE)
}

/// A profile's length as a JSON object.
fn size(fields: &[(String, String)]) -> usize {
    let length = |(name, value): &(String, String)| {
        let name = serde_json::to_string(name).map_or(usize::MAX, |name| name.len());
        // A colon, and a comma or a brace.
        name.saturating_add(value.len() + 2)
    };
    fields.iter().map(length).fold(1, usize::saturating_add)
}

/// A field whose value is a string.
fn text(db: &Connection, user: &UserId, field: &str) -> rusqlite::Result<Option<String>> {
    let json = profile::get(db, user, field)?;
    Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
}

#[cfg(test)]
mod tests {
    use crate::command::{Accepted, Command, Rejected, SetProfile};
    use crate::effect::Effect;
    use crate::state::profile;
    use crate::testing::{Bench, as_user, user};

    fn set(bench: &Bench, field: &str, value: Option<&str>) -> Result<Accepted, Rejected> {
        let command = SetProfile {
            user: user("mina"),
            field: field.into(),
            value: value.map(Into::into),
        };
        bench.ask(as_user("mina", "PHONE"), Command::SetProfile(command))
    }

    fn bench() -> Bench {
        let bench = Bench::with(&["mina", "juno"]);
        bench.sign_in("mina", "PHONE", 1, None);
        bench.sign_in("juno", "PHONE", 2, None);
        bench
    }

    #[test]
    fn others_learn_of_the_name_and_the_picture_when_they_change() {
        let bench = bench();
        let done = Ok(Accepted::Done);
        assert_eq!(set(&bench, "displayname", Some("\"Mina\"")), done);
        assert_eq!(set(&bench, "displayname", Some("\"Mina\"")), done);
        assert_eq!(set(&bench, "m.tz", Some("\"Asia/Seoul\"")), done);
        assert_eq!(set(&bench, "avatar_url", Some("\"mxc://a/b\"")), done);
        assert_eq!(set(&bench, "displayname", None), done);
        let changed = |displayname: Option<&str>, avatar_url: Option<&str>| {
            let [displayname, avatar_url] = [displayname, avatar_url].map(|x| x.map(Into::into));
            Effect::ProfileChanged {
                user: user("mina"),
                displayname,
                avatar_url,
            }
        };
        let expect = [
            changed(Some("Mina"), None),
            changed(Some("Mina"), Some("mxc://a/b")),
            changed(None, Some("mxc://a/b")),
        ];
        assert_eq!(bench.effects(), expect);
        let kept = bench.look(|db| profile::list(db, &user("mina")));
        let kept: Vec<_> = kept.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(kept, ["avatar_url", "m.tz"]);
    }

    #[test]
    fn a_profile_has_bounds() {
        let bench = bench();
        let text = |len: usize| format!("\"{}\"", "x".repeat(len - 2));
        let long = text(1025);
        for (field, value, expect) in [
            ("", "1", Rejected::FieldName),
            (&*"f".repeat(256), "1", Rejected::FieldName),
            ("displayname", &*long, Rejected::FieldTooLong),
            ("avatar_url", &long, Rejected::FieldTooLong),
            ("a", &text(65_531), Rejected::ProfileTooLarge),
        ] {
            assert_eq!(set(&bench, field, Some(value)), Err(expect), "{field:.9}");
        }
        assert_eq!(set(&bench, "displayname", None), Ok(Accepted::Done));
        // `{"a":…}` has six bytes beside the value.
        assert_eq!(set(&bench, "a", Some(&text(65_530))), Ok(Accepted::Done));
        assert_eq!(set(&bench, "b", Some("1")), Err(Rejected::ProfileTooLarge));
        let kept = bench.look(|db| profile::list(db, &user("mina")));
        assert_eq!(kept.len(), 1);
    }

    #[test]
    fn a_profile_is_its_owners() {
        let bench = bench();
        let command = SetProfile {
            user: user("mina"),
            field: "displayname".into(),
            value: Some("\"Juno\"".into()),
        };
        let refused = bench.ask(as_user("juno", "PHONE"), Command::SetProfile(command));
        assert_eq!(refused, Err(Rejected::NotAllowed));
    }
}
