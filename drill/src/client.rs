//! A client that goes wherever it is answered: it tries again as it is told, and elsewhere when nobody answers.

mod wire;

pub use wire::{Ask, Lost, Outcome};

use wire::With;

use crate::ground::{Site, Stage};
use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE};
use http::{Method, Response, StatusCode};
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long a client waits for an answer: longer than an election, after which a data centre answers what it
/// took before.
const PATIENCE: Duration = Duration::from_secs(12);
/// The pause after all data centres were tried.
const PAUSE: Duration = Duration::from_millis(100);

/// What there is too little money for, in a report.
const LACKING: &str = "409, too little money";

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// It was refused, with no word on trying again.
    Refused(StatusCode, Bytes),
    /// It was tried as told until the scenario had been over for a minute.
    GivenUp,
}

/// A client, with at most one connection to each data centre.
pub struct Client {
    sites: Arc<[Site]>,
    held: Vec<Option<SendRequest<Full<Bytes>>>>,
    /// Which data centre it asks first, from 0.
    pub site: usize,
    /// Whose it is.
    pub token: String,
}

impl Client {
    /// A client of nobody, near data centre `site`.
    pub fn new(sites: &Arc<[Site]>, site: usize) -> Self {
        Self {
            sites: sites.clone(),
            held: sites.iter().map(|_| None).collect(),
            site: site % sites.len(),
            token: String::new(),
        }
    }

    /// Asks data centre `site` once.
    pub async fn once(&mut self, site: usize, ask: &Ask<'_>, within: Duration) -> Outcome {
        let bearer = match &*self.token {
            "" => String::new(),
            token => format!("Bearer {token}"),
        };
        match self
            .answer(site, (AUTHORIZATION, &bearer), ask, within)
            .await
        {
            Ok(answer) => Outcome::of(answer),
            Err(lost) => Outcome::Lost(lost),
        }
    }

    /// The same, as a browser that has these cookies, with the whole answer.
    pub async fn browse(&mut self, cookies: &str, ask: &Ask<'_>) -> Result<Response<Bytes>, Lost> {
        self.answer(self.site, (COOKIE, cookies), ask, PATIENCE)
            .await
    }

    async fn answer(
        &mut self,
        site: usize,
        with: With<'_>,
        ask: &Ask<'_>,
        within: Duration,
    ) -> Result<Response<Bytes>, Lost> {
        let address = &self.sites[site].address;
        let asked = wire::exchange(&mut self.held[site], address, with, ask);
        let lost = match timeout(within, asked).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(_)) => Lost::Broken,
            Err(_) => Lost::Silent,
        };
        self.held[site] = None;
        Err(lost)
    }

    /// Goes to the next data centre, after a pause where all were tried.
    pub async fn elsewhere(&mut self, tried: &mut usize) {
        *tried += 1;
        if tried.is_multiple_of(self.sites.len()) {
            sleep(PAUSE).await;
        }
        self.site = (self.site + 1) % self.sites.len();
    }

    /// Reads from data centre `site` once, of which the drill's own looking is made: not a client's traffic.
    pub async fn look(&mut self, site: usize, path: &str) -> Outcome {
        self.once(site, &Ask::get(path), PATIENCE).await
    }

    /// The same, of which an answer is JSON.
    pub async fn value(&mut self, site: usize, path: &str) -> Option<Value> {
        match self.look(site, path).await {
            Outcome::Done(body) => serde_json::from_slice(&body).ok(),
            _ => None,
        }
    }

    /// Asks until it is done: as long as it is told to try again, or nobody answers. Gives the answer, and which
    /// data centre gave it.
    pub async fn insist(
        &mut self,
        stage: &Stage,
        protocol: &'static str,
        ask: &Ask<'_>,
    ) -> Result<(Bytes, usize), Undone> {
        let recorder = &stage.recorder;
        let first = Instant::now();
        let mut tried = 0;
        let mut doubtful = false;
        loop {
            let (site, asked) = (self.site, Instant::now());
            let before = recorder.look(site);
            match self.once(site, ask, PATIENCE).await {
                Outcome::Done(body) => {
                    recorder.acknowledged(protocol, site, asked, first);
                    return Ok((body, site));
                }
                Outcome::Told { status, after } => {
                    recorder.told(
                        protocol,
                        site,
                        &format!("{} and Retry-After", status.as_u16()),
                    );
                    // What could not be applied in time may have been done; what was too much was not.
                    doubtful |= status == StatusCode::SERVICE_UNAVAILABLE;
                    sleep(after).await;
                    tried = 0;
                }
                // Who left with the first attempt has no session any more, and who did not may be unknown here still.
                Outcome::Refused(status, body) if doubtful && ask.done_before == Some(status) => {
                    return Err(Undone::Refused(status, body));
                }
                Outcome::Refused(status, body) if ask.may_lack && lacks(status, &body) => {
                    recorder.refused(protocol, LACKING);
                    return Err(Undone::Refused(status, body));
                }
                Outcome::Refused(status, body) => {
                    let code = errcode(&body);
                    let what = format!("{} {code} to {}", status.as_u16(), ask.verb());
                    recorder.error(protocol, site, &what);
                    return Err(Undone::Refused(status, body));
                }
                Outcome::Lost(lost) => {
                    recorder.unanswered(protocol, site, lost.words(), before, false);
                    doubtful = true;
                }
            }
            if stage.hopeless() {
                recorder.error(protocol, site, "never done, though tried as told");
                return Err(Undone::GivenUp);
            }
            self.elsewhere(&mut tried).await;
        }
    }

    /// The same, with a JSON body; gives a JSON answer.
    pub async fn insist_json(
        &mut self,
        stage: &Stage,
        protocol: &'static str,
        (method, path): (Method, &str),
        body: &Value,
    ) -> Result<Value, Undone> {
        let ask = Ask::json(method, path, body);
        let (answer, site) = self.insist(stage, protocol, &ask).await?;
        serde_json::from_slice(&answer).map_err(|_| {
            stage.recorder.error(protocol, site, "200 with no JSON");
            Undone::Refused(StatusCode::OK, answer)
        })
    }
}

/// Whether there was too little money (RFC 9457).
fn lacks(status: StatusCode, body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let kind = body["type"].as_str().unwrap_or_default();
    status == StatusCode::CONFLICT && kind.ends_with("insufficient-funds")
}

/// Matrix's code in an error (client-server API, standard error response).
fn errcode(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["errcode"].as_str().unwrap_or_default().to_owned()
}
