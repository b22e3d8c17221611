//! The gateway's side of identity: what must happen before a command is appended, and the traits by
//! which other domains ask about people.

use crate::Identity;
use crate::command::{
    Accepted, Act, Administer, Command, ConfirmRefresh, NewSession, Proof, Rejected,
};
use crate::config::Config;
use crate::password::{Busy, CostError, Pool};
use crate::query::{self, Holder, Restricted};
use crate::recent::Recent;
use crate::secret::{PasswordHash, Token, TokenHash};
use async_trait::async_trait;
use bongsu_base::{DeviceId, IdError, Millis, RecordId, UserId};
use bongsu_lane::{Actor, Lane, Priority, ReadError, ReadView, SubmitError};
use bongsu_web_kit::admin::Operator;
use bongsu_web_kit::{AuthError, Authenticate, Caller, People, Profile, Standing};
use data_encoding::HEXLOWER;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

/// The longest password, in bytes.
const MAX_PASSWORD: usize = 512;
/// When to come back while tokens cannot be looked up.
const SOON: Duration = Duration::from_secs(1);

/// Why something could not be done for an account.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The rules say no.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// Nobody knows yet, or the platform is busy.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The view could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Too many passwords wait to be hashed.
    #[error("too many are signing in at the moment; try again in a few seconds")]
    Busy,
    /// Too many wrong passwords were tried.
    #[error("too many wrong passwords; try again later")]
    Locked {
        /// How long that lasts.
        retry_after: Millis,
    },
    /// The user name has characters that a user name does not have.
    #[error("a user name has the characters a-z, 0-9, `.`, `_`, `=`, `-`, `/` and `+` alone")]
    NameCharacters,
    /// The user name cannot be part of a user id.
    #[error(transparent)]
    Name(#[from] IdError),
    /// The password is empty or too long.
    #[error("a password has 1 to {MAX_PASSWORD} bytes")]
    Password,
    /// A command of the operator's was denied, which the rules do not do.
    #[error("the platform has a defect in handling this")]
    Defect,
}

impl From<Busy> for AccountError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// The tokens of a session that begins or goes on, for the client.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub access: Token,
    pub refresh: Option<Token>,
    /// How long the access token lasts.
    pub lifetime: Option<Millis>,
}

/// What a client asks of the session that it begins.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// The device to use again, or `None` for a new one.
    pub device: Option<DeviceId>,
    pub display_name: Option<String>,
    /// Whether the client can refresh its tokens.
    pub refresh: bool,
}

/// The accounts of this installation, as a gateway handles them.
#[derive(Clone)]
pub struct Accounts {
    lane: Lane<Identity>,
    config: Arc<Config>,
    pool: Arc<Pool>,
    recent: Arc<Lookups>,
}

/// What is looked up with nearly every request.
#[derive(Default)]
struct Lookups {
    holders: Recent<TokenHash, (Holder, Restricted)>,
    standings: Recent<UserId, Standing>,
}

impl Accounts {
    /// The accounts in `lane`.
    ///
    /// # Errors
    /// When passwords cannot be hashed at the configured cost.
    pub fn new(lane: Lane<Identity>, config: Config) -> Result<Self, CostError> {
        let pool = Pool::new(
            config.hashing,
            config.hashing_at_once,
            config.hashing_waiting,
        )?;
        Ok(Self {
            lane,
            config: Arc::new(config),
            pool: Arc::new(pool),
            recent: Arc::default(),
        })
    }

    /// Makes an account as the operator.
    ///
    /// # Errors
    /// When the name is taken or not a name, the password has a wrong length, or the platform is busy.
    pub async fn create(
        &self,
        localpart: &str,
        password: &str,
        admin: bool,
    ) -> Result<UserId, AccountError> {
        let user = self.new_user(localpart)?;
        let act = Act::CreateAccount {
            user: user.clone(),
            password: self.hash(password).await?,
            admin,
        };
        self.administer(Operator::default(), None, act).await?;
        Ok(user)
    }

    /// Gives an account a new password as the operator, and ends its sessions if `sign_out`.
    ///
    /// # Errors
    /// When there is no such account, the password has a wrong length, or the platform is busy.
    pub async fn reset_password(
        &self,
        user: &UserId,
        password: &str,
        sign_out: bool,
    ) -> Result<(), AccountError> {
        let act = Act::SetPassword {
            user: user.clone(),
            password: self.hash(password).await?,
            sign_out,
        };
        self.administer(Operator::default(), None, act).await
    }

    /// Does what an operator asks for: an administrator, or whoever runs the installation.
    ///
    /// # Errors
    /// When the rules say no, or the platform is busy.
    pub async fn administer(
        &self,
        operator: Operator,
        reason: Option<String>,
        act: Act,
    ) -> Result<(), AccountError> {
        let actor = operator.actor();
        let by = operator.by;
        let command = Command::Administer(Administer { by, reason, act });
        match self.ask(actor, Priority::Vital, command).await? {
            Accepted::Done => Ok(()),
            Accepted::Denied(_) | Accepted::Reused | Accepted::Oauth(_) | Accepted::SignedIn(_) => {
                Err(AccountError::Defect)
            }
        }
    }

    /// The lane.
    #[must_use]
    pub const fn lane(&self) -> &Lane<Identity> {
        &self.lane
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// Submits a command and gives what the rules say.
    pub(crate) async fn ask(
        &self,
        actor: Actor,
        priority: Priority,
        command: Command,
    ) -> Result<Accepted, AccountError> {
        let request = self.lane.request(actor, priority, command);
        Ok(self.lane.submit(request).await?.outcome?)
    }

    /// Asks under an id under which others may ask the same: whoever is first in the log is carried out.
    pub(crate) async fn ask_as(
        &self,
        id: RecordId,
        actor: Actor,
        priority: Priority,
        command: Command,
    ) -> Result<Accepted, AccountError> {
        let mut request = self.lane.request(actor, priority, command);
        request.id = id;
        Ok(self.lane.submit(request).await?.outcome?)
    }

    /// Whether the refresh token with this hash was ever given out, as far as is remembered.
    pub(crate) async fn was_given(&self, refresh: &TokenHash) -> Result<bool, ReadError> {
        self.read(|view| query::was_given(view, refresh)).await
    }

    pub(crate) async fn read<T>(
        &self,
        look: impl FnOnce(&ReadView<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, ReadError> {
        self.lane.read(look).await
    }

    /// The id of a new account with this name (Matrix v1.19, appendices, user identifiers).
    pub(crate) fn new_user(&self, localpart: &str) -> Result<UserId, AccountError> {
        let allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._=-/+".contains(c);
        if localpart.is_empty() || !localpart.chars().all(allowed) {
            return Err(AccountError::NameCharacters);
        }
        Ok(UserId::new(localpart, &self.config.server_name)?)
    }

    /// The account that a person means who signs in as `name`: a user id or its localpart, in upper or
    /// lower case. `None` when it cannot be one of this installation.
    pub(crate) fn meant(&self, name: &str) -> Option<UserId> {
        let name = name.trim();
        let local = match name.strip_prefix('@') {
            Some(rest) => {
                let (local, server) = rest.split_once(':')?;
                (server == self.config.server_name.as_str()).then_some(local)?
            }
            None => name,
        };
        self.new_user(&local.to_ascii_lowercase()).ok()
    }

    /// Hashes a new password.
    pub(crate) async fn hash(&self, password: &str) -> Result<PasswordHash, AccountError> {
        if password.is_empty() || password.len() > MAX_PASSWORD {
            return Err(AccountError::Password);
        }
        Ok(self
            .pool
            .hash(password.to_owned(), self.lane.random())
            .await?)
    }

    /// Verifies a password, unless the account or the network is locked. What was found must reach the
    /// rules also when it is wrong, to be counted.
    pub(crate) async fn prove(
        &self,
        user: &UserId,
        password: String,
        address: &str,
    ) -> Result<Proof, AccountError> {
        let now = self.config.clock.now();
        let state = self
            .read(|view| query::sign_in_state(view, user, address, now))
            .await?;
        if let Some(retry_after) = state.locked {
            return Err(AccountError::Locked { retry_after });
        }
        let matched = self.pool.verify(password, state.password).await?;
        Ok(Proof {
            generation: state.generation,
            matched,
            address: address.to_owned(),
        })
    }

    /// Makes up the tokens of a new session.
    pub(crate) fn begin(&self, wanted: Wanted, address: &str) -> (Tokens, NewSession) {
        let lifetime = wanted.refresh.then_some(self.config.access_token_lifetime);
        let tokens = Tokens {
            access: Token::fresh(&self.lane),
            refresh: wanted.refresh.then(|| Token::fresh(&self.lane)),
            lifetime,
        };
        let session = NewSession {
            device: wanted.device.unwrap_or_else(|| self.new_device()),
            display_name: wanted.display_name,
            access: tokens.access.hash(),
            access_lifetime: lifetime,
            refresh: tokens.refresh.as_ref().map(Token::hash),
            address: address.to_owned(),
        };
        (tokens, session)
    }

    /// Makes up the token of a guest's session, which lasts as long as the guest.
    pub(crate) fn begin_guest(&self, name: Option<String>, address: &str) -> (Token, NewSession) {
        let access = Token::for_guest(&self.lane);
        let session = NewSession {
            device: self.new_device(),
            display_name: name,
            access: access.hash(),
            access_lifetime: None,
            refresh: None,
            address: address.to_owned(),
        };
        (access, session)
    }

    /// Ten random capital letters: 47 bits, apart within one account.
    pub(crate) fn new_device(&self) -> DeviceId {
        let letters = self
            .lane
            .random::<10>()
            .map(|byte| char::from(b'A' + byte % 26));
        let text: String = letters.iter().collect();
        text.parse().expect("ten letters are a device id")
    }
}

#[async_trait]
impl Authenticate for Accounts {
    async fn authenticate(&self, token: &str) -> Result<Caller, AuthError> {
        self.admit(token, false).await
    }

    async fn authenticate_locked(&self, token: &str) -> Result<Caller, AuthError> {
        self.admit(token, true).await
    }

    async fn standing(&self, user: &UserId) -> Result<Standing, AuthError> {
        let look = |view: &ReadView<'_>| {
            let guest = query::is_guest(view, user)?;
            let found = query::listed(view, user)?;
            Ok(found.map(|account| Standing {
                admin: account.admin,
                suspended: account.suspended,
                guest,
            }))
        };
        let found = self.look(&self.recent.standings, user, look).await;
        let found = found.map_err(|error| unavailable(&error))?;
        Ok(found.unwrap_or_default())
    }
}

fn unavailable(error: &ReadError) -> AuthError {
    tracing::warn!(%error, "a token cannot be looked up");
    AuthError::Unavailable { retry_after: SOON }
}

impl Accounts {
    /// What `recent` remembers of `asked`, or what `look` finds, if there is something.
    async fn look<K: Eq + Hash + Clone, V: Clone>(
        &self,
        recent: &Recent<K, V>,
        asked: &K,
        look: impl FnOnce(&ReadView<'_>) -> rusqlite::Result<Option<V>>,
    ) -> Result<Option<V>, ReadError> {
        let at = self.lane.progress().chain.seq;
        if let Some(answer) = recent.get(at, asked) {
            return Ok(Some(answer));
        }
        let answer = self.read(look).await?;
        // What there is not is not remembered: whoever makes tokens up could ask for any number of them.
        if let Some(answer) = &answer {
            recent.put(at, asked.clone(), answer.clone());
        }
        Ok(answer)
    }

    /// Writes down that the tokens of a refresh have arrived, before the first use of the access token is answered.
    /// Where nothing can be written the token is good all the same, and so is the refresh token before it.
    async fn confirm(&self, access: TokenHash) -> Result<(), AuthError> {
        let id = RecordId::named(&["confirm refresh"], &HEXLOWER.encode(access.as_bytes()));
        let command = Command::ConfirmRefresh(ConfirmRefresh { access });
        let asked = self.ask_as(id, Actor::Nobody, Priority::Vital, command);
        match asked.await {
            Ok(_) => Ok(()),
            // Another refresh was faster: this pair is the one that nobody has used.
            Err(AccountError::Rejected(_)) => Err(AuthError::Unknown),
            Err(error) => {
                tracing::debug!(%error, "that a refresh has arrived cannot be written down yet");
                Ok(())
            }
        }
    }

    /// Whose token it is, unless the account is locked and that matters.
    async fn admit(&self, token: &str, locked: bool) -> Result<Caller, AuthError> {
        let hash = TokenHash::of(token);
        let look = |view: &ReadView<'_>| {
            let Some(holder) = query::holder(view, &hash)? else {
                return Ok(None);
            };
            let restricted = query::restricted(view, &holder.user)?;
            Ok(Some((holder, restricted)))
        };
        let found = self.look(&self.recent.holders, &hash, look).await;
        let found = found.map_err(|error| unavailable(&error))?;
        let (holder, restricted) = found.ok_or(AuthError::Unknown)?;
        if holder
            .expires
            .is_some_and(|expires| expires <= self.config.clock.now())
        {
            return Err(AuthError::Expired);
        }
        if restricted.locked && !locked {
            return Err(AuthError::Locked);
        }
        if holder.unconfirmed {
            self.confirm(hash).await?;
        }
        Ok(Caller {
            user: holder.user,
            device: holder.device,
        })
    }
}

#[async_trait]
impl People for Accounts {
    async fn profile(&self, user: &UserId) -> Result<Option<Profile>, ReadError> {
        let fields = self.read(|view| query::profile(view, user)).await?;
        Ok(fields.map(|fields| {
            let text = |name: &str| {
                let (_, json) = fields.iter().find(|(field, _)| field == name)?;
                serde_json::from_str(json).ok()
            };
            Profile {
                displayname: text("displayname"),
                avatar_url: text("avatar_url"),
            }
        }))
    }
}
