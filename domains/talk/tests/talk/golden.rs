//! The golden log: every command ever released still decodes and applies to the same outcome.
//!
//! `tests/golden/v1.txt` holds, for each command in order, its record in hexadecimal and the outcome.
//! A line is never changed; new commands are appended with `BONGSU_GOLDEN=write`.

use bongsu_base::{LogTime, RecordId, Seed};
use bongsu_lane::{Actor, Applier, EntryBody, Payload, Record};
use bongsu_log::{Chain, Entry};
use bongsu_talk::Talk;
use bongsu_talk::command::{
    Act, Action, AddMedia, Administer, Command, CreateRoom, KeepPicture, Membership, Profile,
    Receipt, Redact, Replacement, Report, ReserveMedia, Send, SetAccountData, SetAlias,
    SetMembership, SetState, ShowPayment, ShutDownRoom, StoreMedia, ThirdPartyInvite, Upgrade,
};
use bytes::Bytes;
use std::fmt::Write;
use std::path::Path;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/v1.txt");

fn id<T: std::str::FromStr>(text: &str) -> T {
    text.parse().ok().expect("an id")
}

fn membership(user: &str, action: Action) -> Command {
    let profile = Profile {
        displayname: Some("Jun".to_owned()),
        avatar_url: None,
    };
    let reason = Some("why not".to_owned());
    Command::Membership(Membership {
        room: id("!tea:test"),
        user: id(user),
        action,
        reason,
        profile,
        is_direct: true,
    })
}

/// Every command, in an order in which most are accepted.
#[expect(clippy::too_many_lines, reason = "a list of all there is")]
fn commands() -> Vec<(&'static str, Command)> {
    let room = || id("!tea:test");
    // The ids of events follow from the seeds below.
    let event = "$AAAAAAAgAACu6Nf0Vo6SIA";
    let text = |text: &str| text.to_owned();
    vec![
        (
            "mina",
            Command::CreateRoom(CreateRoom {
                room: room(),
                version: text("11"),
                create: text("{}"),
                profile: Profile {
                    displayname: Some(text("Mina")),
                    avatar_url: Some(text("mxc://test/a")),
                },
                power_levels: text(r#"{"users":{"@mina:test":100}}"#),
                state: vec![(
                    text("m.room.join_rules"),
                    text(""),
                    text(r#"{"join_rule":"public"}"#),
                )],
                alias: Some(text("#tea:test")),
                invite: vec![(id("@sora:test"), Profile::default())],
                is_direct: false,
                listed: true,
            }),
        ),
        (
            "mina",
            Command::Send(Send {
                room: room(),
                kind: text("m.room.message"),
                content: text(r#"{"body":"hi"}"#),
                txn: Some(text("t")),
            }),
        ),
        (
            "mina",
            Command::SetState(SetState {
                room: room(),
                kind: text("m.room.name"),
                state_key: text(""),
                content: text(r#"{"name":"Tea"}"#),
            }),
        ),
        ("jun", membership("@jun:test", Action::Join)),
        ("mina", membership("@sora:test", Action::Invite)),
        ("mina", membership("@jun:test", Action::Kick)),
        ("mina", membership("@jun:test", Action::Ban)),
        ("mina", membership("@jun:test", Action::Unban)),
        ("jun", Command::Forget(room())),
        ("sora", membership("@sora:test", Action::Leave)),
        (
            "mina",
            Command::Receipt(Receipt {
                room: room(),
                read: Some(id(event)),
                read_private: Some(id(event)),
                fully_read: Some(id(event)),
                thread: text("main"),
            }),
        ),
        (
            "mina",
            Command::Redact(Redact {
                room: room(),
                event: id(event),
                content: text("{}"),
                txn: None,
            }),
        ),
        (
            "mina",
            Command::SetAlias(SetAlias {
                alias: text("#milk:test"),
                room: room(),
            }),
        ),
        ("mina", Command::DeleteAlias(text("#milk:test"))),
        (
            "mina",
            Command::SetListed {
                room: room(),
                listed: false,
            },
        ),
        (
            "mina",
            Command::SetAccountData(SetAccountData {
                room: Some(room()),
                kind: text("m.tag"),
                content: text("{}"),
            }),
        ),
        (
            "mina",
            Command::SaveFilter {
                id: text("f"),
                json: text("{}"),
            },
        ),
        (
            "mina",
            Command::AddMedia(AddMedia {
                id: text("m"),
                blob: "0".repeat(64),
                bytes: 5,
                content_type: Some(text("text/plain")),
                filename: None,
            }),
        ),
        (
            "mina",
            Command::ShowProfile {
                user: id("@mina:test"),
                profile: Profile::default(),
            },
        ),
        (
            "mina",
            Command::ShowIn {
                room: room(),
                profile: Profile {
                    displayname: Some(text("M")),
                    avatar_url: None,
                },
            },
        ),
        (
            "mina",
            Command::LeaveAll {
                user: id("@mina:test"),
            },
        ),
        ("jun", membership("@jun:test", Action::Join)),
        (
            "jun",
            Command::CreateRoom(CreateRoom {
                room: id("!spice"),
                version: text("12"),
                create: text(r#"{"additional_creators":["@sora:test"]}"#),
                profile: Profile::default(),
                power_levels: text("{}"),
                state: vec![(
                    text("m.room.join_rules"),
                    text(""),
                    text(r#"{"join_rule":"knock"}"#),
                )],
                alias: None,
                invite: vec![],
                is_direct: false,
                listed: false,
            }),
        ),
        (
            "mina",
            Command::ReserveMedia(ReserveMedia {
                id: text("r"),
                lifetime_ms: 1_000,
                most: 1,
            }),
        ),
        (
            "mina",
            Command::Membership(Membership {
                room: id("!spice"),
                user: id("@mina:test"),
                action: Action::Knock,
                reason: None,
                profile: Profile::default(),
                is_direct: false,
            }),
        ),
        (
            "jun",
            Command::Upgrade(Upgrade {
                room: id("!spice"),
                replacement: id("!cake:test"),
                version: text("11"),
                additional_creators: vec![id("@sora:test")],
                profile: Profile::default(),
            }),
        ),
        (
            "mina",
            Command::StoreMedia(StoreMedia {
                media: AddMedia {
                    id: text("r"),
                    blob: "1".repeat(64),
                    bytes: 7,
                    content_type: None,
                    filename: Some(text("tea")),
                },
                reserved: true,
                quota: Some(12),
            }),
        ),
        (
            "",
            Command::QuarantineMedia {
                id: text("r"),
                quarantined: true,
            },
        ),
        ("", Command::DeleteMedia(text("r"))),
        (
            "mina",
            Command::Report(Report {
                room: Some(room()),
                event: Some(id(event)),
                user: Some(id("@jun:test")),
                reason: Some(text("rude")),
            }),
        ),
        (
            "mina",
            Command::SetPushRules {
                json: text(r#"{"global":{}}"#),
                base: 0,
            },
        ),
        (
            "mina",
            Command::SetPushRules {
                json: text("{}"),
                base: 0,
            },
        ),
        (
            "mina",
            Command::SetTag {
                room: room(),
                tag: text("u.work"),
                content: Some(text(r#"{"order":0.5}"#)),
            },
        ),
        (
            "mina",
            Command::SetTag {
                room: room(),
                tag: text("u.none"),
                content: None,
            },
        ),
        (
            "mina",
            Command::AddOpenIdToken {
                hash: "0".repeat(64),
                lasts: 3_600_000,
            },
        ),
        (
            "",
            Command::SetRetention {
                events: Some(1),
                media: None,
            },
        ),
        (
            "",
            Command::SweepRoom {
                room: room(),
                most: 2,
            },
        ),
        (
            "",
            Command::PurgeMedia {
                ids: vec![text("m")],
            },
        ),
        (
            "",
            Command::Erase {
                user: id("@jun:test"),
            },
        ),
        (
            "",
            Command::SweepErased {
                user: id("@jun:test"),
                most: 100,
            },
        ),
        (
            "",
            Command::ShowAvatar {
                user: id("@mina:test"),
                url: Some(text("mxc://test/m")),
            },
        ),
    ]
    .into_iter()
    .chain(acts().into_iter().map(|act| ("", administer(act))))
    .chain([("", keep_picture()), ("sora", set_membership())])
    .chain([("*", show_payment())])
    .chain([("mina", invite_third_party())])
    .chain([("mina", leave_instead()), ("mina", forget_instead())])
    .collect()
}

fn keep_picture() -> Command {
    Command::KeepPicture(KeepPicture {
        media: AddMedia {
            id: "k".to_owned(),
            blob: "2".repeat(64),
            bytes: 9,
            content_type: Some("image/png".to_owned()),
            filename: None,
        },
        lifetime_ms: 86_400_000,
    })
}

fn set_membership() -> Command {
    Command::SetMembership(SetMembership {
        room: id("!tea:test"),
        user: id("@sora:test"),
        action: Action::Join,
        content: r#"{"a.key":1,"displayname":"Sora"}"#.to_owned(),
    })
}

fn show_payment() -> Command {
    Command::ShowPayment(ShowPayment {
        room: id("!instead:test"),
        payer: id("@mina:test"),
        payee: id("@sora:test"),
        content: r#"{"amount":1}"#.to_owned(),
    })
}

fn invite_third_party() -> Command {
    Command::InviteThirdParty(ThirdPartyInvite {
        room: id("!instead:test"),
        token: "token".to_owned(),
        content: r#"{"display_name":"S."}"#.to_owned(),
    })
}

fn leave_instead() -> Command {
    Command::Membership(Membership {
        room: id("!instead:test"),
        user: id("@mina:test"),
        action: Action::Leave,
        reason: None,
        profile: Profile::default(),
        is_direct: false,
    })
}

fn forget_instead() -> Command {
    Command::ForgetHistory(id("!instead:test"))
}

fn administer(act: Act) -> Command {
    Command::Administer(Administer {
        by: Some(id("@mina:test")),
        reason: Some("asked to".to_owned()),
        act,
    })
}

/// One of everything that an operator can do.
fn acts() -> Vec<Act> {
    let room = || id("!tea:test");
    vec![
        Act::BlockRoom(room()),
        Act::UnblockRoom(room()),
        Act::ShutDownRoom(ShutDownRoom {
            room: room(),
            speaker: id("@mina:test"),
            notice: "closed".to_owned(),
            replacement: Some(Replacement {
                room: id("!instead:test"),
                version: "11".to_owned(),
                name: None,
            }),
        }),
        Act::PurgeRoom(room()),
        Act::QuarantineMedia {
            ids: vec!["m".to_owned()],
            quarantined: true,
            room: Some(room()),
        },
        Act::ProtectMedia {
            id: "none".to_owned(),
            protected: true,
        },
        Act::DeleteMedia {
            ids: vec!["m".to_owned()],
            user: Some(id("@mina:test")),
        },
        Act::ResolveReport { report: 1 },
    ]
}

fn record(n: usize, who: &str, command: &Command) -> Record {
    let actor = match who {
        "" => Actor::Operator,
        "*" => Actor::Platform,
        who => Actor::User {
            user: id(&format!("@{who}:test")),
            device: id("PHONE"),
        },
    };
    let payload = Payload::Command(postcard::to_stdvec(command).expect("plain data"));
    Record {
        id: RecordId::from_bytes([n as u8; 16]),
        actor,
        seed: Seed::from_bytes([n as u8; 32]),
        payload,
    }
}

/// Applies one entry a record and tells each record with its outcome, and the digest at the end.
fn play(bodies: &[Vec<u8>]) -> String {
    let mut applier = Applier::<Talk>::open(Path::new(":memory:")).expect("a view");
    let mut chain = Chain::EMPTY;
    let mut told = String::new();
    for (n, body) in bodies.iter().enumerate() {
        let time = LogTime(1_800_000_000_000 + n as i64);
        let bytes = Bytes::from(body.clone());
        chain = chain.extend(time, &bytes);
        let entry = Entry {
            seq: chain.seq,
            time,
            body: bytes,
            link: chain.link,
        };
        let applied = applier.apply(&[entry]).expect("it applies");
        let outcome = &applied.outcomes[0].1.outcome;
        let hex: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(told, "{hex} {outcome:?}").expect("a text grows");
    }
    writeln!(told, "digest {}", applier.progress().digest).expect("a text grows");
    told
}

#[test]
fn released_commands_decode_and_apply_as_they_always_did() {
    if std::env::var("BONGSU_GOLDEN").as_deref() == Ok("write") {
        let records = commands()
            .into_iter()
            .enumerate()
            .map(|(n, (who, command))| record(n, who, &command));
        let bodies: Vec<Vec<u8>> = records
            .map(|record| {
                EntryBody {
                    records: vec![record],
                }
                .encode()
            })
            .collect();
        std::fs::write(FILE, play(&bodies)).expect("the fixture can be written");
    }
    let golden = std::fs::read_to_string(FILE).expect("the fixture is there");
    let unhex = |hex: &str| -> Vec<u8> {
        let digits = |n: usize| u8::from_str_radix(&hex[n..n + 2], 16).expect("hexadecimal digits");
        (0..hex.len()).step_by(2).map(digits).collect()
    };
    let lines = golden.lines().filter(|line| !line.starts_with("digest"));
    let bodies: Vec<Vec<u8>> = lines
        .map(|line| unhex(line.split(' ').next().expect("a word")))
        .collect();
    assert_eq!(play(&bodies), golden);
}

#[test]
fn every_command_is_in_the_golden_log() {
    let golden = std::fs::read_to_string(FILE).expect("the fixture is there");
    let records = commands()
        .into_iter()
        .enumerate()
        .map(|(n, (who, command))| record(n, who, &command));
    for (n, (record, line)) in records.zip(golden.lines()).enumerate() {
        let body = EntryBody {
            records: vec![record],
        }
        .encode();
        let hex: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(
            line.starts_with(&hex),
            "command {n} is encoded otherwise than it was released"
        );
    }
    // Adding a variant without a fixture fails here: the match has to name it, and this its number.
    let mut kinds: Vec<u8> = commands()
        .iter()
        .map(|(_, command)| kind(command))
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, (0..37).collect::<Vec<u8>>());
}

fn kind(command: &Command) -> u8 {
    match command {
        Command::CreateRoom(_) => 0,
        Command::Send(_) => 1,
        Command::SetState(_) => 2,
        Command::Redact(_) => 3,
        Command::Membership(_) => 4,
        Command::Forget(_) => 5,
        Command::Receipt(_) => 6,
        Command::SetAlias(_) => 7,
        Command::DeleteAlias(_) => 8,
        Command::SetListed { .. } => 9,
        Command::SetAccountData(_) => 10,
        Command::SaveFilter { .. } => 11,
        Command::AddMedia(_) => 12,
        Command::ShowProfile { .. } => 13,
        Command::LeaveAll { .. } => 14,
        Command::ShowIn { .. } => 15,
        Command::Upgrade(_) => 16,
        Command::StoreMedia(_) => 17,
        Command::ReserveMedia(_) => 18,
        Command::DeleteMedia(_) => 19,
        Command::QuarantineMedia { .. } => 20,
        Command::Report(_) => 21,
        Command::SetPushRules { .. } => 22,
        Command::SetTag { .. } => 23,
        Command::AddOpenIdToken { .. } => 24,
        Command::SetRetention { .. } => 25,
        Command::SweepRoom { .. } => 26,
        Command::PurgeMedia { .. } => 27,
        Command::Erase { .. } => 28,
        Command::SweepErased { .. } => 29,
        Command::ShowAvatar { .. } => 30,
        Command::Administer(_) => 31,
        Command::KeepPicture(_) => 32,
        Command::SetMembership(_) => 33,
        Command::ShowPayment(_) => 34,
        Command::ForgetHistory(_) => 35,
        Command::InviteThirdParty(_) => 36,
    }
}
