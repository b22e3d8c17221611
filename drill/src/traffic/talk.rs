//! People who chat. What they say is numbered, so that every message can be looked for in every data centre, and
//! each has a transaction of its own: the same one wherever it is repeated.

mod history;

use super::Traffic;
use super::people::{AT_ONCE, Session, calmly, register_all};
use crate::check::{self, Findings};
use crate::client::{Ask, Client};
use crate::ground::{Ground, Stage};
use crate::ledger::{Acknowledged, Shown, number};
use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use blake3::Hasher;
use futures_util::{StreamExt, TryStreamExt};
use history::{Line, Reader};
use http::Method;
use parking_lot::Mutex;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How many are in one room.
const IN_A_ROOM: usize = 8;
/// How many messages are read again at the end of a drill, in whole rooms.
const READ_AGAIN: u64 = 1_000_000;

/// A room, and what it holds.
struct Room {
    id: String,
    /// Up to where it was read.
    from: String,
    /// Everything that was seen in it, in order.
    seen: Hasher,
    messages: u64,
}

/// Chatting.
#[derive(Default)]
pub struct Talk {
    people: Mutex<Vec<Session>>,
    rooms: Mutex<Vec<Room>>,
    new: Mutex<Vec<Acknowledged>>,
}

#[async_trait]
impl Traffic for Talk {
    fn name(&self) -> &'static str {
        "messages"
    }

    async fn prepare(&self, ground: &Ground) -> Result<()> {
        let people = register_all(ground, "talker", ground.people).await?;
        for (n, members) in people.chunks(IN_A_ROOM).enumerate() {
            let room = open_room(ground, n, members).await?;
            self.rooms.lock().push(room);
        }
        *self.people.lock() = people;
        Ok(())
    }

    async fn work(self: Arc<Self>, stage: Stage) -> Result<()> {
        let people = self.people.lock().clone();
        let every =
            Duration::from_secs(1).mul_f64(people.len() as f64 / f64::from(stage.ground.rate));
        let mut working = JoinSet::new();
        for (n, session) in people.into_iter().enumerate() {
            let room = self.rooms.lock()[n / IN_A_ROOM].id.clone();
            let talker = Talker {
                n,
                room,
                session,
                every,
            };
            working.spawn(talker.talk(self.name(), stage.clone()));
        }
        while let Some(said) = working.join_next().await {
            self.new.lock().extend(said?);
        }
        Ok(())
    }

    async fn check(&self, stage: &Stage) -> Result<Findings> {
        let acknowledged = std::mem::take(&mut *self.new.lock());
        let ground = &stage.ground;
        let sites = (0..ground.sites.len()).map(|site| self.read(ground, site, stage.round));
        let read = futures_util::future::try_join_all(sites).await?;
        let shown: Vec<Shown> = read.iter().map(|(shown, _)| shown.clone()).collect();
        let findings = check::commands(&acknowledged, &shown);
        let mut rooms = self.rooms.lock();
        for (n, end) in read[0].1.iter().enumerate() {
            let room = &mut rooms[n];
            room.from.clone_from(end);
            for (key, value) in shown[0].groups.get(&(n as u32)).into_iter().flatten() {
                note(&mut room.seen, *key, *value);
                room.messages += 1;
            }
        }
        Ok(findings)
    }

    async fn check_all(&self, ground: &Ground) -> Result<Findings> {
        let mut wanted = Vec::new();
        let mut sum = 0;
        for (n, room) in self.rooms.lock().iter().enumerate() {
            if sum < READ_AGAIN {
                wanted.push((n, room.id.clone(), room.seen.finalize(), room.messages));
                sum += room.messages;
            }
        }
        let mut findings = Findings::default();
        // Each room in one data centre: that all have the same was compared before.
        for (n, id, seen, messages) in wanted {
            let site = n % ground.sites.len();
            let mut again = Hasher::new();
            let mut count = 0;
            let mut reader = self.reader(ground, site, n);
            let each = |line: Line| {
                note(&mut again, line.key, line.value);
                count += 1;
            };
            reader.read(&id, "", each).await?;
            if again.finalize() != seen {
                findings.lost += messages.saturating_sub(count);
                findings.diverged += 1;
                let name = &ground.sites[site].name;
                findings.problem(format!(
                    "{name} shows {count} messages of room {n} at the end, and {messages} were there before, or others"
                ));
            }
        }
        Ok(findings)
    }
}

impl Talk {
    /// Somebody who reads what is in room `n`.
    fn reader(&self, ground: &Ground, site: usize, n: usize) -> Reader {
        let mut client = Client::new(&ground.sites, site);
        client
            .token
            .clone_from(&self.people.lock()[n * IN_A_ROOM].access);
        Reader::new(client)
    }

    /// What data centre `site` shows of this round in each room, and where each room ends.
    async fn read(&self, ground: &Ground, site: usize, round: u32) -> Result<(Shown, Vec<String>)> {
        let places: Vec<(String, String)> = {
            let rooms = self.rooms.lock();
            rooms
                .iter()
                .map(|room| (room.id.clone(), room.from.clone()))
                .collect()
        };
        let mut shown = Shown::default();
        let mut ends = Vec::new();
        for (n, (id, from)) in places.iter().enumerate() {
            let said = shown.groups.entry(n as u32).or_default();
            let mut reader = self.reader(ground, site, n);
            let each = |line: Line| {
                if line.round == round {
                    said.push((line.key, line.value));
                }
            };
            let end = reader.read(id, from, each).await;
            ends.push(end.with_context(|| format!("room {n} at {}", ground.sites[site].name))?);
        }
        Ok((shown, ends))
    }
}

fn note(seen: &mut Hasher, key: u64, value: u64) {
    seen.update(&key.to_le_bytes());
    seen.update(&value.to_le_bytes());
}

/// Makes a room in which all of `members` are.
async fn open_room(ground: &Ground, n: usize, members: &[Session]) -> Result<Room> {
    let client = |member: &Session| {
        let mut client = Client::new(&ground.sites, n);
        client.token.clone_from(&member.access);
        client
    };
    let body = json!({ "preset": "public_chat" });
    let ask = Ask::json(Method::POST, "/_matrix/client/v3/createRoom", &body);
    let (first, others) = members.split_first().context("a room without people")?;
    let made = calmly(&mut client(first), &ask).await?;
    let id = made["room_id"].as_str().context("no room")?.to_owned();
    let path = format!("/_matrix/client/v3/rooms/{id}/join");
    let joining = others.iter().map(client).map(|mut client| {
        let path = &path;
        async move {
            let ask = Ask::json(Method::POST, path, &json!({}));
            calmly(&mut client, &ask).await
        }
    });
    let joining = futures_util::stream::iter(joining).buffer_unordered(AT_ONCE);
    let joined: Vec<_> = joining.try_collect().await?;
    ensure!(joined.len() == others.len(), "not everybody came in");
    Ok(Room {
        id,
        from: String::new(),
        seen: Hasher::new(),
        messages: 0,
    })
}

/// Somebody who sends.
struct Talker {
    n: usize,
    room: String,
    session: Session,
    every: Duration,
}

impl Talker {
    /// Sends until the stage is over; gives what was acknowledged.
    async fn talk(self, protocol: &'static str, stage: Stage) -> Vec<Acknowledged> {
        let mut client = Client::new(&stage.ground.sites, self.n);
        client.token.clone_from(&self.session.access);
        let mut acknowledged = Vec::new();
        let mut next = Instant::now()
            + self
                .every
                .mul_f64(self.n as f64 / stage.ground.people as f64);
        for count in 0_u32.. {
            stage.pass(next).await;
            if stage.over() {
                break;
            }
            // Nobody catches up with what was not said while there was nobody to hear it.
            next = (next + self.every).max(Instant::now());
            let line = Line::text(stage.round, self.n, count);
            let body = json!({ "msgtype": "m.text", "body": line });
            let transaction = format!("{}-{}-{count}", stage.round, self.n);
            let path = format!(
                "/_matrix/client/v3/rooms/{}/send/m.room.message/{transaction}",
                self.room
            );
            let sent = client
                .insist_json(&stage, protocol, (Method::PUT, &path), &body)
                .await;
            let Ok(answer) = sent else {
                continue;
            };
            match answer["event_id"].as_str() {
                Some(event) => acknowledged.push(Acknowledged {
                    group: (self.n / IN_A_ROOM) as u32,
                    key: Line::key(self.n, count),
                    value: number(event),
                }),
                None => stage
                    .recorder
                    .error(protocol, client.site, "200 with no event"),
            }
        }
        acknowledged
    }
}
