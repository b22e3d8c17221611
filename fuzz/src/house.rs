//! The house that is asked.

use axum::Router;
use axum::body::Body;
use bongsu_base::{LogTime, Seed};
use bongsu_fetch::Fetcher;
use bongsu_identity::http::Api as IdentityApi;
use bongsu_identity::{Accounts, HashingCost, Identity, Registration, Vault};
use bongsu_lane::{Domain, Lane, Options};
use bongsu_log::memory::{Faults, MemoryLog};
use bongsu_media::{Limits, Media};
use bongsu_talk::Talk;
use bongsu_talk::http::{
    Allowed, Api as TalkApi, Clock, Config, Counts, Far, Gallery, Listeners, MediaRules,
    MembersTold, Parts as TalkParts, PresenceNow, Previews, Sending, Support, TypingNow,
};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

/// After so many inputs a new house is made, so that it stays small.
const INPUTS: usize = 20_000;

/// When the logs in memory begin.
pub(crate) const NOW: LogTime = LogTime(1_800_000_000_000);

/// Both domains' endpoints, with two people and a room.
pub struct House {
    router: Router,
    /// The token of the person who asks.
    pub token: String,
    /// A room in which they and somebody else are.
    pub room: String,
    /// An event in it.
    pub event: String,
    lanes: (Lane<Identity>, Lane<Talk>),
    _folder: TempDir,
}

pub(crate) async fn open<D: Domain>(folder: &TempDir) -> Lane<D> {
    let log = MemoryLog::new(Seed::from_bytes([7; 32]), Faults::NONE);
    let mut options = Options::new(folder.path().join(D::NAME));
    options.durable_view = false;
    let opened = Lane::<D>::open(Arc::new(log), options).await;
    let (lane, runner, _) = opened.expect("an empty view opens");
    runner.start().expect("a thread");
    lane.activate(D::VERSION).await.expect("activated");
    lane
}

impl House {
    /// A house; `fetcher` makes previews, if there is one.
    async fn new(fetcher: Option<Fetcher>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let identity = open::<Identity>(&folder).await;
        let talk = open::<Talk>(&folder).await;
        let name = || "test".parse().expect("a name");
        let mut how = bongsu_identity::Config::new(name(), Registration::Open);
        how.hashing = HashingCost::LEAST;
        how.clock = Clock::new(|| NOW);
        let accounts = Accounts::new(identity.clone(), how).expect("a cost that argon2 knows");
        let people = Arc::new(accounts.clone());
        let api = TalkApi::new(TalkParts {
            lane: talk.clone(),
            authenticator: people.clone(),
            people,
            media: Media::new(
                Arc::new(object_store::memory::InMemory::new()),
                Limits::default(),
            ),
            typing: TypingNow::new(talk.wake().clone()),
            sending: Sending::default(),
            far: Far::default(),
            gallery: Gallery::default(),
            previews: fetcher.map(Previews::new),
            config: Arc::new(Config {
                server_name: name(),
                base_url: "http://test".to_owned(),
                max_upload_bytes: 1 << 20,
                media: MediaRules {
                    most_reserved: u32::MAX,
                    ..MediaRules::default()
                },
                presence: true,
                turn: None,
                support: Support::default(),
            }),
            presence: PresenceNow::new(talk.wake().clone()),
            counts: Counts::default(),
            listeners: Listeners::default(),
            allowed: Allowed::default(),
            members_told: MembersTold::default(),
            clock: Clock::new(|| NOW),
        });
        let (ours, _) = bongsu_identity::http::endpoints(IdentityApi::new(
            accounts.clone(),
            Arc::new(accounts),
            &Vault::parse(&"ab".repeat(32)).expect("a key"),
        ));
        let (theirs, _) = bongsu_talk::http::endpoints(api);
        let mut house = Self {
            router: ours.merge(theirs),
            token: String::new(),
            room: String::new(),
            event: String::new(),
            lanes: (identity, talk),
            _folder: folder,
        };
        house.furnish().await;
        house
    }

    /// Has two people in a room.
    async fn furnish(&mut self) {
        let other = self.register("jun").await;
        self.token = self.register("mina").await;
        let preset = json!({"preset": "public_chat"});
        let made = self.call(Method::POST, "createRoom", preset).await;
        self.room = text(&made, "room_id");
        let mine = std::mem::replace(&mut self.token, other);
        let path = format!("rooms/{}/join", self.room);
        self.call(Method::POST, &path, json!({})).await;
        self.token = mine;
        let path = format!("rooms/{}/send/m.room.message/first", self.room);
        let message = json!({"msgtype": "m.text", "body": "tea"});
        let sent = self.call(Method::PUT, &path, message).await;
        self.event = text(&sent, "event_id");
    }

    async fn register(&self, name: &str) -> String {
        let auth = json!({"type": "m.login.dummy"});
        let body = json!({"username": name, "password": "tea", "auth": auth});
        text(
            &self.call(Method::POST, "register", body).await,
            "access_token",
        )
    }

    /// A request that has to succeed.
    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let path = format!("/_matrix/client/v3/{path}");
        let body = body.to_string();
        let (status, answer) = self
            .ask(method, &path, &HeaderMap::new(), body.as_bytes())
            .await
            .expect("a request");
        let answer = String::from_utf8(answer).expect("text");
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        serde_json::from_str(&answer).expect("JSON")
    }

    /// Asks, and sees that the answer is no defect; nothing, if this is no request at all.
    ///
    /// # Panics
    /// When the answer is a defect.
    pub async fn ask(
        &self,
        method: Method,
        uri: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Option<(StatusCode, Vec<u8>)> {
        let mut request = Request::builder().method(method).uri(uri);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        let mut request = request.body(Body::from(body.to_vec())).ok()?;
        request.headers_mut().extend(headers.clone());
        let Ok(response) = self.router.clone().oneshot(request).await;
        let status = response.status();
        // A body that breaks off after its head has been a refusal too late, not a defect.
        let body = response.into_body().collect().await;
        let bytes = body
            .map(|body| body.to_bytes().to_vec())
            .unwrap_or_default();
        assert_ne!(
            status,
            StatusCode::INTERNAL_SERVER_ERROR,
            "{uri}: {}",
            String::from_utf8_lossy(&bytes)
        );
        Some((status, bytes))
    }

    /// The same with JSON's name on it, at a path of the client-server API.
    pub async fn at(&self, method: Method, path: &str, body: &[u8]) -> Option<StatusCode> {
        let uri = format!("/_matrix/client/v3/{path}");
        let (status, _) = self.ask(method, &uri, &HeaderMap::new(), body).await?;
        Some(status)
    }

    async fn close(&self) {
        self.lanes.0.close().await;
        self.lanes.1.close().await;
    }
}

fn text(body: &Value, key: &str) -> String {
    body[key].as_str().expect("a text").to_owned()
}

struct Kept {
    runtime: Runtime,
    house: Option<(House, usize)>,
}

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// Runs `target` with a house, which is kept for the next inputs.
///
/// # Panics
/// When `target` does.
pub fn with_house(fetcher: fn() -> Option<Fetcher>, target: impl AsyncFnOnce(&House)) {
    KEPT.with_borrow_mut(|kept| {
        let kept = kept.get_or_insert_with(|| {
            let runtime = Builder::new_current_thread().enable_all().build();
            Kept {
                runtime: runtime.expect("a runtime"),
                house: None,
            }
        });
        kept.runtime.block_on(async {
            let old = kept.house.take();
            let (house, count) = match old {
                Some((house, count)) if count < INPUTS => (house, count),
                Some((house, _)) => {
                    house.close().await;
                    (House::new(fetcher()).await, 0)
                }
                None => (House::new(fetcher()).await, 0),
            };
            target(&house).await;
            kept.house = Some((house, count + 1));
        });
    });
}
