//! A talk lane over a log in memory, asked through its router.

use axum::Router;
use axum::body::Body;
use axum::middleware::{from_fn, from_fn_with_state};
use bongsu_base::{Seed, UserId};
use bongsu_lane::{Domain, EntryBody, Lane, Options, Payload, ReadError, SystemAccount};
use bongsu_log::memory::{Faults, MemoryLog};
use bongsu_media::{Limits, Media};
use bongsu_talk::Talk;
use bongsu_talk::http::{
    Allowed, Api, Clock, Config, Counts, Far, Gallery, Listeners, MediaRules, MembersTold, Parts,
    PresenceNow, Previews, Sending, Support, TypingNow, endpoints,
};
use bongsu_web_kit::admin::{admit_by_socket, admit_by_token};
use bongsu_web_kit::{AuthError, Authenticate, Caller, People, Profile, Standing};
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

/// The token `name.DEVICE` is that of `@name:test` on DEVICE. `@root:test` administers, `@mute:test` is
/// suspended. The token `bgg_name.DEVICE` is that of the guest `@guest-name:test`.
struct Tokens;

#[async_trait::async_trait]
impl Authenticate for Tokens {
    async fn authenticate(&self, token: &str) -> Result<Caller, AuthError> {
        let (name, device) = token.split_once('.').ok_or(AuthError::Unknown)?;
        let user = match name.strip_prefix("bgg_") {
            Some(guest) => format!("@guest-{guest}:test"),
            None => format!("@{name}:test"),
        };
        let user = user.parse().map_err(|_| AuthError::Unknown)?;
        let device = device.parse().map_err(|_| AuthError::Unknown)?;
        Ok(Caller { user, device })
    }

    async fn standing(&self, user: &UserId) -> Result<Standing, AuthError> {
        Ok(Standing {
            admin: user.localpart() == "root",
            suspended: user.localpart() == "mute",
            guest: user.localpart().starts_with("guest-"),
        })
    }
}

/// Everybody has an account but `@ghost:test`.
struct Everybody;

#[async_trait::async_trait]
impl People for Everybody {
    async fn profile(&self, user: &UserId) -> Result<Option<Profile>, ReadError> {
        let displayname = Some(user.localpart().to_uppercase());
        let known = user.localpart() != "ghost" && user.server() == "test";
        Ok(known.then_some(Profile {
            displayname,
            avatar_url: None,
        }))
    }
}

pub struct House {
    pub log: MemoryLog,
    pub api: Api,
    router: Router,
    administration: Router,
    _folder: tempfile::TempDir,
}

/// An answer: its status and its body.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    /// A refusal of the administration.
    #[track_caller]
    pub fn problem(self, status: u16) -> String {
        let kind = self.headers["content-type"].to_str().expect("a text");
        assert_eq!(
            (self.status.as_u16(), kind),
            (status, "application/problem+json"),
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        let body: Value = serde_json::from_slice(&self.bytes).expect("JSON");
        assert_eq!(body["status"], status);
        body["detail"].as_str().expect("a detail").to_owned()
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(
            self.status,
            StatusCode::OK,
            "{}",
            String::from_utf8_lossy(&self.bytes)
        );
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        let body: Value = serde_json::from_slice(&self.bytes).expect("JSON");
        assert_eq!(
            (self.status.as_u16(), body["errcode"].as_str()),
            (status, Some(code)),
            "{body}"
        );
        body
    }
}

impl House {
    pub async fn new() -> Self {
        Self::with(|_| ()).await
    }

    /// A house whose operator decided otherwise.
    pub async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::fetching(None, change).await
    }

    /// One that has pages fetched that people link to.
    pub async fn fetching(previews: Option<Previews>, change: impl FnOnce(&mut Config)) -> Self {
        let begun = tokio::time::Instant::now();
        let folder = tempfile::tempdir().expect("a folder");
        let log = MemoryLog::new(Seed::from_bytes([7; 32]), Faults::NONE);
        let options = Options::new(folder.path().join("talk.sqlite"));
        let opened = Lane::<Talk>::open(Arc::new(log.clone()), options)
            .await
            .expect("the lane opens");
        let (lane, runner, _) = opened;
        runner.start().expect("a thread");
        lane.activate(Talk::VERSION).await.expect("activated");
        let media = Media::new(
            Arc::new(object_store::memory::InMemory::new()),
            Limits::default(),
        );
        let mut config = Config {
            server_name: "test".parse().expect("a name"),
            base_url: "http://test".to_owned(),
            max_upload_bytes: 1_000,
            media: MediaRules::default(),
            presence: true,
            turn: None,
            support: Support::default(),
        };
        change(&mut config);
        let typing = TypingNow::new(lane.wake().clone());
        let presence = PresenceNow::new(lane.wake().clone());
        let api = Api::new(Parts {
            lane,
            authenticator: Arc::new(Tokens),
            people: Arc::new(Everybody),
            media,
            typing,
            sending: Sending::default(),
            far: Far::default(),
            gallery: Gallery::default(),
            previews,
            config: Arc::new(config),
            presence,
            counts: Counts::default(),
            listeners: Listeners::default(),
            allowed: Allowed::default(),
            members_told: MembersTold::default(),
            // When the log in memory begins.
            clock: Clock::new(move || {
                let passed = begun.elapsed().as_millis() as i64;
                bongsu_base::LogTime(1_800_000_000_000 + passed)
            }),
        });
        let (router, _) = endpoints(api.clone());
        let routes = || bongsu_talk::http::admin::routes().into_router(api.clone());
        let gate: Arc<dyn Authenticate> = Arc::new(Tokens);
        let router = router.merge(routes().route_layer(from_fn_with_state(gate, admit_by_token)));
        let administration = routes().route_layer(from_fn(admit_by_socket));
        Self {
            log,
            api,
            router,
            administration,
            _folder: folder,
        }
    }

    /// How many commands are in the log.
    pub fn commands(&self) -> usize {
        let entries = self.log.history();
        let bodies = entries
            .iter()
            .map(|entry| EntryBody::decode(&entry.body).expect("an entry's body"));
        let records = bodies.flat_map(|body| body.records);
        records
            .filter(|record| matches!(record.payload, Payload::Command(_)))
            .count()
    }

    pub async fn raw(
        &self,
        method: Method,
        who: &str,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Answer {
        let token = if who.contains('.') || who.is_empty() {
            who.to_owned()
        } else {
            format!("{who}.PHONE")
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", kind);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(body)).expect("a request"))
            .await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        Self::answer(&self.router, request).await
    }

    /// What whoever runs the installation does, as through the control socket.
    pub async fn operate(&self, path: &str, body: Value) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/admin/v1/{path}"))
            .body(Body::from(body.to_string()));
        Self::answer(&self.administration, request.expect("a request")).await
    }

    /// The same, where it is known with which account of the machine.
    pub async fn operate_as(&self, account: SystemAccount, path: &str, body: Value) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/admin/v1/{path}"))
            .extension(account)
            .body(Body::from(body.to_string()));
        Self::answer(&self.administration, request.expect("a request")).await
    }

    /// What whoever runs the installation reads.
    pub async fn inspect(&self, path: &str) -> Answer {
        let request = Request::builder().uri(format!("/admin/v1/{path}"));
        let request = request.body(Body::empty()).expect("a request");
        Self::answer(&self.administration, request).await
    }

    /// Lets time pass in the log.
    pub async fn pass(&self, span: Duration) {
        tokio::time::pause();
        tokio::time::advance(span).await;
        tokio::time::resume();
        // The next entry has the new time, and whoever asks what is due goes by the last one.
        self.post("clock", "createRoom", json!({})).await.ok();
    }

    async fn answer(router: &Router, request: Request<Body>) -> Answer {
        let response = router
            .clone()
            .oneshot(request)
            .await
            .expect("the router answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            bytes,
        }
    }

    async fn ask(&self, method: Method, who: &str, path: &str, body: Option<Value>) -> Answer {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/_matrix/client/v3/{path}")
        };
        let body = body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default();
        self.raw(method, who, &path, "application/json", body).await
    }

    pub async fn get(&self, who: &str, path: &str) -> Answer {
        self.ask(Method::GET, who, path, None).await
    }

    pub async fn put(&self, who: &str, path: &str, body: Value) -> Answer {
        self.ask(Method::PUT, who, path, Some(body)).await
    }

    pub async fn post(&self, who: &str, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, who, path, Some(body)).await
    }

    pub async fn delete(&self, who: &str, path: &str) -> Answer {
        self.ask(Method::DELETE, who, path, None).await
    }

    /// Makes a room that anybody can join, with `others` in it.
    pub async fn room(&self, who: &str, others: &[&str]) -> String {
        let room = self
            .post(who, "createRoom", json!({ "preset": "public_chat" }))
            .await
            .ok();
        let room = room["room_id"].as_str().expect("an id").to_owned();
        for other in others {
            self.post(other, &format!("rooms/{room}/join"), json!({}))
                .await
                .ok();
        }
        room
    }

    pub async fn say(&self, who: &str, room: &str, txn: &str) -> String {
        let path = format!("rooms/{room}/send/m.room.message/{txn}");
        let sent = self
            .put(who, &path, json!({ "msgtype": "m.text", "body": txn }))
            .await
            .ok();
        sent["event_id"].as_str().expect("an id").to_owned()
    }

    pub async fn sync(&self, who: &str, since: Option<&str>, rest: &str) -> Value {
        let since = since.map_or_else(String::new, |since| format!("&since={since}"));
        self.get(who, &format!("sync?timeout=0{since}{rest}"))
            .await
            .ok()
    }

    /// The bodies of a room's messages from the newest to the oldest.
    pub async fn history(&self, who: &str, room: &str) -> Vec<String> {
        let mut bodies = Vec::new();
        let mut from = String::new();
        loop {
            let page = self
                .get(who, &format!("rooms/{room}/messages?dir=b&limit=7{from}"))
                .await
                .ok();
            bodies.extend(self::bodies(&page["chunk"]));
            match page["end"].as_str() {
                Some(end) => from = format!("&from={end}"),
                None => return bodies,
            }
        }
    }
}

/// A filter as it stands at the end of a query.
pub fn quoted(filter: &Value) -> String {
    let mut quoted = "&filter=".to_owned();
    for byte in filter.to_string().bytes() {
        quoted.push_str(&format!("%{byte:02X}"));
    }
    quoted
}

/// The bodies of the messages in a list of events.
pub fn bodies(events: &Value) -> Vec<String> {
    let events = events.as_array().expect("a list");
    events
        .iter()
        .filter_map(|event| event["content"]["body"].as_str())
        .map(str::to_owned)
        .collect()
}

/// The types of a list of events.
pub fn types(events: &Value) -> Vec<String> {
    let events = events.as_array().map(Vec::as_slice).unwrap_or_default();
    events
        .iter()
        .filter_map(|event| event["type"].as_str())
        .map(str::to_owned)
        .collect()
}

/// The rooms that a sync tells of, in whatever way.
pub fn told(sync: &Value) -> Vec<String> {
    let parts = sync["rooms"].as_object().expect("a map");
    let rooms = parts.values().flat_map(|part| part.as_object());
    rooms.flat_map(|rooms| rooms.keys().cloned()).collect()
}
