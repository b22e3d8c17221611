//! The other end of the control socket.

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
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

    /// Asks for what is at `path`; gives the status and the body of the answer.
    pub async fn look(&mut self, path: &str) -> Result<(StatusCode, Bytes)> {
        let request = Request::get(path).header(header::HOST, "control");
        self.ask(request.body(Full::new(Bytes::new()))?).await
    }

    /// Asks for something; gives the status and the body of the answer.
    pub async fn ask(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes)> {
        // The answer before may have been read sooner than the connection knows of it.
        let ready = self.sender.ready().await;
        ready.context("the server broke off")?;
        let response = self
            .sender
            .send_request(request)
            .await
            .context("the server broke off")?;
        let status = response.status();
        let body = response.into_body().collect().await;
        Ok((status, body.context("the server broke off")?.to_bytes()))
    }
}
