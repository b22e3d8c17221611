//! One signed-in device, over plain HTTP.

use crate::TEST_PASSWORD;
use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, Method, StatusCode, Url};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// A request that gets no answer in this time counts as unanswered.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How often a request that was refused for being too many is made again.
const PATIENCE: usize = 50;

/// What became of a request.
#[derive(Debug)]
pub enum Answer {
    /// It was done.
    Done(Value),
    /// The server refused it.
    Refused(StatusCode, Value),
    /// Nobody knows: the connection ended first.
    Nothing,
}

impl Answer {
    /// What the server gave.
    ///
    /// # Errors
    /// If it refused or did not answer.
    pub fn done(self) -> Result<Value> {
        match self {
            Self::Done(body) => Ok(body),
            Self::Refused(status, body) => bail!("refused with {status}: {body}"),
            Self::Nothing => bail!("no answer"),
        }
    }
}

/// A message as `/messages` gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The event's id.
    pub id: String,
    /// The text.
    pub body: String,
    /// Who sent it.
    pub sender: String,
}

/// A device of an account, signed in at a server.
#[derive(Debug, Clone)]
pub struct Device {
    http: Client,
    base: String,
    token: Option<String>,
    user: String,
    patience: usize,
}

impl Device {
    /// Makes the account `name` and signs its first device in.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn register(base: &str, name: &str) -> Result<Self> {
        let body = json!({
            "username": name,
            "password": TEST_PASSWORD,
            "auth": { "type": "m.login.dummy" },
        });
        Self::enter(base, "/_matrix/client/v3/register", body).await
    }

    /// Signs another device of the account `name` in.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn login(base: &str, name: &str) -> Result<Self> {
        let body = json!({
            "type": "m.login.password",
            "identifier": { "type": "m.id.user", "user": name },
            "password": TEST_PASSWORD,
        });
        Self::enter(base, "/_matrix/client/v3/login", body).await
    }

    async fn enter(base: &str, path: &str, body: Value) -> Result<Self> {
        let http = Client::builder().timeout(TIMEOUT).build()?;
        let mut device = Self {
            http,
            base: base.into(),
            token: None,
            user: String::new(),
            patience: PATIENCE,
        };
        let answer = device.ask(Method::POST, path, &[], Some(body)).await;
        let session = answer.done().with_context(|| path.to_owned())?;
        device.token = Some(text(&session, "access_token")?);
        device.user = text(&session, "user_id")?;
        Ok(device)
    }

    /// The same device, with the server at another address.
    #[must_use]
    pub fn at(&self, base: &str) -> Self {
        Self {
            base: base.into(),
            ..self.clone()
        }
    }

    /// The same device, which asks once and waits for two seconds only: another data centre may have an answer.
    ///
    /// # Errors
    /// If no client can be made.
    pub fn hasty(self) -> Result<Self> {
        let http = Client::builder().timeout(Duration::from_secs(2)).build()?;
        Ok(Self {
            http,
            patience: 1,
            ..self
        })
    }

    /// The access token.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// The account's Matrix id.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Makes one request; one that is refused for being too many is made again when the server says.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        for attempt in 1..=self.patience {
            let Ok(mut url) = Url::parse(&self.base) else {
                return Answer::Nothing;
            };
            url.set_path(path);
            if !query.is_empty() {
                url.query_pairs_mut().extend_pairs(query);
            }
            let mut request = self.http.request(method.clone(), url);
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            if let Some(body) = &body {
                request = request.json(body);
            }
            let Ok(response) = request.send().await else {
                return Answer::Nothing;
            };
            let status = response.status();
            let after = response
                .headers()
                .get("retry-after")
                .and_then(|v| v.to_str().ok()?.parse().ok());
            let Ok(body) = response.bytes().await else {
                return Answer::Nothing;
            };
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            match status {
                StatusCode::OK => return Answer::Done(body),
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
                    if attempt < self.patience =>
                {
                    sleep(after.map_or(Duration::from_millis(50), Duration::from_secs)).await;
                }
                _ => return Answer::Refused(status, body),
            }
        }
        Answer::Refused(StatusCode::TOO_MANY_REQUESTS, Value::Null)
    }

    /// Creates a public room, so that others join without being invited; gives its id.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn create_room(&self) -> Result<String> {
        let body = json!({ "preset": "public_chat" });
        let answer = self
            .ask(
                Method::POST,
                "/_matrix/client/v3/createRoom",
                &[],
                Some(body),
            )
            .await;
        text(&answer.done()?, "room_id")
    }

    /// Joins a room.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn join(&self, room: &str) -> Result<()> {
        let path = format!("/_matrix/client/v3/rooms/{room}/join");
        self.ask(Method::POST, &path, &[], Some(json!({})))
            .await
            .done()?;
        Ok(())
    }

    /// Sends a text under a transaction id; `Done` holds the event's id.
    pub async fn try_send(&self, room: &str, transaction: &str, body: &str) -> Answer {
        let path = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/{transaction}");
        let content = json!({ "msgtype": "m.text", "body": body });
        self.ask(Method::PUT, &path, &[], Some(content)).await
    }

    /// Sends a text under a transaction id and gives the event's id.
    ///
    /// # Errors
    /// If the server refuses or does not answer.
    pub async fn send(&self, room: &str, transaction: &str, body: &str) -> Result<String> {
        text(
            &self.try_send(room, transaction, body).await.done()?,
            "event_id",
        )
    }

    /// Uploads a file and gives its `mxc:` address.
    ///
    /// # Errors
    /// If the server refuses or does not answer.
    pub async fn upload(&self, content: Vec<u8>) -> Result<String> {
        let url = format!("{}/_matrix/media/v3/upload", self.base);
        let mut request = self.http.post(url).body(content);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?.error_for_status()?;
        text(
            &serde_json::from_slice(&answer.bytes().await?)?,
            "content_uri",
        )
    }

    /// The bytes at `path`.
    ///
    /// # Errors
    /// If the server refuses, or the answer ends early.
    pub async fn download(&self, path: &str) -> Result<Vec<u8>> {
        let mut request = self.http.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// Every text in the room, oldest first, read page by page from the newest back.
    ///
    /// # Errors
    /// If the server refuses, or gives a page that does not lead on.
    pub async fn history(&self, room: &str) -> Result<Vec<Message>> {
        let path = format!("/_matrix/client/v3/rooms/{room}/messages");
        let mut found = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let mut query = vec![("dir", "b"), ("limit", "500")];
            query.extend(from.as_deref().map(|from| ("from", from)));
            let page = self.ask(Method::GET, &path, &query, None).await.done()?;
            let events = page["chunk"].as_array().context("a page has no chunk")?;
            found.extend(events.iter().filter_map(message));
            let Some(end) = page["end"].as_str() else {
                break;
            };
            ensure!(
                from.as_deref() != Some(end),
                "the page at {end} leads to itself"
            );
            from = Some(end.to_owned());
        }
        found.reverse();
        Ok(found)
    }
}

fn message(event: &Value) -> Option<Message> {
    if event["type"] != "m.room.message" {
        return None;
    }
    let part = |value: &Value| value.as_str().map(str::to_owned);
    let body = part(&event["content"]["body"])?;
    Some(Message {
        id: part(&event["event_id"])?,
        body,
        sender: part(&event["sender"])?,
    })
}

fn text(body: &Value, key: &str) -> Result<String> {
    let value = body[key]
        .as_str()
        .with_context(|| format!("the answer has no {key}: {body}"))?;
    Ok(value.to_owned())
}
