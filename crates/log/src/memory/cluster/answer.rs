//! The model's answers, as one site gets them.

use super::Cluster;
use super::state::State;
use crate::jetstream::{Away, Engine, Found, Message, Origin, PublishError};
use crate::memory::faults::{Chance, Dice};
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::sleep;

/// How long a publisher waits for an acknowledgement, and anybody else for an answer.
const PUBLISH_WITHIN: Duration = Duration::from_secs(3);
const ASK_WITHIN: Duration = Duration::from_secs(2);

pub(super) struct Handle {
    pub cluster: Cluster,
    pub site: usize,
}

type Published = Result<u64, PublishError>;

impl Handle {
    fn with<T>(&self, run: impl FnOnce(&mut State) -> T) -> T {
        run(&mut self.cluster.0.state.lock())
    }

    fn is_cut(&self) -> bool {
        self.with(|state| state.sites[self.site].cut)
    }

    /// Asks the leader something.
    async fn ask<T>(&self, question: impl FnOnce(&mut State) -> T) -> Result<T, Away> {
        if self.is_cut() {
            return Err(Away("the site is cut off".to_owned()));
        }
        if !self.with(State::leader_answers) {
            sleep(ASK_WITHIN).await;
            return Err(Away("no leader answered".to_owned()));
        }
        Ok(self.with(question))
    }
}

/// Carries one message through its delays. It goes on when its publisher no longer listens.
async fn fly(
    cluster: Cluster,
    (mut dice, origin, payload): (Dice, Origin, Bytes),
    expected: Option<u64>,
) -> Published {
    let unknown = || PublishError::Unknown("no acknowledgement came".to_owned());
    let nobody = || PublishError::NobodyThere("the stream has no leader now".to_owned());
    let (faults, elections) = {
        let mut state = cluster.0.state.lock();
        let there = state.has_leader() && state.takes(&origin).is_some();
        if !there || dice.happens(state.faults.nobody) {
            return Err(nobody());
        }
        (state.faults.clone(), state.elections())
    };
    sleep(dice.delay(&faults.publish_delay)).await;
    let stored = {
        let mut state = cluster.0.state.lock();
        match state.takes(&origin) {
            Some(true) => {}
            Some(false) => return Err(PublishError::Sealed),
            None => return Err(nobody()),
        }
        if dice.happens(faults.refuse) {
            return Err(PublishError::Refused("too many requests".to_owned()));
        }
        if expected.is_some_and(|expected| expected != state.next(&origin)) {
            return Err(PublishError::Refused("wrong last sequence".to_owned()));
        }
        // The leader that had it is none any more; the others may have it or not.
        let elected = state.elections() != elections;
        let lost = dice.happens(faults.lose) || elected && dice.happens(Chance(5_000));
        let stored = if lost {
            None
        } else {
            state.store(&origin, payload)
        };
        let stored = stored.filter(|_| !elected);
        for site in stored.map_or(Vec::new(), |seq| state.tell(&origin, seq)) {
            cluster.0.told[site].notify_one();
        }
        stored
    };
    sleep(dice.delay(&faults.answer_delay)).await;
    match stored {
        Some(seq) if !dice.happens(faults.forget) => Ok(seq),
        _ => {
            sleep(PUBLISH_WITHIN).await;
            Err(unknown())
        }
    }
}

#[async_trait]
impl Engine for Handle {
    fn name(&self) -> &str {
        "model"
    }

    async fn find(&self) -> Result<Option<Found>, Away> {
        self.ask(State::find).await
    }

    async fn create(&self, origin: &Origin) -> Result<(), Away> {
        self.ask(|state| state.create(origin)).await
    }

    async fn seal(&self, stream: &Origin) -> Result<(), Away> {
        self.ask(|state| state.seal(stream)).await
    }

    async fn publish(&self, stream: &Origin, message: Bytes, expected: Option<u64>) -> Published {
        if self.is_cut() {
            return Err(PublishError::NobodyThere("the site is cut off".to_owned()));
        }
        let dice = self.with(State::dice_of_next);
        let (answer, answered) = oneshot::channel();
        let flight = fly(
            self.cluster.clone(),
            (dice, stream.clone(), message),
            expected,
        );
        tokio::spawn(async move {
            // Nobody may be listening any more.
            let _ = answer.send(flight.await);
        });
        let unknown = |why: &str| Err(PublishError::Unknown(why.to_owned()));
        match answered.await {
            // It may have been stored, and the answer not arrive.
            Ok(Ok(_)) if self.is_cut() => unknown("the site was cut off"),
            Ok(published) => published,
            Err(_) => unknown("the runtime ended"),
        }
    }

    async fn fetch(
        &self,
        stream: &Origin,
        from: u64,
        max_bytes: usize,
    ) -> Result<Vec<Message>, Away> {
        if self.is_cut() {
            return Err(Away("the site is cut off".to_owned()));
        }
        let silent = self.with(|state| {
            let silence = state.faults.silence;
            state.sites[self.site].dice.happens(silence)
        });
        if silent {
            sleep(ASK_WITHIN).await;
            return Err(Away("the near server gave no answer".to_owned()));
        }
        Ok(self.with(|state| state.fetch(self.site, stream, from, max_bytes)))
    }

    async fn get(&self, stream: &Origin, seq: u64) -> Result<Option<Message>, Away> {
        self.ask(|state| state.get(stream, seq)).await
    }

    async fn purge(&self, stream: &Origin, keep_from: u64) -> Result<(), Away> {
        self.ask(|state| state.purge(stream, keep_from)).await
    }

    async fn lead_from(&self, _stream: &Origin, _server: &str) -> Result<(), Away> {
        self.ask(|state| state.elect(Duration::from_millis(300)))
            .await
    }

    async fn told(&self, stream: &Origin) -> Vec<Message> {
        loop {
            let told = self.with(|state| std::mem::take(&mut state.sites[self.site].told));
            let of_this = told.into_iter().filter(|(id, _)| *id == stream.id);
            let messages: Vec<_> = of_this.map(|(_, message)| message).collect();
            if !messages.is_empty() {
                return messages;
            }
            self.cluster.0.told[self.site].notified().await;
        }
    }
}
