//! A cluster that is made up and can lie in each way: the checker has to catch it.

use super::*;
use crate::client::Outcome;
use crate::ledger::number;
use http::StatusCode;

/// What is wrong with the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// It acknowledges what it then forgets everywhere.
    Lost,
    /// One data centre forgets it.
    LostInOne,
    /// It writes a repeated request twice.
    Doubled,
    /// It acknowledges a repeated request as another event than at first.
    TwoAnswers,
    /// One data centre has two messages the other way round.
    Swapped,
    /// One data centre has a message that the others do not have.
    Diverged,
    /// A good token is refused in one data centre.
    StaleToken,
    /// A token that was taken back is good again in one data centre.
    Revived,
    /// A token is somebody else's in one data centre.
    OtherOwner,
    /// It acknowledges one thing and writes another.
    SilentRefusal,
    /// One data centre gives other bytes.
    OtherBytes,
    /// One data centre gives no bytes.
    NoBytes,
}

const FAULTS: &[Fault] = &[
    Fault::Lost,
    Fault::LostInOne,
    Fault::Doubled,
    Fault::TwoAnswers,
    Fault::Swapped,
    Fault::Diverged,
    Fault::StaleToken,
    Fault::Revived,
    Fault::OtherOwner,
    Fault::SilentRefusal,
    Fault::OtherBytes,
    Fault::NoBytes,
];

/// The message that the fault hits.
const HIT: u64 = 5;

/// Three data centres, and a client that remembers what they said.
struct Fake {
    fault: Fault,
    shown: Vec<Shown>,
    acknowledged: Vec<Acknowledged>,
}

impl Fake {
    fn new(fault: Fault) -> Self {
        Self {
            fault,
            shown: vec![Shown::default(); 3],
            acknowledged: Vec::new(),
        }
    }

    /// Somebody sends `key` to `group`, twice, as one whose first answer was lost.
    fn send(&mut self, group: u32, key: u64) {
        let hit = key == HIT && group == 1;
        let value = number(&format!("{group}/{key}"));
        for (site, shown) in self.shown.iter_mut().enumerate() {
            let commands = shown.groups.entry(group).or_default();
            match self.fault {
                Fault::Lost if hit => {}
                Fault::LostInOne if hit && site == 1 => {}
                Fault::Doubled if hit => commands.extend([(key, value), (key, value + 1)]),
                Fault::SilentRefusal if hit => commands.push((key, value + 1)),
                Fault::Diverged if hit && site == 2 => {
                    commands.extend([(key, value), (key + 1000, value)]);
                }
                Fault::Swapped if hit && site == 2 => {
                    let before = commands.len() - 1;
                    commands.insert(before, (key, value));
                }
                _ => commands.push((key, value)),
            }
        }
        let mut acknowledge = |value| self.acknowledged.push(Acknowledged { group, key, value });
        acknowledge(value);
        if hit {
            acknowledge(value + u64::from(self.fault == Fault::TwoAnswers));
        }
    }

    fn tokens(&self) -> (Vec<Token>, Vec<Vec<Told>>) {
        let token = |user: &str, revoked| Token {
            token: format!("{user}-{revoked}"),
            user: user.to_owned(),
            revoked,
        };
        let tokens = vec![token("@a:x", false), token("@b:x", true)];
        let mut told = vec![vec![Told::Owner("@a:x".to_owned()), Told::Refused]; 3];
        match self.fault {
            Fault::StaleToken => told[1][0] = Told::Refused,
            Fault::Revived => told[2][1] = Told::Owner("@b:x".to_owned()),
            Fault::OtherOwner => told[0][0] = Told::Owner("@b:x".to_owned()),
            _ => {}
        }
        (tokens, told)
    }

    fn uploads(&self) -> (Vec<u64>, Vec<Vec<Option<u64>>>) {
        let mut given = vec![vec![Some(7), Some(8)]; 3];
        match self.fault {
            Fault::OtherBytes => given[1][0] = Some(9),
            Fault::NoBytes => given[1][1] = None,
            _ => {}
        }
        (vec![7, 8], given)
    }

    fn findings(mut self) -> Findings {
        for group in [1, 2] {
            for key in 0..10 {
                self.send(group, key);
            }
        }
        let mut findings = commands(&self.acknowledged, &self.shown);
        let (issued, told) = self.tokens();
        findings.add(tokens(&issued, &told));
        let (uploads, given) = self.uploads();
        findings.add(contents("upload", &uploads, &given));
        findings
    }
}

#[test]
fn a_sound_cluster_is_clean() {
    let findings = Fake::new(Fault::None).findings();
    assert_eq!(findings, Findings::default());
}

#[test]
fn every_fault_is_caught_as_what_it_is() {
    for fault in FAULTS {
        let found = Fake::new(*fault).findings();
        assert!(found != Findings::default(), "{fault:?} was not caught");
        assert!(!found.problems.is_empty(), "{fault:?} is not told in words");
        let counted = match fault {
            Fault::None => 0,
            Fault::Lost | Fault::LostInOne | Fault::NoBytes => found.lost,
            Fault::Doubled | Fault::TwoAnswers => found.doubled,
            Fault::Swapped | Fault::Diverged => found.diverged,
            Fault::StaleToken => found.tokens_refused,
            Fault::Revived => found.tokens_revived,
            Fault::OtherOwner | Fault::SilentRefusal | Fault::OtherBytes => found.unfaithful,
        };
        assert!(
            counted > 0,
            "{fault:?} was taken for something else: {found:?}"
        );
    }
}

#[test]
fn a_message_that_one_data_centre_lacks_is_lost_once_and_shows_that_they_differ() {
    let found = Fake::new(Fault::LostInOne).findings();
    assert_eq!((found.lost, found.diverged), (1, 1));
    let found = Fake::new(Fault::Lost).findings();
    assert_eq!((found.lost, found.diverged), (1, 0));
}

#[test]
fn what_was_asked_and_never_acknowledged_may_be_there_or_not() {
    let mut fake = Fake::new(Fault::None);
    fake.send(1, 3);
    fake.acknowledged.clear();
    assert_eq!(
        commands(&fake.acknowledged, &fake.shown),
        Findings::default()
    );
}

#[test]
fn a_refusal_without_a_word_on_when_to_come_back_is_an_error() {
    let check = |status: StatusCode, after: Option<&str>, told: bool| {
        let mut answer = http::Response::builder().status(status);
        if let Some(after) = after {
            answer = answer.header("retry-after", after);
        }
        let outcome = Outcome::of(answer.body(bytes::Bytes::new()).expect("an answer"));
        assert_eq!(
            matches!(outcome, Outcome::Told { .. }),
            told,
            "{status} {after:?}"
        );
        assert!(!matches!(outcome, Outcome::Done(_)), "{status}");
    };
    check(StatusCode::SERVICE_UNAVAILABLE, Some("1"), true);
    check(StatusCode::TOO_MANY_REQUESTS, Some("2"), true);
    check(StatusCode::SERVICE_UNAVAILABLE, None, false);
    check(StatusCode::SERVICE_UNAVAILABLE, Some("soon"), false);
    check(StatusCode::INTERNAL_SERVER_ERROR, Some("1"), false);
    check(StatusCode::BAD_GATEWAY, Some("1"), false);
    check(StatusCode::UNAUTHORIZED, None, false);
    check(StatusCode::NOT_FOUND, None, false);
}
