//! People who sign up, sign in and out, change their passwords and show themselves differently.

use crate::Dice;
use crate::workload::{Asked, Settled, Told, Workload};
use bongsu_base::{DeviceId, Millis, Seq, UserId};
use bongsu_identity::{
    Accepted, Command, ConfirmRefresh, CreateAccount, Deactivate, DeleteDevices, Effect, Identity,
    NewSession, PasswordHash, Proof, Refresh, RenameDevice, SetPassword, SetProfile, SignIn,
    SignOut, SignOutEverywhere, TokenHash,
};
use bongsu_lane::{Actor, Priority};
use std::collections::{BTreeMap, BTreeSet};

const PEOPLE: usize = 5;
const FIELDS: [&str; 3] = ["displayname", "avatar_url", "town"];

/// What a field of a profile is set to, if it is there.
type Value = Option<String>;

/// What the clients know of one another.
pub struct People {
    /// Tokens made so far.
    tokens: u64,
    /// The last refresh token that somebody was given.
    refresh: Vec<u64>,
    /// How often the password of each was changed, as far as was heard.
    generations: [u32; PEOPLE],
    deactivated: BTreeSet<UserId>,
}

fn user(n: usize) -> UserId {
    let id = format!("@person{n}:bongsu.test");
    id.parse().expect("a well-formed id")
}

fn device(n: usize) -> DeviceId {
    format!("DEVICE{n}").parse().expect("a well-formed id")
}

fn hash(token: u64) -> TokenHash {
    TokenHash::of(&format!("token {token}"))
}

fn password(dice: &mut Dice) -> PasswordHash {
    PasswordHash::from_phc(format!("$argon2id$v=19$simulated${}", dice.u64(..)))
}

fn address(dice: &mut Dice) -> String {
    format!("192.0.2.{}", dice.u32(0..3))
}

impl People {
    fn token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    fn session(&mut self, dice: &mut Dice) -> NewSession {
        let lasts = dice.bool();
        let refresh = lasts.then(|| self.token());
        self.refresh.extend(refresh);
        NewSession {
            device: device(dice.usize(0..3)),
            display_name: dice.bool().then(|| "a telephone".to_owned()),
            access: hash(self.token()),
            access_lifetime: lasts.then(|| Millis::seconds(dice.i64(1..60))),
            refresh: refresh.map(hash),
            address: address(dice),
        }
    }

    /// Mostly what a gateway would find now, sometimes a wrong password.
    fn proof(&self, n: usize, dice: &mut Dice) -> Proof {
        Proof {
            generation: self.generations[n],
            matched: dice.u32(0..4) > 0,
            address: address(dice),
        }
    }

    fn command(&mut self, n: usize, dice: &mut Dice) -> Command {
        let user = user(n);
        match dice.u32(0..20) {
            0..=3 => Command::CreateAccount(CreateAccount {
                user,
                password: (dice.u32(0..8) > 0).then(|| password(dice)),
                session: dice.bool().then(|| self.session(dice)),
                admin: dice.u32(0..10) == 0,
            }),
            4..=7 => Command::SignIn(SignIn {
                user,
                proof: self.proof(n, dice),
                session: self.session(dice),
            }),
            8 => {
                let presented = dice.choice(&self.refresh).copied().unwrap_or_default();
                let (access, refresh) = (self.token(), self.token());
                self.refresh.push(refresh);
                Command::Refresh(Refresh {
                    presented: hash(presented),
                    access: hash(access),
                    access_lifetime: Millis::seconds(30),
                    refresh: hash(refresh),
                    address: address(dice),
                })
            }
            // The access token of a refresh has the number before its refresh token's.
            9 => {
                let refresh = dice.choice(&self.refresh).copied().unwrap_or_default();
                let access = hash(refresh.saturating_sub(1));
                Command::ConfirmRefresh(ConfirmRefresh { access })
            }
            10 => Command::SignOut(SignOut {
                user,
                device: device(dice.usize(0..3)),
            }),
            11 => Command::SignOutEverywhere(SignOutEverywhere { user }),
            12 | 13 => Command::SetPassword(SetPassword {
                user,
                proof: dice.bool().then(|| self.proof(n, dice)),
                password: password(dice),
                logout_devices: dice.bool(),
            }),
            14..=16 => Command::SetProfile(SetProfile {
                user,
                field: FIELDS[dice.usize(0..FIELDS.len())].to_owned(),
                value: (dice.u32(0..5) > 0).then(|| format!("\"{}\"", dice.u32(0..10))),
            }),
            17 => Command::RenameDevice(RenameDevice {
                user,
                device: device(dice.usize(0..3)),
                display_name: Some("a tablet".to_owned()),
            }),
            18 => Command::DeleteDevices(DeleteDevices {
                user,
                devices: vec![device(0), device(1)],
                proof: Some(self.proof(n, dice)),
            }),
            _ => Command::Deactivate(Deactivate {
                user,
                proof: Some(self.proof(n, dice)),
                erase: dice.bool(),
            }),
        }
    }
}

impl Workload for People {
    type Domain = Identity;

    fn new(_dice: &mut Dice, _clients: usize) -> Self {
        Self {
            tokens: 0,
            refresh: Vec::new(),
            generations: [1; PEOPLE],
            deactivated: BTreeSet::new(),
        }
    }

    fn next(&mut self, _client: usize, dice: &mut Dice) -> Asked<Command> {
        let n = dice.usize(0..PEOPLE);
        let command = self.command(n, dice);
        let actor = match (&command, dice.u32(0..3)) {
            (Command::SignIn(_) | Command::Refresh(_) | Command::ConfirmRefresh(_), _) => {
                Actor::Nobody
            }
            (Command::CreateAccount(_), 1..) => Actor::Nobody,
            (_, 0) => Actor::Operator,
            _ => Actor::User {
                user: user(n),
                device: device(dice.usize(0..3)),
            },
        };
        Asked {
            actor,
            priority: Priority::Vital,
            command,
        }
    }

    fn heard(&mut self, _client: usize, told: &Told<Identity>) {
        if let (Command::SetPassword(command), Ok(Accepted::Done)) = (&told.command, &told.outcome)
        {
            for n in 0..PEOPLE {
                self.generations[n] += u32::from(user(n) == command.user);
            }
        }
    }

    fn effect(&mut self, effect: &Effect, dice: &mut Dice) -> Result<(), String> {
        if dice.u32(0..4) == 0 {
            return Err("the other domain does not answer".into());
        }
        if let Effect::Deactivated { user, .. } = effect {
            self.deactivated.insert(user.clone());
        }
        Ok(())
    }

    fn check(&self, settled: &Settled<'_, Identity>) -> Result<(), String> {
        let mut expected = Expected::default();
        for told in settled.told {
            if told.outcome == Ok(Accepted::Done) {
                expected.done(told)?;
            }
        }
        expected.compare(settled, &self.deactivated)
    }
}

/// What must stand in the view after everything that was done.
#[derive(Default)]
struct Expected {
    made: BTreeSet<UserId>,
    /// How many passwords each account has had; some were told of before the account itself.
    accounts: BTreeMap<UserId, u32>,
    deactivated: BTreeSet<UserId>,
    /// Tokens that may stand there.
    tokens: BTreeSet<TokenHash>,
    /// For each field of a profile the last entry that set it, and to what; `None` where two in one
    /// entry did, whose order only the log knows.
    fields: BTreeMap<(UserId, String), (Seq, Option<Value>)>,
}

impl Expected {
    fn done(&mut self, told: &Told<Identity>) -> Result<(), String> {
        match &told.command {
            Command::CreateAccount(command) => {
                if !self.made.insert(command.user.clone()) {
                    return Err(format!("{} was made twice", command.user));
                }
                *self.accounts.entry(command.user.clone()).or_default() += 1;
                self.tokens
                    .extend(command.session.as_ref().map(|session| session.access));
            }
            Command::SignIn(command) => {
                self.tokens.insert(command.session.access);
            }
            Command::Refresh(command) => {
                self.tokens.insert(command.access);
            }
            Command::SetPassword(command) => {
                *self.accounts.entry(command.user.clone()).or_default() += 1;
            }
            Command::SetProfile(command) => {
                let key = (command.user.clone(), command.field.clone());
                let value = Some(command.value.clone());
                let slot = self.fields.entry(key).or_insert((Seq::ZERO, None));
                if told.seq == slot.0 {
                    slot.1 = None;
                } else if told.seq > slot.0 {
                    *slot = (told.seq, value);
                }
            }
            Command::Deactivate(command) => {
                self.deactivated.insert(command.user.clone());
            }
            _ => {}
        }
        Ok(())
    }

    fn compare(
        &self,
        settled: &Settled<'_, Identity>,
        announced: &BTreeSet<UserId>,
    ) -> Result<(), String> {
        let db = settled.view.db();
        let sql = |error: rusqlite::Error| error.to_string();
        let mut accounts = BTreeMap::new();
        let mut gone = BTreeSet::new();
        let query = "SELECT user, generation, deactivated IS NOT NULL FROM account ORDER BY user";
        let mut statement = db.prepare(query).map_err(sql)?;
        let mut rows = statement.query(()).map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let user: String = row.get(0).map_err(sql)?;
            let user: UserId = user.parse().map_err(|_| "a malformed id".to_owned())?;
            if row.get(2).map_err(sql)? {
                gone.insert(user.clone());
            }
            accounts.insert(user, row.get(1).map_err(sql)?);
        }
        if accounts != self.accounts {
            return Err(format!("told of {:?}, found {accounts:?}", self.accounts));
        }
        if gone != self.deactivated || gone != *announced {
            return Err(format!(
                "told that {:?} are gone, found {gone:?}, announced {announced:?}",
                self.deactivated
            ));
        }
        let mut statement = db
            .prepare("SELECT hash FROM access_token ORDER BY hash")
            .map_err(sql)?;
        let hashes = statement
            .query_map((), |row| row.get::<_, Vec<u8>>(0))
            .map_err(sql)?;
        for hash in hashes {
            let hash = hash.map_err(sql)?;
            if !self.tokens.iter().any(|token| token.as_bytes()[..] == hash) {
                return Err("a token opens an account that nobody was given".into());
            }
        }
        let query = "SELECT value FROM profile WHERE user = ?1 AND field = ?2";
        let mut statement = db.prepare(query).map_err(sql)?;
        for ((user, field), (_, value)) in &self.fields {
            let mut rows = statement.query((user.as_str(), field)).map_err(sql)?;
            let found: Option<String> = match rows.next().map_err(sql)? {
                Some(row) => row.get(0).map_err(sql)?,
                None => None,
            };
            let open = value.as_ref().filter(|_| !gone.contains(user));
            if open.is_some_and(|value| *value != found) {
                return Err(format!(
                    "{user}'s {field} is {found:?}, the last told was {value:?}"
                ));
            }
        }
        Ok(())
    }
}
