//! Letting in a device that has no browser (RFC 8628).

use super::begin::{For, begin as begin_session};
use super::{Cx, TIDIED, Verdict, done, refuse, signed_in, usable};
use crate::command::Accepted;
use crate::command::oauth::{BeginDevice, DecideDevice, Done, RedeemDevice, Refused};
use crate::state::oauth::client;
use crate::state::oauth::device_code::{self, Answer};
use bongsu_base::{DeviceId, LogTime, Millis};

/// By how much a device that asks too soon has to wait longer (RFC 8628, section 3.5).
const SLOWER: Millis = Millis::seconds(5);

pub(super) fn begin(cx: &mut Cx<'_>, command: &BeginDevice) -> Verdict {
    let now = cx.time();
    wait(cx, command, now)
}

/// The same. It counts as having asked an interval ago: the interval lies between two questions, not before the first.
pub(super) fn await_answer(cx: &mut Cx<'_>, command: &BeginDevice) -> Verdict {
    let polled = LogTime(cx.time().0.saturating_sub(command.interval.0));
    wait(cx, command, polled)
}

fn wait(cx: &mut Cx<'_>, command: &BeginDevice, polled: LogTime) -> Verdict {
    if !client::is_there(cx.db(), &command.client)? {
        return Err(refuse(Refused::NoSuchClient));
    }
    if device_code::typed(cx.db(), &command.user_code)?.is_some()
        || device_code::count(cx.db(), cx.time(), command.most)? >= command.most
    {
        return Err(refuse(Refused::TooManyDevices));
    }
    device_code::purge(cx.db(), cx.time(), TIDIED)?;
    device_code::insert(cx.db(), command, (cx.time(), polled))?;
    Ok(Accepted::Done)
}

pub(super) fn decide(cx: &mut Cx<'_>, command: &DecideDevice) -> Verdict {
    let browser = signed_in(cx, &command.cookie)?;
    let found = device_code::typed(cx.db(), &command.user_code)?;
    let found = found.filter(|device| device.until > cx.time() && device.answer == Answer::Waiting);
    let found = found.ok_or_else(|| refuse(Refused::NoSuchUserCode))?;
    let answer = if command.admit {
        Answer::Admitted {
            user: browser.user,
            auth_time: browser.auth_time,
        }
    } else {
        Answer::TurnedAway
    };
    device_code::answer(cx.db(), &found.code, &answer)?;
    Ok(Accepted::Done)
}

pub(super) fn redeem(cx: &mut Cx<'_>, command: &RedeemDevice) -> Verdict {
    let now = cx.time();
    let found = device_code::get(cx.db(), &command.code)?;
    let found = found.filter(|device| device.client == command.client);
    let found = found.ok_or_else(|| refuse(Refused::InvalidGrant))?;
    if found.until <= now {
        return Err(refuse(Refused::CodeExpired));
    }
    let (user, auth_time) = match found.answer {
        Answer::Waiting => {
            let soon = now.since(found.polled) < found.interval;
            let slower = if soon { SLOWER } else { Millis(0) };
            let interval = Millis(found.interval.0 + slower.0);
            device_code::polled(cx.db(), &found.code, now, interval)?;
            return done(if soon { Done::TooSoon } else { Done::Waiting });
        }
        Answer::TurnedAway => {
            device_code::remove(cx.db(), &found.code)?;
            return done(Done::TurnedAway);
        }
        Answer::Admitted { user, auth_time } => (user, auth_time),
    };
    usable(cx, &user)?;
    device_code::remove(cx.db(), &found.code)?;
    let whose = For {
        user,
        client: found.client,
        scope: found.scope.clone(),
        auth_time,
        // The device is elsewhere: leaving the browser does not end it.
        browser: None,
        claims: None,
        nonce: None,
        device: matrix_device(&found.scope),
    };
    let begun = begin_session(cx, whose, &command.begin)?;
    done(Done::Begun(Box::new(begun)))
}

/// The Matrix device that a client with this scope is.
fn matrix_device(scope: &str) -> Option<DeviceId> {
    let mut scopes = scope
        .split(' ')
        .filter(|scope| scope.starts_with("urn:matrix:"));
    let (_, device) = scopes.find_map(|scope| scope.split_once(":client:device:"))?;
    device.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::command::oauth::{BeginDevice, DecideDevice, Done, Oauth, RedeemDevice, Refused};
    use crate::command::{Accepted, Rejected};
    use crate::testing::{Bench, beginning, client_id, token};
    use bongsu_base::Millis;
    use bongsu_lane::Actor;

    fn begin(n: u8, user_code: &str) -> Oauth {
        Oauth::BeginDevice(BeginDevice {
            client: client_id("shop"),
            scope: "openid".into(),
            code: token(n),
            user_code: user_code.into(),
            lasts: Millis::minutes(10),
            interval: Millis::seconds(5),
            most: 2,
        })
    }

    fn decide(bench: &Bench, user_code: &str, admit: bool) -> Result<Accepted, Rejected> {
        let command = DecideDevice {
            cookie: token(1),
            user_code: user_code.into(),
            admit,
        };
        bench.oauth(Actor::Nobody, Oauth::DecideDevice(command))
    }

    fn poll(bench: &Bench, n: u8, client: &str) -> Result<Accepted, Rejected> {
        let command = RedeemDevice {
            client: client_id(client),
            code: token(n),
            begin: beginning(),
        };
        bench.oauth(Actor::Nobody, Oauth::RedeemDevice(command))
    }

    const WAITING: Result<Accepted, Rejected> = Ok(Accepted::Oauth(Done::Waiting));
    const SOON: Result<Accepted, Rejected> = Ok(Accepted::Oauth(Done::TooSoon));

    fn bench() -> Bench {
        let bench = Bench::with_browser();
        let begun = bench.oauth(Actor::Nobody, begin(70, "BCDFGHJK"));
        assert_eq!(begun, Ok(Accepted::Done));
        bench
    }

    #[test]
    fn a_device_waits_until_somebody_lets_it_in() {
        let bench = bench();
        assert_eq!(poll(&bench, 70, "shop"), SOON);
        bench.pass(Millis::seconds(9));
        assert_eq!(
            poll(&bench, 70, "shop"),
            SOON,
            "it has to wait ten seconds now"
        );
        bench.pass(Millis::seconds(15));
        assert_eq!(poll(&bench, 70, "shop"), WAITING);
        let unknown = Err(Rejected::Oauth(Refused::NoSuchUserCode));
        assert_eq!(decide(&bench, "ZZZZZZZZ", true), unknown);
        assert_eq!(decide(&bench, "BCDFGHJK", true), Ok(Accepted::Done));
        assert_eq!(
            decide(&bench, "BCDFGHJK", false),
            unknown,
            "it was answered"
        );
        let invalid = Err(Rejected::Oauth(Refused::InvalidGrant));
        assert_eq!(poll(&bench, 70, "thief"), invalid);
        let let_in = poll(&bench, 70, "shop");
        assert!(
            matches!(let_in, Ok(Accepted::Oauth(Done::Begun(_)))),
            "{let_in:?}"
        );
        assert_eq!(poll(&bench, 70, "shop"), invalid, "once");
    }

    #[test]
    fn the_first_question_is_never_too_soon() {
        let bench = Bench::with_browser();
        let Oauth::BeginDevice(command) = begin(70, "BCDFGHJK") else {
            unreachable!("that is what it makes")
        };
        let begun = bench.oauth(Actor::Nobody, Oauth::AwaitDevice(command));
        assert_eq!(begun, Ok(Accepted::Done));
        assert_eq!(poll(&bench, 70, "shop"), WAITING);
        bench.pass(Millis(4_999));
        assert_eq!(poll(&bench, 70, "shop"), SOON);
        bench.pass(Millis::seconds(10));
        assert_eq!(poll(&bench, 70, "shop"), WAITING);
    }

    #[test]
    fn a_device_that_is_turned_away_or_late_gets_nothing() {
        let bench = bench();
        assert_eq!(decide(&bench, "BCDFGHJK", false), Ok(Accepted::Done));
        let turned_away = Ok(Accepted::Oauth(Done::TurnedAway));
        assert_eq!(poll(&bench, 70, "shop"), turned_away);
        let begun = bench.oauth(Actor::Nobody, begin(71, "LMNPQRST"));
        assert_eq!(begun, Ok(Accepted::Done));
        bench.pass(Millis::minutes(10));
        let late = Err(Rejected::Oauth(Refused::CodeExpired));
        assert_eq!(poll(&bench, 71, "shop"), late);
        let unknown = Err(Rejected::Oauth(Refused::NoSuchUserCode));
        assert_eq!(decide(&bench, "LMNPQRST", true), unknown);
    }

    #[test]
    fn few_wait_and_none_with_the_code_of_another() {
        let bench = bench();
        let full = Err(Rejected::Oauth(Refused::TooManyDevices));
        assert_eq!(bench.oauth(Actor::Nobody, begin(71, "BCDFGHJK")), full);
        assert_eq!(
            bench.oauth(Actor::Nobody, begin(71, "LMNPQRST")),
            Ok(Accepted::Done)
        );
        assert_eq!(bench.oauth(Actor::Nobody, begin(72, "VWXZBCDF")), full);
        bench.pass(Millis::minutes(11));
        assert_eq!(
            bench.oauth(Actor::Nobody, begin(73, "VWXZBCDF")),
            Ok(Accepted::Done)
        );
        assert_eq!(bench.count("oauth_device_code"), 1);
    }
}
