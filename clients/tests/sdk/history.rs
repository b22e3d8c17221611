//! The past of a room, read page by page.

use crate::people::{Follower, Person, json, message, send};
use anyhow::{Context, Result, ensure};
use bongsu_clients::Server;
use matrix_sdk::Room;
use matrix_sdk::room::MessagesOptions;
use matrix_sdk::ruma::api::Direction;
use matrix_sdk::ruma::uint;

const MESSAGES: usize = 130;

/// All messages in one direction, 25 events a page, and how many pages there were.
async fn read(room: &Room, direction: Direction) -> Result<(Vec<(String, String)>, usize)> {
    let mut found = Vec::new();
    let mut from: Option<String> = None;
    for pages in 1.. {
        let mut options = MessagesOptions::new(direction).from(from.as_deref());
        options.limit = uint!(25);
        let page = room.messages(options).await.context("messages")?;
        ensure!(
            page.chunk.len() <= 25,
            "{} events on a page of 25",
            page.chunk.len()
        );
        found.extend(page.chunk.iter().filter_map(|event| message(&json(event))));
        ensure!(
            page.end.is_none() || page.end != from,
            "a page leads to itself"
        );
        // Forwards, the end of a room that may still grow is an empty page.
        if page.end.is_none() || (page.chunk.is_empty() && direction == Direction::Forward) {
            return Ok((found, pages));
        }
        from = page.end;
    }
    unreachable!("the pages are numbered without end")
}

#[tokio::test]
async fn both_people_page_through_the_same_past() -> Result<()> {
    let server = Server::start().await?;
    let alice = Person::register(&server, "alice").await?;
    let bob = Person::register(&server, "bob").await?;
    let room = alice.create_room(&[&bob]).await?;
    let bobs = bob.accept(&room).await?;
    let mut sent = Vec::new();
    for number in 0..MESSAGES {
        let text = format!("message {number}");
        let from = if number % 3 == 0 { &bobs } else { &room };
        sent.push((send(from, &text).await?, text));
    }

    for (who, room) in [("Alice", &room), ("Bob", &bobs)] {
        let (mut back, pages) = read(room, Direction::Backward).await?;
        back.reverse();
        ensure!(back == sent, "{who} pages back through another past");
        ensure!(pages > MESSAGES / 25, "{who} read it in {pages} pages");
        let (forward, _) = read(room, Direction::Forward).await?;
        ensure!(forward == sent, "{who} pages forwards through another past");
    }

    // A sync gives the newest events; its `prev_batch` leads on without a gap or an overlap.
    let mut follower = Follower::new(&bob, &bobs);
    follower.until(MESSAGES).await?;
    ensure!(
        follower.seen == sent,
        "the sync and the pages before it do not fit together"
    );
    Ok(())
}
