//! What the tests of rules share: a view in memory, to which they apply one command at a time.

use crate::command::{
    Accepted, Command, CreateAccount, Deactivate, NewSession, Proof, Rejected, SignIn,
};
use crate::effect::Effect;
use crate::secret::{PasswordHash, Token, TokenHash};
use crate::{Identity, state};
use bongsu_base::{DeviceId, LogTime, Millis, RecordId, Seed, UserId};
use bongsu_lane::{Actor, Applier, EntryBody, Outcome, Payload, Record};
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
    /// An empty installation.
    pub fn new() -> Self {
        let applier = Applier::open(Path::new(":memory:")).expect("a view in memory");
        Self {
            applier: RefCell::new(applier),
            now: Cell::new(LogTime(1_800_000_000_000)),
        }
    }

    /// An installation with these accounts.
    pub fn with(names: &[&str]) -> Self {
        let bench = Self::new();
        for name in names {
            let made = bench.ask(Actor::Nobody, Command::CreateAccount(create(name)));
            assert_eq!(made, Ok(Accepted::Done));
        }
        bench
    }

    /// Applies a command in an entry of its own.
    pub fn ask(&self, actor: Actor, command: Command) -> Result<Accepted, Rejected> {
        let mut applier = self.applier.borrow_mut();
        let (chain, time) = (applier.progress().chain, self.now.get());
        let record = Record {
            id: RecordId::named(&["test"], &chain.seq.to_string()),
            actor,
            seed: Seed::from_bytes([0; 32]),
            payload: Payload::Command(postcard::to_stdvec(&command).expect("plain data")),
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
        match applied
            .outcomes
            .into_iter()
            .next()
            .and_then(|(_, verdict)| verdict.outcome)
        {
            Some(Outcome::Accepted(accepted)) => Ok(accepted),
            Some(Outcome::Rejected(rejected)) => Err(rejected),
            other => panic!("no outcome of a rule: {other:?}"),
        }
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
