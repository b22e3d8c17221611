//! What the tests of rules share: a view in memory, to which they apply one command at a time.

use crate::command::oauth::{
    AdministerClient, Authorize, Beginning, ClientAct, ClientId, Consent, Granted, NewBrowser,
    NewClient, Oauth, Redeem, RefreshTokens, SessionNo, SignInBrowser,
};
use crate::command::{
    Accepted, Command, CreateAccount, Deactivate, NewSession, Proof, Refresh, Rejected, SignIn,
};
use crate::effect::Effect;
use crate::secret::{PasswordHash, Token, TokenHash};
use crate::{Identity, state};
use bongsu_base::{DeviceId, LogTime, Millis, RecordId, Seed, UserId};
use bongsu_lane::{Actor, Applier, Domain, EntryBody, Outcome, Payload, Record, System};
use bongsu_log::Entry;
use std::cell::{Cell, RefCell};
use std::path::Path;

/// Where the tests' clients come from.
pub const ADDRESS: &str = "192.0.2.1";

/// An installation in memory.
pub struct Bench {
    applier: RefCell<Applier<Identity>>,
    now: Cell<LogTime>,
}

impl Bench {
    /// When every installation begins.
    pub const BEGUN: LogTime = LogTime(1_800_000_000_000);

    /// An empty installation.
    pub fn new() -> Self {
        Self::of_behaviour(Identity::VERSION)
    }

    /// An empty installation in which `version` is active.
    pub fn of_behaviour(version: u32) -> Self {
        let applier = Applier::open(Path::new(":memory:")).expect("a view in memory");
        let bench = Self {
            applier: RefCell::new(applier),
            now: Cell::new(Self::BEGUN),
        };
        let activated = Payload::System(System::ActivateVersion { version });
        bench.apply(Actor::Platform, activated);
        bench
    }

    /// An installation with these accounts.
    pub fn with(names: &[&str]) -> Self {
        let bench = Self::new();
        bench.make(names);
        bench
    }

    /// Makes these accounts.
    pub fn make(&self, names: &[&str]) {
        for name in names {
            let made = self.ask(Actor::Nobody, Command::CreateAccount(create(name)));
            assert_eq!(made, Ok(Accepted::Done));
        }
    }

    /// Applies a command in an entry of its own.
    pub fn ask(&self, actor: Actor, command: Command) -> Result<Accepted, Rejected> {
        let command = postcard::to_stdvec(&command).expect("plain data");
        match self.apply(actor, Payload::Command(command)) {
            Some(Outcome::Accepted(accepted)) => Ok(accepted),
            Some(Outcome::Rejected(rejected)) => Err(rejected),
            other => panic!("no outcome of a rule: {other:?}"),
        }
    }

    fn apply(&self, actor: Actor, payload: Payload) -> Option<Outcome<Accepted, Rejected>> {
        let mut applier = self.applier.borrow_mut();
        let (chain, time) = (applier.progress().chain, self.now.get());
        let record = Record {
            id: RecordId::named(&["test"], &chain.seq.to_string()),
            actor,
            seed: Seed::from_bytes([0; 32]),
            payload,
        };
        let body = EntryBody {
            records: vec![record],
        }
        .encode();
        let next = chain.extend(time, &body);
        let entry = Entry {
            seq: next.seq,
            time,
            body: body.into(),
            link: next.link,
        };
        let applied = applier.apply(&[entry]).expect("the view can be written");
        let (_, verdict) = applied.outcomes.into_iter().next()?;
        verdict.outcome
    }

    /// Asks the OpenID provider.
    pub fn oauth(&self, actor: Actor, command: Oauth) -> Result<Accepted, Rejected> {
        self.ask(actor, Command::Oauth(Box::new(command)))
    }

    /// The time.
    pub fn now(&self) -> LogTime {
        self.now.get()
    }

    /// Mina, signed in in the browser with cookie 1, and the client `shop`.
    pub fn with_browser() -> Self {
        let bench = Self::with(&["mina"]);
        let sign_in = SignInBrowser {
            user: user("mina"),
            proof: proof(1, true),
            browser: browser(1),
        };
        let add = AdministerClient {
            by: None,
            reason: None,
            client: client_id("shop"),
            act: ClientAct::Add(new_client()),
        };
        for (actor, command) in [
            (Actor::Nobody, Oauth::SignInBrowser(sign_in)),
            (Actor::Operator, Oauth::Administer(add)),
        ] {
            assert_eq!(bench.oauth(actor, command), Ok(Accepted::Done));
        }
        bench
    }

    /// As before, and a session of the client, number 1, with a refresh token of generation 1.
    pub fn with_session() -> Self {
        Self::with_session_for("openid")
    }

    /// As before, for this scope.
    pub fn with_session_for(scope: &str) -> Self {
        let bench = Self::with_browser();
        let code = Oauth::Authorize(authorize(99, scope));
        assert_eq!(bench.oauth(Actor::Nobody, code), Ok(Accepted::Done));
        let begun = bench.oauth(Actor::Nobody, Oauth::Redeem(redeem(99)));
        assert!(begun.is_ok(), "{begun:?}");
        bench
    }

    /// Signs in with the right first password.
    pub fn sign_in(&self, name: &str, on: &str, access: u8, refresh: Option<u8>) {
        let mut session = session(on, access);
        session.refresh = refresh.map(token);
        session.access_lifetime = refresh.map(|_| Millis::hours(1));
        let command = SignIn {
            user: user(name),
            proof: proof(1, true),
            session,
        };
        assert_eq!(
            self.ask(Actor::Nobody, Command::SignIn(command)),
            Ok(Accepted::Done)
        );
    }

    /// Ends an account as the operator.
    pub fn deactivate(&self, name: &str) {
        let command = Deactivate {
            user: user(name),
            proof: None,
            erase: false,
        };
        assert_eq!(
            self.ask(Actor::Operator, Command::Deactivate(command)),
            Ok(Accepted::Done)
        );
    }

    /// Lets time pass.
    pub fn pass(&self, span: Millis) {
        self.now.set(self.now.get() + span);
    }

    /// Looks at the view.
    pub fn look<T>(&self, look: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>) -> T {
        look(self.applier.borrow().db()).expect("the view is readable")
    }

    /// The rows of a table.
    pub fn count(&self, table: &str) -> i64 {
        self.look(|db| {
            db.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| {
                row.get(0)
            })
        })
    }

    /// Whose an access token is, and on which device.
    pub fn holder(&self, hash: TokenHash) -> Option<(UserId, String)> {
        let found = self.look(|db| state::token::holder(db, &hash));
        found.map(|holder| (holder.user, holder.device.to_string()))
    }

    /// What was asked of the outside, in order.
    pub fn effects(&self) -> Vec<Effect> {
        let bodies: Vec<Vec<u8>> = self.look(|db| {
            let mut find = db.prepare("SELECT body FROM lane_effect ORDER BY id")?;
            find.query_map((), |row| row.get(0))?.collect()
        });
        bodies
            .iter()
            .map(|body| postcard::from_bytes(body).expect("an effect"))
            .collect()
    }
}

/// The user id with this localpart.
pub fn user(name: &str) -> UserId {
    format!("@{name}:bongsu.test").parse().expect("a user id")
}

/// The device with this id.
pub fn device(id: &str) -> DeviceId {
    id.parse().expect("a device id")
}

/// The hash of token `n`.
pub fn token(n: u8) -> TokenHash {
    Token::from_random([n; 32]).hash()
}

/// A session without a refresh token.
pub fn session(on: &str, access: u8) -> NewSession {
    NewSession {
        device: device(on),
        display_name: None,
        access: token(access),
        access_lifetime: None,
        refresh: None,
        address: ADDRESS.into(),
    }
}

/// What a gateway found.
pub fn proof(generation: u32, matched: bool) -> Proof {
    Proof {
        generation,
        matched,
        address: ADDRESS.into(),
    }
}

/// An account with a password and no session.
pub fn create(name: &str) -> CreateAccount {
    let password = Some(PasswordHash::from_phc("first".into()));
    CreateAccount {
        user: user(name),
        password,
        session: None,
        admin: false,
    }
}

/// A person on one of their devices.
pub fn as_user(name: &str, on: &str) -> Actor {
    Actor::User {
        user: user(name),
        device: device(on),
    }
}

/// The client with this id.
pub fn client_id(name: &str) -> ClientId {
    name.parse().expect("a client's id")
}

/// A client without a secret that wants to know who signed out.
pub fn new_client() -> NewClient {
    NewClient {
        metadata: "{}".into(),
        secret: None,
        logout_uri: Some("https://shop.example/out".into()),
        trusted: false,
    }
}

/// The browser with cookie `n`.
pub fn browser(n: u8) -> NewBrowser {
    NewBrowser {
        cookie: token(n),
        device: device(&format!("BROWSER{n}")),
        name: "Firefox".into(),
        address: ADDRESS.into(),
        lasts: Millis::hours(24),
        before: None,
    }
}

/// The code `n` for the client `shop`, asked for in the browser with cookie 1.
pub fn authorize(n: u8, scope: &str) -> Authorize {
    Authorize {
        cookie: token(1),
        code: token(n),
        lasts: Millis::seconds(60),
        granted: Granted {
            client: client_id("shop"),
            scope: scope.into(),
            redirect_uri: "https://shop.example/in".into(),
            challenge: [7; 32],
            nonce: Some("once".into()),
            claims: None,
            jkt: None,
            device: None,
            auth_time: LogTime(0),
            browser: None,
        },
        consent: Consent::Now { remember: false },
    }
}

/// How a session begins.
pub fn beginning() -> Beginning {
    Beginning {
        device: device("CLIENT1"),
        name: "Shop".into(),
        address: ADDRESS.into(),
        refresh: true,
        lasts: Millis::minutes(10),
        idle: Millis::hours(24 * 30),
        jkt: None,
    }
}

/// The code `n`, redeemed as it should be.
pub fn redeem(n: u8) -> Redeem {
    Redeem {
        client: client_id("shop"),
        code: token(n),
        redirect_uri: Some("https://shop.example/in".into()),
        challenge: [7; 32],
        begin: beginning(),
    }
}

/// Presents a messenger's refresh token `presented`; the new pair is access `made` and refresh `made + 100`.
pub fn refresh_matrix(bench: &Bench, presented: u8, made: u8) -> Result<Accepted, Rejected> {
    let command = Refresh {
        presented: token(presented),
        access: token(made),
        access_lifetime: Millis::hours(1),
        refresh: token(made + 100),
        address: ADDRESS.into(),
    };
    bench.ask(Actor::Nobody, Command::Refresh(command))
}

/// The first session's refresh token of this generation.
pub fn refresh(generation: u32) -> RefreshTokens {
    RefreshTokens {
        client: client_id("shop"),
        session: SessionNo(1),
        generation,
        jkt: None,
        lasts: Millis::minutes(10),
        idle: Millis::hours(24 * 30),
        address: ADDRESS.into(),
    }
}
