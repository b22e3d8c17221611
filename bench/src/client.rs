//! A client that keeps one connection, as little of one as will do.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

pub struct Client {
    connection: SendRequest<Full<Bytes>>,
    host: String,
    token: String,
}

impl Client {
    pub async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (connection, driver) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(driver);
        Ok(Self {
            connection,
            host: address.to_owned(),
            token: String::new(),
        })
    }

    pub async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        let request = request
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))?;
        self.connection.ready().await?;
        let response = self.connection.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    async fn json(&mut self, method: Method, path: &str, body: Value) -> Result<Value> {
        let (status, bytes) = self
            .ask(method, path, body.to_string().into_bytes())
            .await?;
        if status != StatusCode::OK {
            bail!("{path}: {status} {}", String::from_utf8_lossy(&bytes));
        }
        Ok(serde_json::from_slice(&bytes)?)
    }

    pub async fn register(&mut self, name: &str) -> Result<()> {
        let auth = json!({ "type": "m.login.dummy" });
        let body = json!({ "username": name, "password": "benchmark", "auth": auth });
        let made = self
            .json(Method::POST, "/_matrix/client/v3/register", body)
            .await?;
        made["access_token"]
            .as_str()
            .context("no token")?
            .clone_into(&mut self.token);
        Ok(())
    }

    pub async fn create_room(&mut self) -> Result<String> {
        let body = json!({ "preset": "public_chat" });
        let made = self
            .json(Method::POST, "/_matrix/client/v3/createRoom", body)
            .await?;
        Ok(made["room_id"].as_str().context("no room")?.to_owned())
    }

    pub async fn join(&mut self, room: &str) -> Result<()> {
        self.json(
            Method::POST,
            &format!("/_matrix/client/v3/rooms/{room}/join"),
            json!({}),
        )
        .await
        .map(drop)
    }
}
