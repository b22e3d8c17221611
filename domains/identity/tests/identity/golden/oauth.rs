//! One of every command of the OpenID provider, in an order in which they mean something.

use super::{on, proof, token};
use bongsu_base::{LogTime, Millis, UserId};
use bongsu_identity::oauth::{
    AddKey, AdministerClient, Authorize, AuthorizePushed, BeginDevice, Beginning, ClientAct,
    ClientId, Consent, DecideDevice, EndSession, ForgetConsent, Granted, KeyKind, NewBrowser,
    NewClient, Oauth, Redeem, RedeemDevice, RefreshTokens, RegisterClient, Revoke, SealId, Sealed,
    SessionNo, SignInBrowser, SignOutBrowser, SignUpBrowser, Spend,
};
use bongsu_identity::{Command, CreateAccount, PasswordHash};
use bongsu_lane::Actor;

fn client(name: &str) -> ClientId {
    name.parse().expect("a client's id")
}

fn key(kind: KeyKind, kid: &str, after: Option<&str>) -> AddKey {
    AddKey {
        kid: kid.into(),
        kind,
        public: r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#.into(),
        sealed: Sealed {
            with: SealId([1; 8]),
            bytes: vec![1, 2, 3],
        },
        overlap: Millis::hours(24),
        keep: Millis::hours(25),
        after: after.map(Into::into),
        by: None,
        reason: None,
    }
}

fn new_client(secret: bool) -> NewClient {
    NewClient {
        metadata: r#"{"client_name":"Shop"}"#.into(),
        secret: secret.then(|| token(200)),
        logout_uri: Some("https://shop.example/out".into()),
        trusted: false,
    }
}

fn administer(name: &str, act: ClientAct) -> Oauth {
    Oauth::Administer(AdministerClient {
        by: None,
        reason: Some("asked to".into()),
        client: client(name),
        act,
    })
}

fn browser(n: u8) -> NewBrowser {
    NewBrowser {
        cookie: token(n),
        device: on(&format!("BROWSER{n}")),
        name: "Firefox (Linux)".into(),
        address: "192.0.2.1".into(),
        lasts: Millis::hours(24),
        before: None,
    }
}

fn authorize(n: u8, remember: bool) -> Oauth {
    Oauth::Authorize(Authorize {
        cookie: token(21),
        code: token(n),
        lasts: Millis::seconds(60),
        granted: Granted {
            client: client("shop"),
            scope: "openid profile".into(),
            redirect_uri: "https://shop.example/in".into(),
            challenge: [7; 32],
            nonce: Some("once".into()),
            claims: Some("{}".into()),
            jkt: Some([9; 32]),
            device: None,
            auth_time: LogTime(0),
            browser: None,
        },
        consent: Consent::Now { remember },
    })
}

fn beginning(device: &str) -> Beginning {
    Beginning {
        device: on(device),
        name: "Shop".into(),
        address: "192.0.2.1".into(),
        refresh: true,
        lasts: Millis::minutes(10),
        idle: Millis::hours(24),
        jkt: Some([9; 32]),
    }
}

fn redeem(n: u8, device: &str) -> Oauth {
    Oauth::Redeem(Redeem {
        client: client("shop"),
        code: token(n),
        redirect_uri: Some("https://shop.example/in".into()),
        challenge: [7; 32],
        begin: beginning(device),
    })
}

fn refresh(generation: u32) -> Oauth {
    Oauth::RefreshTokens(RefreshTokens {
        client: client("shop"),
        session: SessionNo(1),
        generation,
        jkt: Some([9; 32]),
        lasts: Millis::minutes(10),
        idle: Millis::hours(24),
        address: "2001:db8::/64".into(),
    })
}

fn device() -> [Oauth; 3] {
    let begin = BeginDevice {
        client: client("shop"),
        scope: "openid".into(),
        code: token(40),
        user_code: "BCDFGHJK".into(),
        lasts: Millis::minutes(10),
        interval: Millis::seconds(1),
        most: 10,
    };
    let decide = DecideDevice {
        cookie: token(21),
        user_code: "BCDFGHJK".into(),
        admit: true,
    };
    let redeem = RedeemDevice {
        client: client("shop"),
        code: token(40),
        begin: beginning("TV"),
    };
    [
        Oauth::BeginDevice(begin),
        Oauth::DecideDevice(decide),
        Oauth::RedeemDevice(redeem),
    ]
}

fn people() -> Vec<Oauth> {
    let juno: UserId = "@jun:bongsu.test".parse().expect("a user id");
    vec![
        Oauth::SignInBrowser(SignInBrowser {
            user: "@ara:bongsu.test".parse().expect("a user id"),
            proof: proof(1, true),
            browser: browser(21),
        }),
        Oauth::SignUpBrowser(SignUpBrowser {
            user: juno,
            password: PasswordHash::from_phc("$argon2id$first".into()),
            browser: browser(22),
        }),
    ]
}

/// Keys, and clients of both kinds.
fn keys_and_clients() -> Vec<Oauth> {
    let mut commands = vec![
        key(KeyKind::EdDsa, "a", None),
        key(KeyKind::EdDsa, "b", Some("a")),
        key(KeyKind::EdDsa, "c", Some("a")),
        key(KeyKind::Refresh, "d", None),
    ]
    .into_iter()
    .map(Oauth::AddKey)
    .collect::<Vec<_>>();
    let register = RegisterClient {
        client: client("self"),
        new: new_client(false),
        most: 10,
    };
    commands.extend([
        administer("shop", ClientAct::Add(new_client(true))),
        administer(
            "shop",
            ClientAct::Rotate {
                secret: token(201),
                overlap: Millis::hours(1),
            },
        ),
        Oauth::RegisterClient(register.clone()),
        Oauth::RegisterClient(register),
        administer("self", ClientAct::Remove),
    ]);
    commands
}

/// The samples, after those of everything else.
pub fn samples() -> Vec<(Actor, Command)> {
    let account = CreateAccount {
        user: "@ara:bongsu.test".parse().expect("a user id"),
        password: Some(PasswordHash::from_phc("$argon2id$first".into())),
        session: None,
        admin: false,
    };
    let mut commands = keys_and_clients();
    commands.extend(people());
    commands.extend([authorize(30, true), redeem(30, "CLIENT1")]);
    commands.extend([refresh(1), refresh(1), refresh(2), refresh(1), refresh(3)]);
    commands.extend([
        authorize(31, false),
        redeem(31, "CLIENT2"),
        redeem(31, "CLIENT3"),
    ]);
    commands.extend(device());
    let revoke = Revoke {
        client: client("shop"),
        session: SessionNo(3),
    };
    let end = EndSession {
        cookie: token(22),
        device: on("BROWSER22"),
    };
    let forget = ForgetConsent {
        cookie: token(21),
        client: client("shop"),
    };
    commands.extend([
        Oauth::Revoke(revoke),
        Oauth::EndSession(end),
        Oauth::ForgetConsent(forget),
        Oauth::SignOutBrowser(SignOutBrowser { cookie: token(21) }),
    ]);
    let spend = Spend {
        what: token(210),
        until: LogTime(1_900_000_000_000),
    };
    commands.extend([Oauth::Spend(spend.clone()), Oauth::Spend(spend)]);
    let first = (Actor::Nobody, Command::CreateAccount(account));
    let commands = commands.into_iter().map(|command| {
        let actor = match &command {
            Oauth::AddKey(_) => Actor::Platform,
            Oauth::Administer(_) => Actor::Operator,
            _ => Actor::Nobody,
        };
        (actor, Command::Oauth(Box::new(command)))
    });
    std::iter::once(first).chain(commands).collect()
}

/// What came after everything else: a request that was pushed, a key that changes, and a device that asks at once.
pub fn later_samples() -> Vec<(Actor, Command)> {
    let sign_in = Oauth::SignInBrowser(SignInBrowser {
        user: "@ara:bongsu.test".parse().expect("a user id"),
        proof: proof(1, true),
        browser: browser(21),
    });
    let pushed = |n: u8| {
        let Oauth::Authorize(authorize) = authorize(n, false) else {
            unreachable!("that is what it makes")
        };
        let pushed = Spend {
            what: token(211),
            until: LogTime(1_900_000_000_000),
        };
        Oauth::AuthorizePushed(AuthorizePushed { authorize, pushed })
    };
    let refresh = |generation: u32, jkt: Option<[u8; 32]>| {
        let Oauth::RefreshTokens(command) = refresh(generation) else {
            unreachable!("that is what it makes")
        };
        Oauth::RefreshAsItself(RefreshTokens {
            session: SessionNo(4),
            jkt,
            ..command
        })
    };
    let [Oauth::BeginDevice(begin), decide, poll] = device() else {
        unreachable!("that is what it makes")
    };
    let begin = BeginDevice {
        interval: Millis::seconds(5),
        ..begin
    };
    let again = Oauth::SignInAgain(SignInBrowser {
        user: "@ara:bongsu.test".parse().expect("a user id"),
        proof: proof(1, true),
        browser: NewBrowser {
            before: Some(token(21)),
            ..browser(22)
        },
    });
    let mut commands = vec![sign_in, pushed(32), pushed(33), redeem(32, "CLIENT4")];
    commands.extend([
        refresh(1, Some([8; 32])),
        refresh(1, None),
        refresh(2, None),
    ]);
    commands.extend([Oauth::AwaitDevice(begin), poll.clone(), poll.clone()]);
    commands.extend([decide, poll, again]);
    let commands = commands.into_iter();
    commands
        .map(|command| (Actor::Nobody, Command::Oauth(Box::new(command))))
        .collect()
}

#[test]
fn every_variant_has_a_sample() {
    let exists = |number: &u8| {
        let decoded = postcard::from_bytes::<Oauth>(&[*number]);
        decoded == Err(postcard::Error::DeserializeUnexpectedEnd)
    };
    let variants: Vec<u8> = (0..).take_while(exists).collect();
    let sampled: std::collections::BTreeSet<u8> = samples()
        .iter()
        .chain(&later_samples())
        .filter_map(|(_, command)| match command {
            Command::Oauth(command) => Some(postcard::to_stdvec(command).expect("plain data")[0]),
            _ => None,
        })
        .collect();
    assert_eq!(sampled.into_iter().collect::<Vec<_>>(), variants);
    assert_eq!(variants.len(), 20);
}
