//! Asking the administration, wherever it is.

use crate::config::Config;
use crate::control::client::Control;
use crate::control::who;
use crate::data::{DataDir, Installation, Lock};
use crate::wiring::House;
use anyhow::{Context, Result, bail};
use axum::Router;
use axum::middleware::from_fn;
use bongsu_web_kit::admin::{ProblemBody, admit_by_socket};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tower::ServiceExt;

/// The administration.
pub enum Operator {
    /// Of a server that runs.
    Running(Control),
    /// Of the data folder, opened here.
    Here(Box<Here>),
}

/// The house, opened in this process.
pub struct Here {
    house: House,
    router: Router,
    _lock: Lock,
}

impl Operator {
    /// Finds the server that runs, or opens the data folder. Nothing is made: who administers means an installation
    /// that is there.
    pub async fn connect(config: &Config) -> Result<Self> {
        let data = DataDir::new(&config.data);
        if let Some(control) = Control::connect(&data.control_socket()).await? {
            return Ok(Self::Running(control));
        }
        let installation = Installation::expect(&data, config.server_name.as_ref())
            .with_context(|| format!("no server runs on {}", data.root().display()))?;
        let lock = Lock::take(&data, "administration")?;
        let house = House::open(&data, config, &installation).await?;
        let provider = house.begin_sign_in(config, "");
        let talk = house.talk_api(config, "", &provider);
        let pay = house.pay_api(config, &provider);
        let router = house
            .administration(talk, pay, provider)
            .route_layer(from_fn(admit_by_socket))
            .layer(who::own());
        let here = Here {
            house,
            router,
            _lock: lock,
        };
        Ok(Self::Here(Box::new(here)))
    }

    /// Reads at `path`, or does something there with `body`. What is refused is an error in the words
    /// of the refusal.
    pub async fn ask(&mut self, path: &str, body: Option<&Value>) -> Result<Value> {
        let json = "application/json";
        match body {
            Some(body) => {
                let body = serde_json::to_vec(body)?;
                self.send(Method::POST, path, (json, body)).await
            }
            None => self.send(Method::GET, path, (json, Vec::new())).await,
        }
    }

    /// Has the statement `xml` looked at, at `path`.
    pub async fn show_xml(&mut self, path: &str, xml: Vec<u8>) -> Result<Value> {
        self.send(Method::POST, path, ("application/xml", xml))
            .await
    }

    async fn send(&mut self, method: Method, path: &str, what: (&str, Vec<u8>)) -> Result<Value> {
        let (status, body) = self.exchange(method, path, what).await?;
        understood(status, &body)?;
        serde_json::from_slice(&body).context("the server's answer is not understood")
    }

    async fn exchange(
        &mut self,
        method: Method,
        path: &str,
        (kind, body): (&str, Vec<u8>),
    ) -> Result<(StatusCode, Bytes)> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "control")
            .header(header::CONTENT_TYPE, kind)
            .body(Full::new(Bytes::from(body)))?;
        match self {
            Self::Running(control) => control.ask(request).await,
            Self::Here(here) => answer(&here.router, request).await,
        }
    }

    /// The file at `path`, as it is.
    pub async fn file(&mut self, path: &str) -> Result<Bytes> {
        let sent = self.exchange(Method::GET, path, ("application/json", Vec::new()));
        let (status, body) = sent.await?;
        understood(status, &body)?;
        Ok(body)
    }

    /// All items of the pages at `path`.
    pub async fn all(&mut self, path: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut cursor = String::new();
        loop {
            let mut page = self
                .ask(&format!("{path}{mark}limit=1000{cursor}"), None)
                .await?;
            if let Value::Array(found) = page["items"].take() {
                items.extend(found);
            }
            match &page["next"] {
                Value::String(next) => cursor = format!("&cursor={}", escape(next)),
                Value::Number(next) => cursor = format!("&cursor={next}"),
                _ => return Ok(items),
            }
        }
    }

    /// Closes what was opened.
    pub async fn close(self) -> Result<()> {
        match self {
            Self::Running(_) => Ok(()),
            Self::Here(here) => {
                drop(here.router);
                here.house.close().await
            }
        }
    }
}

/// What is refused is an error in the words of the refusal.
fn understood(status: StatusCode, body: &[u8]) -> Result<()> {
    if status.is_success() {
        return Ok(());
    }
    match serde_json::from_slice::<ProblemBody>(body) {
        Ok(problem) => bail!(problem.detail),
        Err(_) => bail!("the server answered {status}"),
    }
}

async fn answer(router: &Router, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes)> {
    let request = request.map(axum::body::Body::new);
    let response = match router.clone().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let status = response.status();
    let body = response.into_body().collect().await?;
    Ok((status, body.to_bytes()))
}

/// A text as a part of a path or a query (RFC 3986, unreserved characters).
pub fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_escaped_in_paths() {
        assert_eq!(escape("!a/b:c d"), "%21a%2Fb%3Ac%20d");
    }
}
