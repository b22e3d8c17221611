//! The golden log: entries of every command ever released, as they stand in logs. They must decode for
//! ever and give the same outcomes and the same state.
//!
//! `tests/golden/v1.log` is only ever appended to; a line is what it holds, its time and its bytes.

mod oauth;

use bongsu_base::{DeviceId, LogTime, Millis, RecordId, Seed, UserId};
use bongsu_identity::{
    Act, Administer, Command, ConfirmRefresh, CreateAccount, Deactivate, DeleteDevices, Identity,
    NewSession, PasswordHash, PermitSignIn, Proof, Refresh, RenameDevice, SetPassword, SetProfile,
    SignIn, SignInByToken, SignOut, SignOutEverywhere, Token, TokenHash,
};
use bongsu_lane::{Actor, Applier, EntryBody, Payload, Record, System, SystemAccount};
use bongsu_log::Entry;
use data_encoding::HEXLOWER;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

const LOG: &str = include_str!("../../golden/v1.log");

/// A command's name, for whoever reads the golden log.
fn name(command: &Command) -> &'static str {
    match command {
        Command::CreateAccount(_) => "CreateAccount",
        Command::SignIn(_) => "SignIn",
        Command::Refresh(_) => "Refresh",
        Command::SignOut(_) => "SignOut",
        Command::SignOutEverywhere(_) => "SignOutEverywhere",
        Command::SetPassword(_) => "SetPassword",
        Command::Deactivate(_) => "Deactivate",
        Command::SetProfile(_) => "SetProfile",
        Command::RenameDevice(_) => "RenameDevice",
        Command::DeleteDevices(_) => "DeleteDevices",
        Command::Administer(_) => "Administer",
        Command::Oauth(_) => "Oauth",
        Command::PermitSignIn(_) => "PermitSignIn",
        Command::SignInByToken(_) => "SignInByToken",
        Command::ConfirmRefresh(_) => "ConfirmRefresh",
    }
}

fn mina() -> UserId {
    "@mina:bongsu.test".parse().expect("a user id")
}

fn on(id: &str) -> DeviceId {
    id.parse().expect("a device id")
}

fn token(n: u8) -> TokenHash {
    Token::from_random([n; 32]).hash()
}

fn session(device: &str, n: u8) -> NewSession {
    NewSession {
        device: on(device),
        display_name: Some("Pocket".into()),
        access: token(n),
        access_lifetime: Some(Millis::hours(1)),
        refresh: Some(token(n + 100)),
        address: "192.0.2.1".into(),
    }
}

fn proof(generation: u32, matched: bool) -> Proof {
    Proof {
        generation,
        matched,
        address: "192.0.2.1".into(),
    }
}

/// One of every command, in an order in which they mean something.
#[expect(clippy::too_many_lines, reason = "a list of all there is")]
fn samples() -> Vec<(Actor, Command)> {
    let user = mina;
    let phone = || Actor::User {
        user: mina(),
        device: on("PHONE"),
    };
    let phc = |text: &str| PasswordHash::from_phc(text.into());
    let create = CreateAccount {
        user: user(),
        password: Some(phc("$argon2id$first")),
        session: Some(session("DESK", 1)),
        admin: false,
    };
    let sign_in = |matched| SignIn {
        user: user(),
        proof: proof(1, matched),
        session: session("PHONE", 2),
    };
    let refresh = |presented, made| Refresh {
        presented: token(presented),
        access: token(made),
        access_lifetime: Millis::hours(1),
        refresh: token(made + 100),
        address: "2001:db8::/64".into(),
    };
    let profile = |field: &str, value: Option<&str>| SetProfile {
        user: user(),
        field: field.into(),
        value: value.map(Into::into),
    };
    let renamed = Some("Desk".into());
    vec![
        (Actor::Nobody, Command::CreateAccount(create.clone())),
        (Actor::Nobody, Command::CreateAccount(create)),
        (Actor::Nobody, Command::SignIn(sign_in(false))),
        (Actor::Nobody, Command::SignIn(sign_in(true))),
        (Actor::Nobody, Command::Refresh(refresh(102, 3))),
        (Actor::Nobody, Command::Refresh(refresh(102, 4))),
        (Actor::Nobody, Command::Refresh(refresh(99, 5))),
        (
            phone(),
            Command::SetProfile(profile("displayname", Some("\"Mina\""))),
        ),
        (
            phone(),
            Command::SetProfile(profile("m.tz", Some("\"Asia/Seoul\""))),
        ),
        (phone(), Command::SetProfile(profile("displayname", None))),
        (
            phone(),
            Command::RenameDevice(RenameDevice {
                user: user(),
                device: on("DESK"),
                display_name: renamed,
            }),
        ),
        (
            phone(),
            Command::DeleteDevices(DeleteDevices {
                user: user(),
                devices: vec![on("DESK")],
                proof: Some(proof(1, true)),
            }),
        ),
        (
            phone(),
            Command::SetPassword(SetPassword {
                user: user(),
                proof: Some(proof(1, true)),
                password: phc("$argon2id$second"),
                logout_devices: true,
            }),
        ),
        (
            phone(),
            Command::SignOut(SignOut {
                user: user(),
                device: on("PHONE"),
            }),
        ),
        (
            Actor::Operator,
            Command::SignOutEverywhere(SignOutEverywhere { user: user() }),
        ),
        (
            Actor::Operator,
            Command::Deactivate(Deactivate {
                user: user(),
                proof: None,
                erase: true,
            }),
        ),
    ]
    .into_iter()
    .chain(acts().into_iter().map(|act| {
        let command = Administer {
            by: None,
            reason: Some("asked to".into()),
            act,
        };
        (Actor::Operator, Command::Administer(command))
    }))
    .chain(oauth::samples())
    .chain(login_tokens())
    .chain(oauth::later_samples())
    .chain(as_somebody())
    .chain(refreshes("EARLIER", 70))
    .collect()
}

/// What is done by whoever runs the installation, with an account of the machine.
fn as_somebody() -> Vec<(Actor, Command)> {
    let account = |uid, name: Option<&str>| {
        let name = name.map(str::to_owned);
        Actor::OperatorAs(SystemAccount { uid, name })
    };
    let nari = || -> UserId { "@nari:bongsu.test".parse().expect("a user id") };
    let administer = |act| {
        let (by, reason) = (None, None);
        Command::Administer(Administer { by, reason, act })
    };
    let create = Act::CreateAccount {
        user: nari(),
        password: PasswordHash::from_phc("$argon2id$first".into()),
        admin: true,
    };
    vec![
        (account(0, Some("root")), administer(create)),
        (account(1_000, None), administer(Act::SignOut(nari()))),
    ]
}

/// Somebody lets a second device of theirs sign in once.
fn login_tokens() -> Vec<(Actor, Command)> {
    let sena = || -> UserId { "@sena:bongsu.test".parse().expect("a user id") };
    let desk = Actor::User {
        user: sena(),
        device: on("DESK"),
    };
    let create = CreateAccount {
        user: sena(),
        password: Some(PasswordHash::from_phc("$argon2id$first".into())),
        session: Some(session("DESK", 60)),
        admin: false,
    };
    let permit = PermitSignIn {
        user: sena(),
        proof: proof(1, true),
        token: token(61),
    };
    let come = |device: &str, n| SignInByToken {
        presented: token(61),
        session: session(device, n),
    };
    vec![
        (Actor::Nobody, Command::CreateAccount(create)),
        (desk, Command::PermitSignIn(permit)),
        (Actor::Nobody, Command::SignInByToken(come("PHONE", 62))),
        (Actor::Nobody, Command::SignInByToken(come("TV", 63))),
    ]
}

/// One of everything that an operator can do.
fn acts() -> Vec<Act> {
    let juno = || -> UserId { "@juno:bongsu.test".parse().expect("a user id") };
    let password = PasswordHash::from_phc("$argon2id$third".into());
    vec![
        Act::CreateAccount {
            user: juno(),
            password: password.clone(),
            admin: false,
        },
        Act::SetPassword {
            user: juno(),
            password,
            sign_out: true,
        },
        Act::SignOut(juno()),
        Act::Lock {
            user: juno(),
            locked: true,
        },
        Act::Suspend {
            user: juno(),
            suspended: true,
        },
        Act::SetAdmin {
            user: juno(),
            admin: true,
        },
        Act::Deactivate {
            user: juno(),
            erase: true,
        },
    ]
}

/// The tokens of a refresh arrive, and one that was spent comes again: before behaviour 3 it ends the session, from then on
/// it does not.
fn refreshes(device: &str, n: u8) -> Vec<(Actor, Command)> {
    let ara = || -> UserId { "@ara:bongsu.test".parse().expect("a user id") };
    let sign_in = SignIn {
        user: ara(),
        proof: proof(1, true),
        session: session(device, n),
    };
    let refresh = |presented, made| {
        Command::Refresh(Refresh {
            presented: token(presented),
            access: token(made),
            access_lifetime: Millis::hours(1),
            refresh: token(made + 100),
            address: "192.0.2.1".into(),
        })
    };
    let confirm = |n| Command::ConfirmRefresh(ConfirmRefresh { access: token(n) });
    let commands = [
        Command::SignIn(sign_in),
        refresh(n + 100, n + 1),
        confirm(n + 1),
        confirm(n),
        refresh(n + 100, n + 2),
        refresh(n + 101, n + 3),
    ];
    commands.map(|command| (Actor::Nobody, command)).into()
}

/// All that is asked in the golden log, with the behaviours that are activated in between.
fn asked() -> Vec<(Actor, Payload)> {
    let command = |(actor, command): &(Actor, Command)| {
        let bytes = postcard::to_stdvec(command).expect("plain data");
        (actor.clone(), Payload::Command(bytes))
    };
    let mut all: Vec<_> = samples().iter().map(command).collect();
    let activated = Payload::System(System::ActivateVersion { version: 3 });
    all.push((Actor::Platform, activated));
    all.extend(refreshes("LATER", 80).iter().map(command));
    all
}

/// The line that something has in the golden log.
fn line(number: usize, (actor, payload): &(Actor, Payload)) -> String {
    let name = match payload {
        Payload::Command(bytes) => name(&postcard::from_bytes(bytes).expect("a command")),
        Payload::System(_) => "Activate",
    };
    let record = Record {
        id: RecordId::named(&["golden"], &number.to_string()),
        actor: actor.clone(),
        seed: Seed::from_bytes([7; 32]),
        payload: payload.clone(),
    };
    let bytes = EntryBody {
        records: vec![record],
    }
    .encode();
    let time = 1_800_000_000_000 + 1000 * number as i64;
    format!("{name} {time} {}", HEXLOWER.encode(&bytes))
}

fn parse(line: &str) -> (&str, LogTime, Vec<u8>) {
    let parts: Vec<&str> = line.split(' ').collect();
    let [name, time, bytes] = parts[..] else {
        panic!("not a line of a golden log: {line}")
    };
    let bytes = HEXLOWER.decode(bytes.as_bytes()).expect("hexadecimal");
    (name, LogTime(time.parse().expect("milliseconds")), bytes)
}

#[test]
fn every_command_is_in_the_golden_log_as_it_is_encoded_today() {
    let lines: Vec<&str> = LOG.lines().collect();
    let asked = asked();
    let all = asked.iter().enumerate().map(|(n, one)| line(n, one));
    let missing: Vec<String> = all.filter(|line| !lines.contains(&line.as_str())).collect();
    assert!(
        missing.is_empty(),
        "tests/golden/v1.log lacks these entries. If the commands are new, append the lines; if they were \
         released, their encoding has changed, which must not be:\n{}",
        missing.join("\n")
    );
}

#[test]
fn every_variant_has_a_sample() {
    // A variant's number alone is the beginning of a command, where there is such a variant.
    let exists = |number: &u8| {
        let decoded = postcard::from_bytes::<Command>(&[*number]);
        decoded == Err(postcard::Error::DeserializeUnexpectedEnd)
    };
    let variants: Vec<u8> = (0..).take_while(exists).collect();
    let encode = |command| postcard::to_stdvec(command).expect("plain data")[0];
    let sampled: BTreeSet<u8> = samples()
        .iter()
        .map(|(_, command)| encode(command))
        .collect();
    assert_eq!(sampled.into_iter().collect::<Vec<_>>(), variants);
}

#[test]
fn the_golden_log_gives_the_same_outcomes_and_the_same_state() {
    let mut applier = Applier::<Identity>::open(Path::new(":memory:")).expect("a view in memory");
    let mut report = String::new();
    for (name, time, body) in LOG.lines().map(parse) {
        let next = applier.progress().chain.extend(time, &body);
        let entry = Entry {
            seq: next.seq,
            time,
            body: body.into(),
            link: next.link,
        };
        let applied = applier.apply(&[entry]).expect("a golden entry applies");
        for (_, verdict) in applied.outcomes {
            // What the lane asks of itself has none.
            if let Some(outcome) = verdict.outcome {
                writeln!(report, "{name}: {outcome:?}").expect("writes to memory");
            }
        }
        writeln!(report, "  {}", applied.progress.digest).expect("writes to memory");
    }
    insta::assert_snapshot!("v1", report);
}
