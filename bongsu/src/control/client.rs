//! The other end of the control socket.

use super::Refused;
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use tokio::net::UnixStream;

/// A connection to a running server.
pub struct Control {
    sender: http1::SendRequest<Full<Bytes>>,
}

impl Control {
    /// Connects through the socket at `path`; `None` when no server listens there.
    pub async fn connect(path: &Path) -> Result<Option<Self>> {
        use std::io::ErrorKind;
        let stream = match UnixStream::connect(path).await {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::ConnectionRefused
                ) =>
            {
                return Ok(None);
            }
            stream => stream
                .with_context(|| format!("the server does not answer at {}", path.display()))?,
        };
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Some(Self { sender }))
    }

    /// Asks for something; what the server refuses is an error with its words.
    pub async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::HOST, "control")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(serde_json::to_vec(body)?)))?;
        let response = self
            .sender
            .send_request(request)
            .await
            .context("the server broke off")?;
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .context("the server broke off")?
            .to_bytes();
        if status.is_success() {
            return serde_json::from_slice(&body).context("the server's answer is not understood");
        }
        match serde_json::from_slice::<Refused>(&body) {
            Ok(refused) => bail!(refused.error),
            Err(_) => bail!("the server answered {status}"),
        }
    }
}
