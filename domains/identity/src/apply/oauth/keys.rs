//! Putting a key beside those that are there. It is shown before it is used, and the one before it is shown after it
//! was last used, so that nobody meets a token whose key they cannot know.

use super::{Cx, Verdict, refuse};
use crate::command::oauth::{AddKey, Refused};
use crate::command::{Accepted, Rejected};
use crate::state::account;
use crate::state::oauth::key::{self, Key};
use bongsu_lane::{Actor, Refusal};

pub(super) fn add(cx: &mut Cx<'_>, command: &AddKey) -> Verdict {
    let asking = match cx.actor() {
        Actor::Platform => Some("platform".to_owned()),
        actor => actor.operator(),
    };
    let asking = asking.ok_or(Refusal::Rejected(Rejected::NotAllowed))?;
    if let Some(by) = &command.by {
        let listed = account::listed(cx.db(), by)?;
        if !listed.is_some_and(|account| account.admin && !account.locked) {
            return Err(Refusal::Rejected(Rejected::NotAllowed));
        }
    }
    let before = key::newest(cx.db(), command.kind)?;
    if before.as_ref().map(|key| &key.kid) != command.after.as_ref() {
        return Err(refuse(Refused::KeyReplaced));
    }
    if key::is_there(cx.db(), &command.kid)? {
        return Err(refuse(Refused::KeyInUse));
    }
    let now = cx.time();
    key::purge(cx.db(), now)?;
    // Nobody relies on a set of keys in which there is none of the kind.
    let mut signs_from = now;
    if let Some(before) = before {
        // One that is not used yet goes on to be waited for.
        signs_from = (now + command.overlap).max(before.signs_from);
        key::retire(cx.db(), &before.kid, signs_from + command.keep)?;
    }
    let new = Key {
        kid: command.kid.clone(),
        kind: command.kind,
        public: command.public.clone(),
        sealed: command.sealed.clone(),
        made: now,
        signs_from,
        gone_from: None,
    };
    key::insert(cx.db(), &new)?;
    let by = command.by.as_ref().map(|by| by.as_str());
    let act = bongsu_audit::Act {
        who: by.unwrap_or(&asking),
        act: "key.add",
        target: &command.kid,
        reason: command.reason.as_deref(),
    };
    let at = (cx.position(), now);
    bongsu_audit::append(cx.db(), at, &act)?;
    Ok(Accepted::Done)
}

#[cfg(test)]
mod tests {
    use crate::command::oauth::{AddKey, KeyKind, Oauth, Refused, SealId, Sealed};
    use crate::command::{Accepted, Rejected};
    use crate::state::oauth::key;
    use crate::testing::Bench;
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    fn add(bench: &Bench, kid: &str, after: Option<&str>) -> Result<Accepted, Rejected> {
        let command = AddKey {
            kid: kid.into(),
            kind: KeyKind::EdDsa,
            public: "{}".into(),
            sealed: Sealed {
                with: SealId([1; 8]),
                bytes: vec![1],
            },
            overlap: Millis::hours(1),
            keep: Millis::hours(2),
            after: after.map(Into::into),
            by: None,
            reason: None,
        };
        bench.oauth(Actor::Platform, Oauth::AddKey(command))
    }

    /// When each key is used and gone, in hours from the beginning.
    fn hours(bench: &Bench) -> Vec<(String, i64, Option<i64>)> {
        let keys = bench.look(key::all);
        let hours = |at: bongsu_base::LogTime| at.since(Bench::BEGUN).0 / 3_600_000;
        keys.into_iter()
            .map(|key| (key.kid, hours(key.signs_from), key.gone_from.map(hours)))
            .collect()
    }

    #[test]
    fn a_key_is_shown_before_it_is_used_and_after() {
        let bench = Bench::new();
        assert_eq!(add(&bench, "a", None), Ok(Accepted::Done));
        assert_eq!(hours(&bench), [("a".into(), 0, None)]);
        bench.pass(Millis::hours(10));
        assert_eq!(add(&bench, "b", Some("a")), Ok(Accepted::Done));
        let both = [("a".to_owned(), 0, Some(13)), ("b".to_owned(), 11, None)];
        assert_eq!(hours(&bench), both);
        bench.pass(Millis::hours(4));
        assert_eq!(add(&bench, "c", Some("b")), Ok(Accepted::Done));
        let later = [("b".to_owned(), 11, Some(17)), ("c".to_owned(), 15, None)];
        assert_eq!(hours(&bench), later);
        assert_eq!(bench.look(bongsu_audit::check), Ok(3));
    }

    #[test]
    fn of_two_who_replace_the_same_key_one_does() {
        let bench = Bench::new();
        let late = Err(Rejected::Oauth(Refused::KeyReplaced));
        assert_eq!(add(&bench, "a", None), Ok(Accepted::Done));
        assert_eq!(add(&bench, "b", None), late);
        assert_eq!(add(&bench, "b", Some("a")), Ok(Accepted::Done));
        assert_eq!(add(&bench, "c", Some("a")), late);
        let same = Err(Rejected::Oauth(Refused::KeyInUse));
        assert_eq!(add(&bench, "a", Some("b")), same);
    }
}
