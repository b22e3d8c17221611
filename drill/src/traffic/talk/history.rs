//! Reading a room from some place to its end.

use crate::client::{Client, Outcome};
use crate::ledger::number;
use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use std::time::Duration;
use tokio::time::sleep;

/// How often a page is asked for when a data centre has no place for the asker.
const ATTEMPTS: usize = 20;
/// The pause between, if none is told.
const PAUSE: Duration = Duration::from_millis(250);

/// What of a message the drill knows again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The scenario it was sent in.
    pub round: u32,
    /// Who sent it, and how many were before it.
    pub key: u64,
    /// The event.
    pub value: u64,
}

impl Line {
    /// A message's text.
    pub fn text(round: u32, person: usize, count: u32) -> String {
        format!(
            "{round} {person} {count} 봉수에 불이 올랐다, the beacon on the hill is lit, pass it on"
        )
    }

    /// The number for a person's message.
    pub fn key(person: usize, count: u32) -> u64 {
        (person as u64) << 32 | u64::from(count)
    }

    fn read(event: &str, text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let round = words.next()?.parse().ok()?;
        let person = words.next()?.parse().ok()?;
        let count = words.next()?.parse().ok()?;
        Some(Self {
            round,
            key: Self::key(person, count),
            value: number(event),
        })
    }
}

#[derive(Deserialize)]
struct Page {
    start: String,
    end: Option<String>,
    chunk: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    event_id: String,
    content: Content,
}

#[derive(Deserialize)]
struct Content {
    body: Option<String>,
}

/// Somebody who reads, in one data centre.
pub struct Reader {
    client: Client,
}

impl Reader {
    /// Reads as `client`, where that is.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Reads the room from `from`, or from its beginning, and gives where it ended.
    pub async fn read(
        &mut self,
        room: &str,
        from: &str,
        mut each: impl FnMut(Line),
    ) -> Result<String> {
        let mut from = from.to_owned();
        loop {
            let page = self.page(room, &from).await?;
            for event in page.chunk {
                let text = event.content.body.as_deref().unwrap_or_default();
                if let Some(line) = Line::read(&event.event_id, text) {
                    each(line);
                }
            }
            match page.end {
                None => return Ok(if from.is_empty() { page.start } else { from }),
                Some(end) => {
                    ensure!(end != from, "the page at {end} leads to itself");
                    from = end;
                }
            }
        }
    }

    async fn page(&mut self, room: &str, from: &str) -> Result<Page> {
        let place = if from.is_empty() {
            String::new()
        } else {
            format!("&from={from}")
        };
        let path = format!("/_matrix/client/v3/rooms/{room}/messages?dir=f&limit=1000{place}");
        let site = self.client.site;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            match self.client.look(site, &path).await {
                Outcome::Done(body) => {
                    return serde_json::from_slice(&body).context("a page of history");
                }
                Outcome::Told { after, .. } => sleep(after).await,
                other => {
                    last = Some(other);
                    sleep(PAUSE).await;
                }
            }
        }
        bail!("no page of history: {last:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_known_again() {
        let line = Line::read("$e", &Line::text(3, 70, 12)).unwrap();
        assert_eq!((line.round, line.key), (3, 70 << 32 | 12));
        assert_eq!(Line::read("$e", "hello there"), None);
        assert_eq!(Line::read("$e", ""), None);
    }
}
