//! What need not last, between data centres: who types and who is there is told over the bus, which keeps
//! nothing. What gets lost there is said again a moment later, or ends by itself.

use super::Api;
use super::presence_now::Presence;
use bongsu_base::{DataCentre, RoomId, UserId};
use bongsu_bus::{Bus, Note, Topic};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// How often it is said again who is there.
const AGAIN: Duration = Duration::from_secs(15);
/// How long somebody who is elsewhere counts as there without its being said again.
pub(super) const BELIEVED: Duration = Duration::from_secs(40);
/// How many people one note names.
const PEOPLE: usize = 200;

/// What one data centre tells the others.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Word {
    /// Somebody types, for so many milliseconds, or has stopped.
    Typing {
        room: RoomId,
        user: UserId,
        span_ms: Option<u32>,
    },
    /// These are there, or no longer.
    There(Vec<There>),
}

/// Somebody who is somewhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct There {
    pub user: UserId,
    /// As [`Presence::word`] has it.
    pub presence: String,
    pub message: Option<String>,
    /// How long ago they did something, in milliseconds.
    pub active_ago_ms: u64,
}

/// The way to the other data centres, if there are any. Cloning it gives another handle.
#[derive(Clone, Default)]
pub struct Far(Option<Arc<Way>>);

struct Way {
    bus: Arc<dyn Bus>,
    own: DataCentre,
}

impl std::fmt::Debug for Far {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let own = self.0.as_ref().map(|way| way.own.as_str());
        f.debug_tuple("Far").field(&own).finish()
    }
}

impl Far {
    /// From the data centre `own` over `bus`.
    #[must_use]
    pub fn over(bus: Arc<dyn Bus>, own: DataCentre) -> Self {
        Self(Some(Arc::new(Way { bus, own })))
    }

    async fn say(&self, word: &Word) {
        let Some(way) = &self.0 else { return };
        let Ok(topic) = Topic::new(format!("talk/{}", way.own)) else {
            return;
        };
        let payload = postcard::to_stdvec(word).expect("words are plain data");
        way.bus.publish(&topic, Bytes::from(payload)).await;
    }

    /// Says that `user` types in `room` for `span`, or has stopped.
    pub(super) async fn typing(&self, room: &RoomId, user: &UserId, span: Option<Duration>) {
        if self.0.is_some() {
            let millis = |span: Duration| u32::try_from(span.as_millis()).unwrap_or(u32::MAX);
            let word = Word::Typing {
                room: room.clone(),
                user: user.clone(),
                span_ms: span.map(millis),
            };
            self.say(&word).await;
        }
    }

    /// Says how these people are.
    pub(super) async fn there(&self, people: Vec<There>) {
        if self.0.is_some() && !people.is_empty() {
            self.say(&Word::There(people)).await;
        }
    }
}

impl Api {
    /// Hears what other data centres tell, and tells them again who is here, for as long as it is polled.
    /// Without others it returns at once.
    pub async fn keep_in_touch(self) {
        let Some(way) = self.far.0.clone() else {
            return;
        };
        let Ok(topic) = Topic::new("talk") else {
            return;
        };
        let mut ear = way.bus.subscribe(&topic).await;
        let mut again = interval(AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                note = ear.next() => match note {
                    Some(note) => self.hear(&way.own, &note).await,
                    None => return,
                },
                _ = again.tick() => {
                    for people in self.presence.here().chunks(PEOPLE) {
                        self.far.there(people.to_vec()).await;
                    }
                }
            }
        }
    }

    /// Notes what another data centre than `own` tells.
    async fn hear(&self, own: &DataCentre, note: &Note) {
        if note.topic.parts().nth(1) == Some(own.as_str()) {
            return;
        }
        let word = match postcard::from_bytes(&note.payload) {
            Ok(word) => word,
            Err(error) => {
                // Another release has other words; who types is of no consequence.
                tracing::debug!(%error, "a note from another data centre is not understood");
                return;
            }
        };
        match word {
            Word::Typing {
                room,
                user,
                span_ms,
            } => {
                let span = span_ms.map(|millis| Duration::from_millis(millis.into()));
                self.typing.set(&room, &user, span, self.position());
            }
            Word::There(people) if self.config.presence => {
                for one in people {
                    let Some(presence) = Presence::from_word(&one.presence) else {
                        continue;
                    };
                    let user = one.user.clone();
                    let changed = self.presence.hear(one, presence, self.position());
                    // Who hears of it a moment later hears of it with what comes next.
                    let _ = self.wake_for(&user, changed).await;
                }
            }
            Word::There(_) => {}
        }
    }
}
