//! The law of tokens: whatever happens, no revoked token authenticates and every live one does.

use crate::house::{House, TestLog};
use bongsu_base::{DeviceId, Millis, UserId};
use bongsu_identity::{
    Accepted, Accounts, Clock, Command, Config, CreateAccount, DeleteDevices, HashingCost,
    NewSession, Proof, Refresh, Registration, Rejected, SetPassword, SignIn, SignOut,
    SignOutEverywhere, Token,
};
use bongsu_lane::{Actor, Priority};
use bongsu_web_kit::{AuthError, Authenticate, Caller};
use proptest::prelude::*;
use std::collections::BTreeMap;

const LIFETIME: Millis = Millis::hours(1);

/// Something that happens; numbers choose among what there is.
#[derive(Debug, Clone)]
enum Step {
    SignIn {
        user: usize,
        device: usize,
        refresh: bool,
    },
    /// Presents the refresh token that was made this many before the last one.
    Refresh {
        back: usize,
        /// Whether its answer is lost: nobody uses what it made before the next step.
        lost: bool,
    },
    SignOut {
        user: usize,
        device: usize,
    },
    SignOutEverywhere {
        user: usize,
        device: usize,
    },
    DeleteDevice {
        user: usize,
        device: usize,
        other: usize,
    },
    SetPassword {
        user: usize,
        device: usize,
    },
    Pass {
        minutes: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (user, device) = (0..2usize, 0..2usize);
    prop_oneof![
        4 => (user.clone(), device.clone(), prop::bool::weighted(0.75))
            .prop_map(|(user, device, refresh)| Step::SignIn { user, device, refresh }),
        12 => (0..6usize, any::<bool>()).prop_map(|(back, lost)| Step::Refresh { back, lost }),
        2 => (user.clone(), device.clone()).prop_map(|(user, device)| Step::SignOut { user, device }),
        1 => (user.clone(), device.clone())
            .prop_map(|(user, device)| Step::SignOutEverywhere { user, device }),
        1 => (user.clone(), device.clone(), device.clone())
            .prop_map(|(user, device, other)| Step::DeleteDevice { user, device, other }),
        1 => (user, device).prop_map(|(user, device)| Step::SetPassword { user, device }),
        2 => (1..50i64).prop_map(|minutes| Step::Pass { minutes }),
    ]
}

/// What a session should be, by the README's words.
#[derive(Debug, Clone)]
struct Session {
    access: usize,
    /// In milliseconds of log time.
    expires: Option<i64>,
    current: Option<usize>,
    /// What it was made of, until it or the access token is used.
    previous: Option<usize>,
}

type Place = (usize, usize);

#[derive(Debug, Default)]
struct Model {
    sessions: BTreeMap<Place, Session>,
    now: i64,
}

impl Model {
    /// Whether the session on this device may ask for something.
    fn may_ask(&self, place: Place) -> Result<(), Rejected> {
        match self.sessions.get(&place) {
            None => Err(Rejected::SessionEnded),
            Some(session) if session.expires.is_some_and(|at| at <= self.now) => {
                Err(Rejected::SessionExpired)
            }
            Some(_) => Ok(()),
        }
    }

    fn refresh(&mut self, presented: usize, access: usize, refresh: usize) -> Expect {
        let holds = |session: &&mut Session| {
            session.current == Some(presented) || session.previous == Some(presented)
        };
        let Some(session) = self.sessions.values_mut().find(holds) else {
            return Err(Rejected::UnknownRefreshToken);
        };
        session.previous = Some(presented);
        session.current = Some(refresh);
        session.access = access;
        session.expires = Some(self.now + LIFETIME.0);
        Ok(Accepted::Done)
    }
}

type Expect = Result<Accepted, Rejected>;

struct World {
    house: House,
    accounts: Accounts,
    model: Model,
    /// Every token ever made, by number.
    tokens: Vec<Token>,
    /// Which of them are refresh tokens.
    refreshes: Vec<usize>,
    generations: [u32; 2],
}

fn user(n: usize) -> UserId {
    format!("@u{n}:bongsu.test").parse().expect("a user id")
}

fn device(n: usize) -> DeviceId {
    format!("D{n}").parse().expect("a device id")
}

fn actor((person, on): Place) -> Actor {
    Actor::User {
        user: user(person),
        device: device(on),
    }
}

impl World {
    async fn new() -> Self {
        let house = House::over(TestLog::empty()).await;
        let log = house.log.clone();
        let name = "bongsu.test".parse().expect("a server name");
        let mut config = Config::new(name, Registration::Open);
        config.hashing = HashingCost::LEAST;
        config.clock = Clock::new(move || log.now());
        let accounts = Accounts::new(house.lane.clone(), config).expect("a valid cost");
        let model = Model {
            now: house.log.now().0,
            ..Model::default()
        };
        let world = Self {
            house,
            accounts,
            model,
            tokens: Vec::new(),
            refreshes: Vec::new(),
            generations: [1, 1],
        };
        for n in 0..2 {
            let password = Some(password());
            let command = CreateAccount {
                user: user(n),
                password,
                session: None,
                admin: false,
            };
            let made = world
                .ask(Actor::Nobody, Command::CreateAccount(command))
                .await;
            assert_eq!(made, Ok(Accepted::Done));
        }
        world
    }

    async fn ask(&self, actor: Actor, command: Command) -> Expect {
        let request = self.house.lane.request(actor, Priority::Normal, command);
        self.house
            .lane
            .submit(request)
            .await
            .expect("the lane runs")
            .outcome
    }

    fn token(&mut self) -> usize {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&(self.tokens.len() as u64).to_le_bytes());
        self.tokens.push(Token::from_random(bytes));
        self.tokens.len() - 1
    }

    fn proof(&self, user: usize) -> Proof {
        let generation = self.generations[user];
        Proof {
            generation,
            matched: true,
            address: "192.0.2.1".into(),
        }
    }

    /// Does one step; gives what the model and the domain say.
    async fn step(&mut self, step: Step) -> (Expect, Expect) {
        match step {
            Step::SignIn {
                user,
                device,
                refresh,
            } => self.sign_in((user, device), refresh).await,
            Step::Refresh { back, .. } => self.refresh(back).await,
            Step::SignOut {
                user: person,
                device: on,
            } => {
                let place = (person, on);
                let command = SignOut {
                    user: user(person),
                    device: device(on),
                };
                let expect = self.model.may_ask(place);
                if expect.is_ok() {
                    self.model.sessions.remove(&place);
                }
                (
                    done(expect),
                    self.ask(actor(place), Command::SignOut(command)).await,
                )
            }
            Step::SignOutEverywhere {
                user: person,
                device: on,
            } => {
                let command = SignOutEverywhere { user: user(person) };
                let expect = self.model.may_ask((person, on));
                if expect.is_ok() {
                    self.model.sessions.retain(|(owner, _), _| *owner != person);
                }
                let command = Command::SignOutEverywhere(command);
                (done(expect), self.ask(actor((person, on)), command).await)
            }
            Step::DeleteDevice {
                user: person,
                device: on,
                other,
            } => {
                let proof = Some(self.proof(person));
                let command = DeleteDevices {
                    user: user(person),
                    devices: vec![device(other)],
                    proof,
                };
                let expect = self.model.may_ask((person, on));
                if expect.is_ok() {
                    self.model.sessions.remove(&(person, other));
                }
                let command = Command::DeleteDevices(command);
                (done(expect), self.ask(actor((person, on)), command).await)
            }
            Step::SetPassword { user, device } => self.set_password((user, device)).await,
            Step::Pass { minutes } => {
                self.house.log.pass(Millis::minutes(minutes));
                self.model.now += Millis::minutes(minutes).0;
                (Ok(Accepted::Done), Ok(Accepted::Done))
            }
        }
    }

    async fn sign_in(&mut self, place: Place, refresh: bool) -> (Expect, Expect) {
        let access = self.token();
        let current = refresh.then(|| self.token());
        self.refreshes.extend(current);
        let command = SignIn {
            user: user(place.0),
            proof: self.proof(place.0),
            session: NewSession {
                device: device(place.1),
                display_name: None,
                access: self.tokens[access].hash(),
                access_lifetime: refresh.then_some(LIFETIME),
                refresh: current.map(|n| self.tokens[n].hash()),
                address: "192.0.2.1".into(),
            },
        };
        let expires = refresh.then_some(self.model.now + LIFETIME.0);
        let session = Session {
            access,
            expires,
            current,
            previous: None,
        };
        self.model.sessions.insert(place, session);
        (
            Ok(Accepted::Done),
            self.ask(Actor::Nobody, Command::SignIn(command)).await,
        )
    }

    async fn refresh(&mut self, back: usize) -> (Expect, Expect) {
        let Some(presented) = self.refreshes.iter().rev().nth(back).copied() else {
            return (Ok(Accepted::Done), Ok(Accepted::Done));
        };
        let (access, refresh) = (self.token(), self.token());
        self.refreshes.push(refresh);
        let command = Refresh {
            presented: self.tokens[presented].hash(),
            access: self.tokens[access].hash(),
            access_lifetime: LIFETIME,
            refresh: self.tokens[refresh].hash(),
            address: "192.0.2.1".into(),
        };
        let expect = self.model.refresh(presented, access, refresh);
        (
            expect,
            self.ask(Actor::Nobody, Command::Refresh(command)).await,
        )
    }

    async fn set_password(&mut self, place: Place) -> (Expect, Expect) {
        let command = SetPassword {
            user: user(place.0),
            proof: Some(self.proof(place.0)),
            password: password(),
            logout_devices: true,
        };
        let expect = self.model.may_ask(place);
        if expect.is_ok() {
            self.generations[place.0] += 1;
            self.model
                .sessions
                .retain(|other, _| other.0 != place.0 || *other == place);
        }
        (
            done(expect),
            self.ask(actor(place), Command::SetPassword(command)).await,
        )
    }

    /// Presents every token ever made as an access token.
    async fn check(&mut self) -> Result<(), TestCaseError> {
        for (n, token) in self.tokens.iter().enumerate() {
            let mut sessions = self.model.sessions.iter_mut();
            let expect = match sessions.find(|(_, session)| session.access == n) {
                None => Err(AuthError::Unknown),
                Some((_, session)) if session.expires.is_some_and(|at| at <= self.model.now) => {
                    Err(AuthError::Expired)
                }
                Some((place, session)) => {
                    session.previous = None;
                    Ok(Caller {
                        user: user(place.0),
                        device: device(place.1),
                    })
                }
            };
            let found = self.accounts.authenticate(token.reveal()).await;
            prop_assert_eq!(found, expect, "token {}", n);
        }
        Ok(())
    }
}

fn done(allowed: Result<(), Rejected>) -> Expect {
    allowed.map(|()| Accepted::Done)
}

fn password() -> bongsu_identity::PasswordHash {
    bongsu_identity::PasswordHash::from_phc("$argon2id$any".into())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_revoked_token_authenticates_and_every_live_one_does(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in steps {
                let (expect, found) = world.step(step.clone()).await;
                prop_assert_eq!(found, expect, "{:?}", step);
                if !matches!(step, Step::Refresh { lost: true, .. }) {
                    world.check().await?;
                }
            }
            world.house.close().await;
            Ok(())
        })?;
    }
}
