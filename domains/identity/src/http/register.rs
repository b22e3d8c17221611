//! `POST /register`: making an account.

use super::address::Address;
use super::began::Began;
use super::interactive::challenge;
use super::{Api, ids};
use crate::accounts::{Tokens, Wanted};
use crate::command::{Accepted, Command, CreateAccount, NewSession, Rejected, SetPassword, SignIn};
use crate::config::Registration;
use crate::query;
use crate::secret::PasswordHash;
use axum::Json;
use axum::extract::State;
use bongsu_base::{RecordId, UserId};
use bongsu_lane::{Actor, Priority};
use bongsu_web_kit::matrix::{Matrix, MatrixError};
use bongsu_web_kit::stands_for;
use bongsu_web_kit::{AuthError, Authenticate};
use data_encoding::HEXLOWER;
use http::StatusCode;
use ruma::OwnedDeviceId;
use ruma::api::IncomingRequest;
use ruma::api::auth_scheme::NoAccessToken;
use ruma::api::client::account::register::v3::{Request, Response};
use ruma::api::client::uiaa::{AuthData, AuthType};
use ruma::api::error::{DeserializationError, ErrorKind};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

/// What the sessions here are begun for.
const OPERATION: &str = "POST /register";
/// How often an account may be refused in one session.
const TIMES: u32 = 16;

/// The request as it came: what a client leaves out of it stands in the one by which it began its session.
pub struct Registering {
    kind: Option<String>,
    body: Map<String, Value>,
}

stands_for!(Registering, Request, NoAccessToken);

impl IncomingRequest for Registering {
    type EndpointError = <Request as IncomingRequest>::EndpointError;
    type OutgoingResponse = Response;

    fn try_from_http_request_inner(
        request: http::Request<&[u8]>,
        _: &[&str],
    ) -> Result<Self, DeserializationError> {
        let query = request.uri().query().unwrap_or_default();
        let mut kinds = query
            .split('&')
            .filter_map(|pair| pair.strip_prefix("kind="));
        Ok(Self {
            kind: kinds.next().map(str::to_owned),
            body: serde_json::from_slice(request.body())?,
        })
    }
}

/// What a client wishes of its account.
#[derive(Deserialize)]
struct Wishes {
    username: Option<String>,
    password: Option<String>,
    device_id: Option<OwnedDeviceId>,
    initial_device_display_name: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    inhibit_login: bool,
    #[serde(default)]
    refresh_token: bool,
    #[serde(rename = "type")]
    login_type: Option<String>,
    guest_access_token: Option<String>,
}

/// A flag, also as a number.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Bool(bool),
        Number(u8),
    }
    Ok(match Flag::deserialize(deserializer)? {
        Flag::Bool(set) => set,
        Flag::Number(number) => number != 0,
    })
}

fn parsed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, MatrixError> {
    serde_json::from_value(value).map_err(|error| MatrixError::bad_json(error.to_string()))
}

pub async fn handle(
    State(api): State<Api>,
    Address(address): Address,
    Matrix {
        request: Registering { kind, mut body },
        ..
    }: Matrix<Registering>,
) -> Result<Json<Value>, MatrixError> {
    let guest = is_for_guests(kind.as_deref())?;
    let auth = body.remove("auth").filter(|auth| !auth.is_null());
    let auth: Option<AuthData> = auth.map(parsed).transpose()?;
    let name = auth.as_ref().and_then(AuthData::session);
    let mut began = name.map(|name| api.began(OPERATION, name)).transpose()?;
    let mut asked = body.clone();
    for (wish, value) in began
        .iter_mut()
        .flat_map(|began| std::mem::take(&mut began.wishes))
    {
        asked.entry(wish).or_insert(value);
    }
    let wishes: Wishes = parsed(Value::Object(asked.clone()))?;
    admit(&api, guest, &wishes)?;
    if guest {
        return make_guest(&api, wishes, &address).await;
    }
    let grown = match &wishes.guest_access_token {
        Some(token) => grown_guest(&api, token, &wishes, began.is_some()).await?,
        None => None,
    };
    let user = match &grown {
        Some(guest) => guest.clone(),
        None => new_name(&api, wishes.username.as_deref(), began.as_ref())?,
    };
    let confirmed = confirm(&api, &asked, auth.as_ref());
    // A name that is taken may be the one that was made in this session: the rules know.
    let known_later = grown.is_some() || (began.is_some() && confirmed.is_ok());
    if !known_later && !is_free(&api, &user).await? {
        return Err(Rejected::UserInUse.into());
    }
    confirmed?;
    let made = if grown.is_some() {
        grow(&api, &user, &wishes, (began.as_ref(), &address)).await?
    } else {
        make(&api, &user, &wishes, (began.as_ref(), &address)).await?
    };
    match made {
        Made::Now(answer) => Ok(answer),
        Made::Before if is_free(&api, &user).await? => Err(MatrixError::forbidden(
            "an account was made in this session; begin another one for another account",
        )),
        // What is in the session opens nothing a second time.
        Made::Before => {
            let told: Wishes = parsed(Value::Object(body))?;
            told.password()?;
            sign_in(&api, &user, &wishes, &address).await
        }
    }
}

/// Whether an account of this kind is a guest's.
fn is_for_guests(kind: Option<&str>) -> Result<bool, MatrixError> {
    match kind {
        None | Some("user") => Ok(false),
        Some("guest") => Ok(true),
        Some(kind) => Err(MatrixError::new(
            StatusCode::BAD_REQUEST,
            ErrorKind::Unrecognized,
            format!("there are accounts of kind `user` and `guest`, and none of kind `{kind}`"),
        )),
    }
}

/// What became of an account.
enum Made {
    /// It was made, and this is the answer.
    Now(Json<Value>),
    /// Something was made in this session before, perhaps it.
    Before,
}

impl Wishes {
    /// Whether this may have been asked for when `user` was made.
    fn is_of(&self, api: &Api, user: &UserId) -> bool {
        let name = self.username.as_deref();
        name.is_none_or(|name| api.accounts.meant(name).as_ref() == Some(user))
    }

    fn password(&self) -> Result<&str, MatrixError> {
        self.password.as_deref().ok_or_else(|| {
            MatrixError::new(
                StatusCode::BAD_REQUEST,
                ErrorKind::MissingParam,
                "`password` is missing",
            )
        })
    }

    /// The session that is wished, if one is.
    fn begin(&self, api: &Api, address: &str) -> Result<Option<(Tokens, NewSession)>, MatrixError> {
        if self.inhibit_login {
            return Ok(None);
        }
        let wanted = Wanted {
            device: self.device_id.as_deref().map(ids::device).transpose()?,
            display_name: self.initial_device_display_name.clone(),
            refresh: self.refresh_token,
        };
        Ok(Some(api.accounts.begin(wanted, address)))
    }
}

async fn make(
    api: &Api,
    user: &UserId,
    wishes: &Wishes,
    (began, address): (Option<&Began>, &str),
) -> Result<Made, MatrixError> {
    let password = wishes.password()?;
    let begun = wishes.begin(api, address)?;
    let password = api.accounts.hash(password).await?;
    let (tokens, session) = begun.unzip();
    let answer = answer(api, user, session.as_ref(), tokens);
    let command = Command::CreateAccount(CreateAccount {
        user: user.clone(),
        password: Some(password.clone()),
        session,
        admin: false,
    });
    once(api, began, Actor::Nobody, command).await?;
    if has(api, user, &password).await? {
        return Ok(Made::Now(answer));
    }
    Ok(Made::Before)
}

/// Asks in a session's name, so that it makes one account: what was done in it before is what is done. What was
/// refused in it leaves it open.
async fn once(
    api: &Api,
    began: Option<&Began>,
    actor: Actor,
    command: Command,
) -> Result<(), MatrixError> {
    let lane = api.accounts.lane();
    for time in 0..TIMES {
        let mut request = lane.request(actor.clone(), Priority::Vital, command.clone());
        if let Some(began) = began {
            request.id = RecordId::named(&["register", &began.name], &time.to_string());
        }
        let decision = lane.submit(request).await?;
        match decision.outcome {
            Ok(Accepted::Done) => return Ok(()),
            Ok(_) => {
                return Err(MatrixError::internal(
                    "an account was neither made nor refused",
                ));
            }
            Err(_) if decision.repeated => {}
            Err(rejected) => return Err(rejected.into()),
        }
    }
    Err(MatrixError::forbidden(
        "too much was refused in this session; begin another one",
    ))
}

/// Whether this is the account's password. Each has a salt of its own, so that it tells who made the account.
async fn has(api: &Api, user: &UserId, password: &PasswordHash) -> Result<bool, MatrixError> {
    let look = api.accounts.read(|view| query::password(view, user));
    Ok(look.await?.as_ref() == Some(password))
}

/// Makes an account for somebody who looks around. Without a password nobody comes back to it who lost its
/// token.
async fn make_guest(api: &Api, wishes: Wishes, address: &str) -> Result<Json<Value>, MatrixError> {
    let name = HEXLOWER.encode(&api.accounts.lane().random::<8>());
    let user = named(api, &format!("guest-{name}"))?;
    let begun = api
        .accounts
        .begin_guest(wishes.initial_device_display_name, address);
    let (access, session) = begun;
    let tokens = Tokens {
        access,
        refresh: None,
        lifetime: None,
    };
    let answer = answer(api, &user, Some(&session), Some(tokens));
    let command = Command::CreateAccount(CreateAccount {
        user,
        password: None,
        session: Some(session),
        admin: false,
    });
    let asked = api.accounts.ask(Actor::Nobody, Priority::Normal, command);
    match asked.await? {
        Accepted::Done => Ok(answer),
        _ => Err(MatrixError::internal(
            "a guest was neither made nor refused",
        )),
    }
}

/// The guest who asks for a password of their own, by the token that they have; nobody, if they ask for another
/// name, or if the token is no good any more because they were given one `again` in the same session.
async fn grown_guest(
    api: &Api,
    token: &str,
    wishes: &Wishes,
    again: bool,
) -> Result<Option<UserId>, MatrixError> {
    let caller = match (api.accounts.authenticate(token).await, &wishes.username) {
        (Err(AuthError::Unknown), Some(name))
            if again && !is_free(api, &named(api, name)?).await? =>
        {
            return Ok(None);
        }
        (caller, _) => caller?,
    };
    let look = api
        .accounts
        .read(|view| query::is_guest(view, &caller.user));
    let own = wishes.username.is_some() && wishes.is_of(api, &caller.user);
    Ok((look.await? && own).then_some(caller.user))
}

/// Gives a guest's account a password, which makes it an ordinary one. The guest's sessions end. That they may
/// was seen by their token; there is no earlier password that they could prove, as there is none for the operator.
async fn grow(
    api: &Api,
    user: &UserId,
    wishes: &Wishes,
    (began, address): (Option<&Began>, &str),
) -> Result<Made, MatrixError> {
    let password = api.accounts.hash(wishes.password()?).await?;
    let command = Command::SetPassword(SetPassword {
        user: user.clone(),
        proof: None,
        password: password.clone(),
        logout_devices: true,
    });
    once(api, began, Actor::Operator, command).await?;
    if has(api, user, &password).await? {
        return Ok(Made::Now(sign_in(api, user, wishes, address).await?));
    }
    Ok(Made::Before)
}

/// Signs in to an account that was made before. A client that asks again did not get the answer.
async fn sign_in(
    api: &Api,
    user: &UserId,
    wishes: &Wishes,
    address: &str,
) -> Result<Json<Value>, MatrixError> {
    let password = wishes.password()?.to_owned();
    let proof = api.accounts.prove(user, password, address).await?;
    let Some((tokens, session)) = wishes.begin(api, address)? else {
        return Ok(answer(api, user, None, None));
    };
    let answer = answer(api, user, Some(&session), Some(tokens));
    let command = Command::SignIn(SignIn {
        user: user.clone(),
        proof,
        session,
    });
    let asked = api.accounts.ask(Actor::Nobody, Priority::Vital, command);
    match asked.await? {
        Accepted::Done => Ok(answer),
        Accepted::Denied(denial) => Err(denial.into()),
        Accepted::Reused | Accepted::Oauth(_) | Accepted::SignedIn(_) => {
            Err(MatrixError::internal("a sign-in is no refresh"))
        }
    }
}

fn answer(
    api: &Api,
    user: &UserId,
    session: Option<&NewSession>,
    tokens: Option<Tokens>,
) -> Json<Value> {
    let mut answer = json!({
        "user_id": user.as_str(),
        // The first versions told it, and it is still read.
        "home_server": api.accounts.config().server_name.as_str(),
    });
    if let Some(session) = session {
        answer["device_id"] = session.device.as_str().into();
    }
    if let Some(tokens) = tokens {
        answer["access_token"] = tokens.access.reveal().into();
        if let Some(refresh) = tokens.refresh {
            answer["refresh_token"] = refresh.reveal().into();
        }
        if let Some(span) = tokens.lifetime {
            answer["expires_in_ms"] = span.0.into();
        }
    }
    Json(answer)
}

/// Whether such an account can be made at all.
fn admit(api: &Api, guest: bool, wishes: &Wishes) -> Result<(), MatrixError> {
    if guest && api.accounts.config().registration != Registration::Open {
        return Err(MatrixError::forbidden("this server has no guest accounts"));
    }
    if wishes.login_type.is_some() {
        return Err(MatrixError::forbidden(
            "this server has no application services",
        ));
    }
    if api.accounts.config().registration == Registration::Closed {
        return Err(MatrixError::forbidden(
            "accounts are made by the operator of this server",
        ));
    }
    Ok(())
}

/// The id that somebody has who signs up as `name`. Names that begin with `_` are kept for people of other
/// networks (Matrix v1.19, application service API).
pub fn named(api: &Api, name: &str) -> Result<UserId, MatrixError> {
    if name.starts_with('_') {
        return Err(MatrixError::new(
            StatusCode::BAD_REQUEST,
            ErrorKind::InvalidUsername,
            "a user name does not begin with `_`",
        ));
    }
    // Upper and lower case are one: people type either.
    Ok(api.accounts.new_user(&name.to_ascii_lowercase())?)
}

/// The id that the account will have, whether the person named one or not. In one session it is always the same.
fn new_name(
    api: &Api,
    username: Option<&str>,
    began: Option<&Began>,
) -> Result<UserId, MatrixError> {
    match (username, began) {
        (Some(name), _) => named(api, name),
        (None, Some(began)) => named(api, &began.name[..16]),
        (None, None) => named(api, &HEXLOWER.encode(&api.accounts.lane().random::<8>())),
    }
}

async fn is_free(api: &Api, user: &UserId) -> Result<bool, MatrixError> {
    let look = api.accounts.read(|view| query::is_free(view, user));
    Ok(look.await?)
}

/// The one stage of registering: none to speak of where it is open, the token where it needs one.
fn confirm(
    api: &Api,
    wishes: &Map<String, Value>,
    auth: Option<&AuthData>,
) -> Result<(), MatrixError> {
    let (stage, complete) = match (&api.accounts.config().registration, auth) {
        (Registration::Token(expected), auth) => {
            let complete = matches!(auth, Some(AuthData::RegistrationToken(presented))
                if same(&presented.token, expected));
            (AuthType::RegistrationToken, complete)
        }
        (Registration::Open | Registration::Closed, auth) => {
            (AuthType::Dummy, matches!(auth, Some(AuthData::Dummy(_))))
        }
    };
    if complete {
        return Ok(());
    }
    let presented = auth.filter(|auth| !matches!(auth, AuthData::FallbackAcknowledgement(_)));
    let wrong = presented.map(|_| (ErrorKind::Forbidden, "this does not complete the stage"));
    let session = auth.and_then(AuthData::session);
    Err(challenge(api, (OPERATION, wishes), stage, session, wrong))
}

/// Compares by hash, so that the time does not tell how much of it was right.
pub fn same(presented: &str, expected: &str) -> bool {
    blake3::hash(presented.as_bytes()) == blake3::hash(expected.as_bytes())
}
