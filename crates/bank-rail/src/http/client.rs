//! The side of those who have an account there.

use super::wire::{OrderBody, SaidBody};
use crate::camt::Statement;
use crate::{Bank, Order, Said, Unknown};
use bongsu_base::LogTime;
use bongsu_ledger::Currency;
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Duration;
use tokio::time::timeout;

/// How long the bank may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest answer, in bytes.
const LONGEST: usize = 64 << 20;

/// The bank that [`super::serve`] serves somewhere.
#[derive(Debug, Clone)]
pub struct HttpBank {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

impl HttpBank {
    /// The bank at `url`, such as `http://127.0.0.1:8012`.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            base: url.trim_end_matches('/').to_owned(),
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), Unknown> {
        let unknown = |error: &dyn std::fmt::Display| Unknown(error.to_string());
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| unknown(&error))?;
        let asking = async {
            let answer = self.client.request(request).await;
            let (head, body) = answer.map_err(|error| unknown(&error))?.into_parts();
            let body = Limited::new(body, LONGEST).collect().await;
            Ok((
                head.status,
                body.map_err(|error| unknown(&error))?.to_bytes(),
            ))
        };
        let asked = timeout(PATIENCE, asking).await;
        asked.unwrap_or_else(|_| Err(Unknown("it takes too long".to_owned())))
    }
}

fn orders(id: &str) -> String {
    format!("/v1/orders/{}", utf8_percent_encode(id, NON_ALPHANUMERIC))
}

fn read(body: &[u8]) -> Result<Said, Unknown> {
    let said: SaidBody =
        serde_json::from_slice(body).map_err(|error| Unknown(error.to_string()))?;
    said.said()
        .ok_or_else(|| Unknown("it refused for a reason that is not known here".to_owned()))
}

fn other(status: StatusCode, body: &[u8]) -> Unknown {
    let words: String = String::from_utf8_lossy(body).chars().take(200).collect();
    Unknown(format!("it answered {status}: {words}"))
}

#[async_trait::async_trait]
impl Bank for HttpBank {
    async fn order(&self, order: &Order) -> Result<Said, Unknown> {
        let body = serde_json::to_vec(&OrderBody::from(order)).expect("a body is plain data");
        match self.ask(Method::PUT, &orders(&order.id), body).await? {
            (StatusCode::OK, body) => read(&body),
            (status, body) => Err(other(status, &body)),
        }
    }

    async fn find(&self, id: &str) -> Result<Option<Said>, Unknown> {
        match self.ask(Method::GET, &orders(id), Vec::new()).await? {
            (StatusCode::OK, body) => read(&body).map(Some),
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, body) => Err(other(status, &body)),
        }
    }

    async fn statement(
        &self,
        currency: Currency,
        from: LogTime,
        to: LogTime,
    ) -> Result<Statement, Unknown> {
        let path = format!(
            "/v1/statement?currency={currency}&from_ms={}&to_ms={}",
            from.0, to.0
        );
        match self.ask(Method::GET, &path, Vec::new()).await? {
            (StatusCode::OK, body) => {
                Statement::from_xml(&body).map_err(|error| Unknown(error.to_string()))
            }
            (status, body) => Err(other(status, &body)),
        }
    }
}
