//! A client that keeps one connection, as little of one as will do.

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpStream;

/// What no transaction id was made of yet; no two requests of a run are repeats.
static TRANSACTION: AtomicU64 = AtomicU64::new(0);

/// A request with whatever is said in it.
pub struct Asked {
    method: Method,
    path: String,
    pub headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Asked {
    pub fn get(path: &str) -> Self {
        Self {
            method: Method::GET,
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    pub fn json(method: Method, path: &str, body: &Value) -> Self {
        Self {
            method,
            path: path.to_owned(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    pub fn form(path: &str, body: String) -> Self {
        let kind = "application/x-www-form-urlencoded".to_owned();
        Self {
            method: Method::POST,
            path: path.to_owned(),
            headers: vec![("content-type", kind)],
            body: body.into_bytes(),
        }
    }
}

/// An answer, whatever it is.
pub struct Answered {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

pub struct Client {
    connection: SendRequest<Full<Bytes>>,
    address: String,
    token: String,
}

impl Client {
    pub async fn connect(address: &str) -> Result<Self> {
        Ok(Self {
            connection: open(address).await?,
            address: address.to_owned(),
            token: String::new(),
        })
    }

    /// A client with an account of its own.
    pub async fn registered(address: &str, name: &str) -> Result<Self> {
        let mut client = Self::connect(address).await?;
        let auth = json!({ "type": "m.login.dummy" });
        let body = json!({ "username": name, "password": "benchmark", "auth": auth });
        let made = client
            .json(Method::POST, "/_matrix/client/v3/register", &body)
            .await?;
        made["access_token"]
            .as_str()
            .context("no token")?
            .clone_into(&mut client.token);
        Ok(client)
    }

    /// Another connection of the same device.
    pub async fn another(&self) -> Result<Self> {
        self.another_at(&self.address).await
    }

    /// A connection of the same device to the server at `address`.
    pub async fn another_at(&self, address: &str) -> Result<Self> {
        let mut client = Self::connect(address).await?;
        client.token.clone_from(&self.token);
        Ok(client)
    }

    /// Asks, and gives the answer's body if the answer is 200.
    pub async fn ask(&mut self, method: Method, path: &str, body: Vec<u8>) -> Result<Bytes> {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if !self.token.is_empty() {
            headers.push(("authorization", format!("Bearer {}", self.token)));
        }
        let asked = Asked {
            method,
            path: path.to_owned(),
            headers,
            body,
        };
        let Answered { status, body, .. } = self.request(asked).await?;
        if status != StatusCode::OK {
            bail!("{path}: {status} {}", String::from_utf8_lossy(&body));
        }
        Ok(body)
    }

    /// Asks, and gives the answer, whatever it is.
    pub async fn request(&mut self, asked: Asked) -> Result<Answered> {
        let request = Request::builder().method(asked.method).uri(asked.path);
        let mut request = request.header("host", &self.address);
        for (name, value) in asked.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::from(asked.body)))?;
        // Servers close connections on which nothing was asked for a while.
        if self.connection.ready().await.is_err() {
            self.connection = open(&self.address).await?;
        }
        let (parts, body) = self.connection.send_request(request).await?.into_parts();
        Ok(Answered {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    async fn json(&mut self, method: Method, path: &str, body: &Value) -> Result<Value> {
        let answer = self
            .ask(method, path, body.to_string().into_bytes())
            .await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    pub async fn create_room(&mut self) -> Result<String> {
        let body = json!({ "preset": "public_chat" });
        let made = self
            .json(Method::POST, "/_matrix/client/v3/createRoom", &body)
            .await?;
        Ok(made["room_id"].as_str().context("no room")?.to_owned())
    }

    pub async fn join(&mut self, room: &str) -> Result<()> {
        let path = format!("/_matrix/client/v3/rooms/{room}/join");
        self.ask(Method::POST, &path, b"{}".to_vec())
            .await
            .map(drop)
    }

    /// Sends a message with `word` in it, of about the length that messages have.
    pub async fn send(&mut self, room: &str, word: &str) -> Result<()> {
        let txn = TRANSACTION.fetch_add(1, Ordering::Relaxed);
        let path = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/{txn}");
        let body = format!(
            r#"{{"msgtype":"m.text","body":"안녕하세요, this is message {word} of the benchmark"}}"#
        );
        self.ask(Method::PUT, &path, body.into_bytes())
            .await
            .map(drop)
    }

    /// `query` is what stands behind the question mark.
    pub async fn sync(&mut self, query: &str) -> Result<Synced> {
        let path = format!("/_matrix/client/v3/sync?{query}");
        let body = self.ask(Method::GET, &path, Vec::new()).await?;
        let next = b"\"next_batch\":\"";
        let at = find(&body, next).context("a sync without a token")? + next.len();
        let len = find(&body[at..], b"\"").context("a token without an end")?;
        let token = std::str::from_utf8(&body[at..at + len])?.to_owned();
        ensure!(!token.is_empty(), "an empty token");
        Ok(Synced { token, body })
    }
}

async fn open(address: &str) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (connection, driver) = Builder::new()
        .max_buf_size(1 << 20)
        .handshake(TokioIo::new(stream))
        .await?;
    tokio::spawn(driver);
    Ok(connection)
}

/// A sync's answer.
pub struct Synced {
    /// From where the next one goes on.
    pub token: String,
    /// All of it.
    pub body: Bytes,
}

/// Where `wanted` stands in `text` for the first time.
pub fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}
