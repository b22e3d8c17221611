//! One request and its answer.

use anyhow::Result;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;
use url::form_urlencoded;

/// What is asked.
#[derive(Debug)]
pub struct Ask<'a> {
    method: Method,
    path: &'a str,
    kind: &'static str,
    body: Bytes,
    key: Option<&'a str>,
    /// The refusal that says that an earlier attempt, of which nothing was heard, did it.
    pub done_before: Option<StatusCode>,
    /// Whether there may be too little money for it.
    pub may_lack: bool,
}

impl<'a> Ask<'a> {
    /// To read `path`.
    pub fn get(path: &'a str) -> Self {
        Self {
            method: Method::GET,
            path,
            kind: "application/json",
            body: Bytes::new(),
            key: None,
            done_before: None,
            may_lack: false,
        }
    }

    /// To do something, said in JSON.
    pub fn json(method: Method, path: &'a str, body: &Value) -> Self {
        Self {
            method,
            path,
            kind: "application/json",
            body: body.to_string().into(),
            key: None,
            done_before: None,
            may_lack: false,
        }
    }

    /// To do something, said in a form.
    pub fn form(path: &'a str, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        Self {
            method: Method::POST,
            path,
            kind: "application/x-www-form-urlencoded",
            body: body.into(),
            key: None,
            done_before: None,
            may_lack: false,
        }
    }

    /// The same under this key: it is done once, however often it is asked.
    pub fn keyed(self, key: &'a str) -> Self {
        let key = Some(key);
        Self { key, ..self }
    }

    /// The same, where this refusal says that an earlier attempt did it.
    pub fn unless_done(self, says: StatusCode) -> Self {
        let done_before = Some(says);
        Self {
            done_before,
            ..self
        }
    }

    /// The same, where there may be too little money for it.
    pub fn may_lack(self) -> Self {
        let may_lack = true;
        Self { may_lack, ..self }
    }

    /// To take these bytes.
    pub fn upload(path: &'a str, body: Bytes) -> Self {
        Self {
            method: Method::POST,
            path,
            kind: "application/octet-stream",
            body,
            key: None,
            done_before: None,
            may_lack: false,
        }
    }

    /// What is asked, for a report: `login`, `refresh`, `rooms`.
    pub fn verb(&self) -> &str {
        let path = self.path.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        // Before it are the protocol, in Matrix the interface too, and its version.
        let place = if path.starts_with("/_matrix") { 4 } else { 3 };
        parts.get(place).copied().unwrap_or(path)
    }

    /// To end the session.
    pub fn leave(path: &'a str) -> Self {
        Self {
            method: Method::POST,
            path,
            kind: "application/json",
            body: Bytes::from_static(b"{}"),
            key: None,
            done_before: Some(StatusCode::UNAUTHORIZED),
            may_lack: false,
        }
    }
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// There is no connection, or it ended.
    Broken,
    /// Nothing came in time.
    Silent,
}

impl Lost {
    /// For a report.
    pub fn words(self) -> &'static str {
        match self {
            Self::Broken => "connection lost",
            Self::Silent => "no answer in time",
        }
    }
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was done; the answer's body.
    Done(Bytes),
    /// It is to be tried again after this time.
    Told {
        /// As what it was refused.
        status: StatusCode,
        /// `Retry-After`.
        after: Duration,
    },
    /// It was refused.
    Refused(StatusCode, Bytes),
    /// Nobody knows.
    Lost(Lost),
}

impl Outcome {
    /// What an answer means. Only 429 and 503 that say in seconds when to come back ask to be repeated (RFC 9110,
    /// section 10.2.3; RFC 6585, section 4).
    pub fn of(answer: Response<Bytes>) -> Self {
        let (status, after) = (answer.status(), answer.headers().get(RETRY_AFTER));
        let after = after.and_then(|after| after.to_str().ok()?.parse().ok());
        let body = answer.into_body();
        match (status, after) {
            (StatusCode::OK | StatusCode::CREATED, _) => Self::Done(body),
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(after)) => {
                let after = Duration::from_secs(after);
                Self::Told { status, after }
            }
            _ => Self::Refused(status, body),
        }
    }
}

/// Something that comes with a request: its name and value, or nothing if that is empty.
pub type With<'a> = (HeaderName, &'a str);

/// Asks over the connection that is held, or over a new one. A connection that was held may have been ended by the
/// server long ago, as an idle one is; then it is asked once more.
pub async fn exchange(
    held: &mut Option<SendRequest<Full<Bytes>>>,
    address: &str,
    with: With<'_>,
    ask: &Ask<'_>,
) -> Result<Response<Bytes>> {
    if let Some(mut connection) = held.take()
        && connection.ready().await.is_ok()
        && let Ok(answer) = send(&mut connection, address, with.clone(), ask).await
    {
        *held = Some(connection);
        return Ok(answer);
    }
    let mut connection = open(address).await?;
    let answer = send(&mut connection, address, with, ask).await?;
    *held = Some(connection);
    Ok(answer)
}

async fn send(
    connection: &mut SendRequest<Full<Bytes>>,
    address: &str,
    (name, value): With<'_>,
    ask: &Ask<'_>,
) -> Result<Response<Bytes>> {
    let mut request = Request::builder()
        .method(&ask.method)
        .uri(ask.path)
        .header(HOST, address);
    if !value.is_empty() {
        request = request.header(name, value);
    }
    if let Some(key) = ask.key {
        request = request.header("Idempotency-Key", key);
    }
    if !ask.body.is_empty() {
        request = request.header(CONTENT_TYPE, ask.kind);
    }
    let answer = connection
        .send_request(request.body(Full::new(ask.body.clone()))?)
        .await?;
    let (head, body) = answer.into_parts();
    Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
}

async fn open(address: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (connection, driver) = Builder::new().handshake(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    Ok(connection)
}
