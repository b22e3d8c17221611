//! A cluster that is made up and can lie in each way: the checker has to catch it.

use super::*;
use crate::client::Outcome;
use crate::ledger::number;
use http::StatusCode;
use std::time::Duration;

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
    /// A merchant is never told something.
    WebhookLost,
    /// The only delivery of something is refused, and it does not come again.
    WebhookNotRepeated,
    /// What comes again comes under another id.
    WebhookRenamed,
    /// Two things are told under one id.
    WebhookReused,
    /// What comes again has another body.
    WebhookChanged,
    /// A service elsewhere takes a token that was taken back long ago.
    PartnerTakesRevoked,
    /// It refuses a good token.
    PartnerRefuses,
    /// It cannot tell, though it heard something lately.
    PartnerForgets,
    /// It cannot tell, though two data centres live.
    PartnerDeaf,
    /// It goes on for longer than it says without having heard anything.
    PartnerGoesOn,
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
    Fault::WebhookLost,
    Fault::WebhookNotRepeated,
    Fault::WebhookRenamed,
    Fault::WebhookReused,
    Fault::WebhookChanged,
    Fault::PartnerTakesRevoked,
    Fault::PartnerRefuses,
    Fault::PartnerForgets,
    Fault::PartnerDeaf,
    Fault::PartnerGoesOn,
];

/// For how many seconds a service elsewhere relies on what it heard.
const BOUND: u64 = 20;

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
        let value = number(format!("{group}/{key}"));
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

    /// What a merchant was told of three payments, the second of which was refused when it came first.
    fn webhooks(&self) -> Findings {
        let mut events = Events::default();
        for n in 0..3 {
            events.want(format!("payment.paid of {n} to shop-1"));
        }
        for n in 0..3 {
            let about = format!("payment.paid of {n} to shop-1");
            let (id, body) = (format!("evt_{n}"), format!("{{\"n\":{n}}}"));
            let first = n != 1;
            match self.fault {
                Fault::WebhookLost if n == 2 => continue,
                Fault::WebhookReused if n == 2 => {
                    events.come(("evt_0", &about, body.as_bytes()), first);
                    continue;
                }
                _ => events.come((&id, &about, body.as_bytes()), first),
            }
            if n == 1 {
                let (id, body) = match self.fault {
                    Fault::WebhookNotRepeated => continue,
                    Fault::WebhookRenamed => ("evt_9", body),
                    Fault::WebhookChanged => (&*id, "{}".to_owned()),
                    _ => (&*id, body),
                };
                events.come((id, &about, body.as_bytes()), true);
            }
        }
        // Once more, as from a data centre that did not know that it was taken.
        events.come(("evt_0", "payment.paid of 0 to shop-1", b"{\"n\":0}"), true);
        let mut found = events.end();
        if self.fault == Fault::None {
            let told = std::mem::take(&mut found.told);
            let counted = (told.webhooks_received, told.webhooks_repeated);
            assert_eq!((counted, told.webhooks_refused), ((3, 1), 1));
        }
        found
    }

    /// What a service elsewhere said to people's tokens.
    fn partner(&self) -> Findings {
        let visit = |revoked_for: Option<u64>, heard: u64, said: Told| Visit {
            token: Token {
                token: "t".to_owned(),
                user: "@a:x".to_owned(),
                revoked: revoked_for.is_some(),
            },
            revoked_for: Duration::from_secs(revoked_for.unwrap_or(0)),
            heard: (Duration::from_secs(heard), Duration::from_secs(heard + 1)),
            two_lived_for: Duration::ZERO,
            said,
        };
        let owner = || Told::Owner("@a:x".to_owned());
        let unsure = || Told::Else(UNSURE.to_owned());
        let mut all = vec![
            visit(None, 3, owner()),
            visit(None, BOUND, owner()),
            visit(None, BOUND, unsure()),
            visit(None, BOUND + 9, unsure()),
            visit(Some(9), 3, owner()),
            visit(Some(9), 3, Told::Refused),
            visit(Some(BOUND + 9), 3, Told::Refused),
            visit(Some(BOUND + 9), BOUND + 9, unsure()),
        ];
        all.push(match self.fault {
            Fault::PartnerTakesRevoked => visit(Some(BOUND + 9), 3, owner()),
            Fault::PartnerRefuses => visit(None, 3, Told::Refused),
            Fault::PartnerForgets => visit(None, 3, unsure()),
            Fault::PartnerDeaf => Visit {
                two_lived_for: Duration::from_secs(BOUND),
                ..visit(None, BOUND + 9, unsure())
            },
            Fault::PartnerGoesOn => visit(None, BOUND + 9, owner()),
            _ => return visits(&all, Duration::from_secs(BOUND)),
        });
        visits(&all, Duration::from_secs(BOUND))
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
        findings.add(self.webhooks());
        findings.add(self.partner());
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
        assert!(!found.problems.is_empty(), "{fault:?} is not told in words");
        let counted = match fault {
            Fault::None => 0,
            Fault::Lost | Fault::LostInOne | Fault::NoBytes => found.lost,
            Fault::WebhookLost | Fault::WebhookNotRepeated => {
                assert_eq!(found.told.webhooks_missing, 1, "{fault:?}");
                found.lost
            }
            Fault::Doubled | Fault::TwoAnswers => found.doubled,
            Fault::WebhookRenamed | Fault::WebhookReused => found.doubled,
            Fault::Swapped | Fault::Diverged => found.diverged,
            Fault::StaleToken
            | Fault::PartnerRefuses
            | Fault::PartnerForgets
            | Fault::PartnerDeaf => found.tokens_refused,
            Fault::Revived | Fault::PartnerTakesRevoked => found.tokens_revived,
            Fault::OtherOwner
            | Fault::SilentRefusal
            | Fault::OtherBytes
            | Fault::WebhookChanged
            | Fault::PartnerGoesOn => found.unfaithful,
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
