//! Two people talk.

use crate::people::{Person, ephemeral, message, send, timeline};
use anyhow::{Context, Result, ensure};
use bongsu_clients::Server;
use matrix_sdk::Room;
use matrix_sdk::room::MessagesOptions;
use matrix_sdk::ruma::api::client::receipt::create_receipt::v3::ReceiptType;
use matrix_sdk::ruma::events::receipt::ReceiptThread;
use matrix_sdk::ruma::events::room::message::RoomMessageEventContent;
use matrix_sdk::ruma::{EventId, OwnedTransactionId};

/// Alice and Bob in a room of their own, each with the room as they see it.
async fn alice_and_bob(server: &Server) -> Result<[(Person, Room); 2]> {
    let alice = Person::register(server, "alice").await?;
    let bob = Person::register(server, "bob").await?;
    let room = alice.create_room(&[&bob]).await?;
    let bobs = bob.accept(&room).await?;
    bob.sync_until("the own joining", |news| {
        news.rooms.joined.get(room.room_id()).map(|_| ())
    })
    .await?;
    let joined = format!("{} joining", bob.id()?);
    let member = bob.id()?.to_string();
    alice
        .sync_until(&joined, |news| {
            let events = timeline(news, &room);
            events
                .into_iter()
                .find(|e| e["state_key"] == member && e["content"]["membership"] == "join")
        })
        .await?;
    Ok([(alice, room), (bob, bobs)])
}

/// Waits for the message with this id, and gives its text.
async fn receive(person: &Person, room: &Room, id: &str) -> Result<String> {
    person
        .sync_until(id, |news| {
            let messages = timeline(news, room)
                .into_iter()
                .filter_map(|event| message(&event));
            messages
                .into_iter()
                .find(|(found, _)| found == id)
                .map(|(_, text)| text)
        })
        .await
}

#[tokio::test]
async fn two_people_talk_and_one_leaves() -> Result<()> {
    let server = Server::start().await?;
    let [(alice, alices), (bob, bobs)] = alice_and_bob(&server).await?;

    // The poll waits already, or begins late: the message arrives either way.
    let wait = bob.sync_until("a message", |news| {
        timeline(news, &bobs).iter().find_map(message)
    });
    let (got, sent) = tokio::join!(wait, send(&alices, "a fire in the south"));
    ensure!(
        got? == (sent?, "a fire in the south".to_owned()),
        "another message arrived"
    );

    let answer = send(&bobs, "seen, and lit").await?;
    ensure!(
        receive(&alice, &alices, &answer).await? == "seen, and lit",
        "another text"
    );

    bobs.leave().await?;
    let bobs_id = bob.id()?.to_string();
    alice
        .sync_until("the leaving", |news| {
            let events = timeline(news, &alices);
            events
                .into_iter()
                .find(|e| e["state_key"] == bobs_id && e["content"]["membership"] == "leave")
        })
        .await?;
    let late = bobs
        .send(RoomMessageEventContent::text_plain("too late"))
        .await;
    ensure!(late.is_err(), "who has left can still send");
    Ok(())
}

#[tokio::test]
async fn a_retried_transaction_gives_the_same_event() -> Result<()> {
    let server = Server::start().await?;
    let [(alice, alices), (bob, bobs)] = alice_and_bob(&server).await?;
    let transaction = OwnedTransactionId::from("once");
    let mut ids = Vec::new();
    for text in ["lit", "lit", "another text under the same id"] {
        let content = RoomMessageEventContent::text_plain(text);
        let sent = alices
            .send(content)
            .with_transaction_id(transaction.clone())
            .await?;
        ids.push(sent.response.event_id.to_string());
    }
    ensure!(
        ids.iter().all(|id| *id == ids[0]),
        "one transaction gave several events: {ids:?}"
    );

    let echo = alice
        .sync_until("the echo", |news| {
            timeline(news, &alices)
                .into_iter()
                .find(|e| message(e).is_some())
        })
        .await?;
    ensure!(
        echo["unsigned"]["transaction_id"] == "once",
        "the echo does not name its transaction: {echo}"
    );

    // What follows proves that nothing else was sent in between.
    let next = send(&alices, "next").await?;
    let mut seen = Vec::new();
    bob.sync_until("the next message", |news| {
        seen.extend(timeline(news, &bobs).iter().filter_map(message));
        seen.iter().any(|(id, _)| *id == next).then_some(())
    })
    .await?;
    ensure!(
        seen.len() == 2 && seen[0] == (ids[0].clone(), "lit".to_owned()),
        "Bob sees {seen:?}"
    );
    Ok(())
}

#[tokio::test]
async fn typing_and_reading_are_seen() -> Result<()> {
    let server = Server::start().await?;
    let [(alice, alices), (bob, bobs)] = alice_and_bob(&server).await?;

    bobs.typing_notice(true).await?;
    let bobs_id = bob.id()?.to_string();
    let typing = |news: &matrix_sdk::sync::SyncResponse, wanted: bool| {
        let event = ephemeral(news, &alices, "m.typing")?;
        let users = event["content"]["user_ids"].as_array()?.clone();
        (users.iter().any(|user| *user == bobs_id) == wanted).then_some(())
    };
    alice
        .sync_until("Bob typing", |news| typing(news, true))
        .await?;
    bobs.typing_notice(false).await?;
    alice
        .sync_until("Bob no longer typing", |news| typing(news, false))
        .await?;

    let sent = send(&bobs, "have you read this?").await?;
    let room = alices.room_id();
    let unread = |news: &matrix_sdk::sync::SyncResponse| {
        Some(
            news.rooms
                .joined
                .get(room)?
                .unread_notifications
                .notification_count,
        )
    };
    alice
        .sync_until("one unread message", |news| {
            unread(news).filter(|count| *count == 1)
        })
        .await?;
    let event = EventId::parse(&sent)?;
    alices
        .send_single_receipt(ReceiptType::Read, ReceiptThread::Unthreaded, event)
        .await?;
    alice
        .sync_until("no unread message", |news| {
            unread(news).filter(|count| *count == 0)
        })
        .await?;
    let alices_id = alice.id()?.to_string();
    bob.sync_until("the receipt", |news| {
        let event = ephemeral(news, &bobs, "m.receipt")?;
        event["content"][&sent]["m.read"]
            .get(&alices_id)
            .map(|_| ())
    })
    .await
}

#[tokio::test]
async fn a_redacted_message_loses_its_text() -> Result<()> {
    let server = Server::start().await?;
    let [(alice, alices), (bob, bobs)] = alice_and_bob(&server).await?;
    let sent = send(&alices, "not meant for you").await?;
    ensure!(
        receive(&bob, &bobs, &sent).await? == "not meant for you",
        "another text"
    );

    alices
        .redact(&EventId::parse(&sent)?, Some("a slip"), None)
        .await?;
    let redaction = bob
        .sync_until("the redaction", |news| {
            timeline(news, &bobs)
                .into_iter()
                .find(|event| event["type"] == "m.room.redaction")
        })
        .await?;
    // The key stands in the content from room version 11 on, and beside it before that.
    let redacts = [&redaction["content"]["redacts"], &redaction["redacts"]];
    ensure!(
        redacts.iter().any(|id| **id == sent),
        "it redacts something else: {redaction}"
    );
    for (person, room) in [(&alice, &alices), (&bob, &bobs)] {
        let page = room.messages(MessagesOptions::backward()).await?;
        let events: Vec<_> = page.chunk.iter().map(crate::people::json).collect();
        let event = events
            .iter()
            .find(|event| event["event_id"] == sent)
            .context("the event is gone")?;
        ensure!(
            event["content"].get("body").is_none(),
            "{} still reads {event}",
            person.id()?
        );
        ensure!(
            event["unsigned"].get("redacted_because").is_some(),
            "no reason is given in {event}"
        );
    }
    Ok(())
}
