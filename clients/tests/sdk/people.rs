//! People with the client library: signing in, and waiting for what a sync brings.

use anyhow::{Context, Result};
use bongsu_clients::{Server, TEST_PASSWORD};
use matrix_sdk::config::SyncSettings;
use matrix_sdk::deserialized_responses::TimelineEvent;
use matrix_sdk::room::MessagesOptions;
use matrix_sdk::ruma::api::client::account::register::v3::Request as Register;
use matrix_sdk::ruma::api::client::room::create_room::v3::Request as CreateRoom;
use matrix_sdk::ruma::api::client::uiaa::{AuthData, Dummy};
use matrix_sdk::ruma::events::room::message::RoomMessageEventContent;
use matrix_sdk::ruma::{OwnedRoomId, OwnedUserId, uint};
use matrix_sdk::sync::SyncResponse;
use matrix_sdk::{Client, Room};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// How long one long poll may wait.
const POLL: Duration = Duration::from_secs(10);
/// How long something may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// A signed-in device.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) client: Client,
}

impl Person {
    /// Makes an account and signs in.
    pub(crate) async fn register(server: &Server, name: &str) -> Result<Self> {
        Self::register_at(&server.base_url(), name).await
    }

    /// The same at an address.
    pub(crate) async fn register_at(address: &str, name: &str) -> Result<Self> {
        let client = connect(address).await?;
        let mut request = Register::new();
        request.username = Some(name.to_owned());
        request.password = Some(TEST_PASSWORD.to_owned());
        request.auth = Some(AuthData::Dummy(Dummy::new()));
        client
            .matrix_auth()
            .register(request)
            .await
            .context("register")?;
        Ok(Self { client })
    }

    /// Signs another device of the account in; its access token can be refreshed.
    pub(crate) async fn login(server: &Server, name: &str) -> Result<Self> {
        let client = connect(&server.base_url()).await?;
        let login = client.matrix_auth().login_username(name, TEST_PASSWORD);
        login
            .request_refresh_token()
            .send()
            .await
            .context("login")?;
        Ok(Self { client })
    }

    /// The account's Matrix id.
    pub(crate) fn id(&self) -> Result<OwnedUserId> {
        self.client
            .user_id()
            .map(ToOwned::to_owned)
            .context("not signed in")
    }

    /// A private room with the others invited.
    pub(crate) async fn create_room(&self, invited: &[&Person]) -> Result<Room> {
        let mut request = CreateRoom::new();
        request.name = Some("The watch".to_owned());
        request.invite = invited
            .iter()
            .map(|person| person.id())
            .collect::<Result<_>>()?;
        self.client
            .create_room(request)
            .await
            .context("create a room")
    }

    /// Waits for the invitation and accepts it.
    pub(crate) async fn accept(&self, room: &Room) -> Result<Room> {
        let id = room.room_id();
        self.sync_until("the invitation", |news| {
            news.rooms.invited.get(id).map(|_| ())
        })
        .await?;
        self.client.join_room_by_id(id).await.context("join")
    }

    /// One sync, waiting for news if there are none.
    pub(crate) async fn sync(&self) -> Result<SyncResponse> {
        let settings = SyncSettings::default().timeout(POLL);
        self.client.sync_once(settings).await.context("sync")
    }

    /// Syncs until `find` finds what it looks for.
    pub(crate) async fn sync_until<T>(
        &self,
        what: &str,
        mut find: impl FnMut(&SyncResponse) -> Option<T>,
    ) -> Result<T> {
        let search = async {
            loop {
                if let Some(found) = find(&self.sync().await?) {
                    return Ok(found);
                }
            }
        };
        timeout(PATIENCE, search)
            .await
            .with_context(|| format!("{what} did not arrive"))?
    }
}

pub(crate) async fn connect(address: &str) -> Result<Client> {
    let client = Client::builder()
        .homeserver_url(address)
        .handle_refresh_tokens();
    client.build().await.context("connect")
}

/// Sends a text and gives the event's id.
pub(crate) async fn send(room: &Room, text: &str) -> Result<String> {
    let sent = room
        .send(RoomMessageEventContent::text_plain(text))
        .await
        .context("send")?;
    Ok(sent.response.event_id.to_string())
}

/// An event as the wire had it.
pub(crate) fn json(event: &TimelineEvent) -> Value {
    serde_json::from_str(event.raw().json().get()).unwrap_or_default()
}

/// The timeline events of one room in a sync.
pub(crate) fn timeline(news: &SyncResponse, room: &Room) -> Vec<Value> {
    let joined = news.rooms.joined.get(room.room_id());
    joined
        .map(|room| room.timeline.events.iter().map(json).collect())
        .unwrap_or_default()
}

/// What is passing in one room in a sync, of one type.
pub(crate) fn ephemeral(news: &SyncResponse, room: &Room, kind: &str) -> Option<Value> {
    let joined = news.rooms.joined.get(room.room_id())?;
    let events = joined.ephemeral.iter().map(|event| event.json().get());
    let mut events = events.filter_map(|event| serde_json::from_str::<Value>(event).ok());
    events.find(|event| event["type"] == kind)
}

/// The event's id and text, if it is a message that was not redacted.
pub(crate) fn message(event: &Value) -> Option<(String, String)> {
    let body = event["content"]["body"].as_str()?;
    (event["type"] == "m.room.message").then_some(())?;
    Some((event["event_id"].as_str()?.to_owned(), body.to_owned()))
}

/// A device that keeps the whole timeline of a room, filling the gaps that limited syncs leave.
pub(crate) struct Follower {
    person: Person,
    room: OwnedRoomId,
    last: Option<String>,
    /// Ids and texts of the messages, oldest first.
    pub(crate) seen: Vec<(String, String)>,
}

impl Follower {
    pub(crate) fn new(person: &Person, room: &Room) -> Self {
        let room = room.room_id().to_owned();
        Self {
            person: person.clone(),
            room,
            last: None,
            seen: Vec::new(),
        }
    }

    /// Syncs until the device knows the room.
    pub(crate) async fn enter(&mut self) -> Result<Room> {
        let follow = async {
            loop {
                self.step().await?;
                if let Some(room) = self.person.client.get_room(&self.room) {
                    return Ok(room);
                }
            }
        };
        timeout(PATIENCE, follow)
            .await
            .context("the room did not arrive")?
    }

    /// Syncs until there are `count` messages.
    pub(crate) async fn until(&mut self, count: usize) -> Result<()> {
        let follow = async {
            while self.seen.len() < count {
                self.step().await?;
            }
            Ok(())
        };
        timeout(PATIENCE, follow)
            .await
            .with_context(|| format!("{count} messages did not arrive"))?
    }

    async fn step(&mut self) -> Result<()> {
        let news = self.person.sync().await?;
        let Some(joined) = news.rooms.joined.get(&self.room) else {
            return Ok(());
        };
        let mut events = Vec::new();
        if joined.timeline.limited {
            events = self.fill(joined.timeline.prev_batch.as_deref()).await?;
        }
        events.extend(joined.timeline.events.iter().map(json));
        self.seen.extend(events.iter().filter_map(message));
        if let Some(last) = events.last() {
            self.last = last["event_id"].as_str().map(str::to_owned);
        }
        Ok(())
    }

    /// The events between the newest one known and the token, oldest first.
    async fn fill(&self, from: Option<&str>) -> Result<Vec<Value>> {
        let room = self
            .person
            .client
            .get_room(&self.room)
            .context("the room is unknown")?;
        let mut from = from.map(str::to_owned);
        let mut gap = Vec::new();
        loop {
            let mut options = MessagesOptions::backward().from(from.as_deref());
            options.limit = uint!(100);
            let page = room.messages(options).await.context("messages")?;
            for event in page.chunk.iter().map(json) {
                if self.last.is_some() && event["event_id"].as_str() == self.last.as_deref() {
                    gap.reverse();
                    return Ok(gap);
                }
                gap.push(event);
            }
            from = page.end;
            if from.is_none() {
                gap.reverse();
                return Ok(gap);
            }
        }
    }
}
