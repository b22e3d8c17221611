//! Names, addresses and files.

use crate::people::{Person, message, timeline};
use anyhow::{Context, Result, ensure};
use bongsu_clients::Server;
use matrix_sdk::media::{MediaFormat, MediaRequestParameters};
use matrix_sdk::ruma::RoomAliasId;
use matrix_sdk::ruma::events::room::MediaSource;
use matrix_sdk::ruma::events::room::message::{
    FileMessageEventContent, MessageType, RoomMessageEventContent,
};

#[tokio::test]
async fn a_file_travels() -> Result<()> {
    let server = Server::start().await?;
    let alice = Person::register(&server, "alice").await?;
    let bob = Person::register(&server, "bob").await?;
    let room = alice.create_room(&[&bob]).await?;
    let bobs = bob.accept(&room).await?;
    let mut bytes = vec![0; 300_000];
    fastrand::Rng::with_seed(7).fill(&mut bytes);
    let upload = alice
        .client
        .media()
        .upload(&mime::APPLICATION_OCTET_STREAM, bytes.clone(), None);
    let uri = upload.await.context("upload")?.content_uri;
    let file = FileMessageEventContent::plain("map.bin".to_owned(), uri.clone());
    room.send(RoomMessageEventContent::new(MessageType::File(file)))
        .await?;

    let event = bob
        .sync_until("the file", |news| {
            timeline(news, &bobs)
                .into_iter()
                .find(|e| message(e).is_some())
        })
        .await?;
    ensure!(
        event["content"]["url"] == uri.as_str(),
        "the file is elsewhere: {event}"
    );
    let request = MediaRequestParameters {
        source: MediaSource::Plain(uri),
        format: MediaFormat::File,
    };
    let got = bob
        .client
        .media()
        .get_media_content(&request, false)
        .await
        .context("download")?;
    ensure!(
        got == bytes,
        "{} of {} bytes came, or others",
        got.len(),
        bytes.len()
    );
    Ok(())
}

#[tokio::test]
async fn a_name_is_seen_by_others() -> Result<()> {
    let server = Server::start().await?;
    let alice = Person::register(&server, "alice").await?;
    let bob = Person::register(&server, "bob").await?;
    let room = alice.create_room(&[&bob]).await?;
    let bobs = bob.accept(&room).await?;
    bob.sync().await?;

    let name = "Alice of the southern hill";
    alice.client.account().set_display_name(Some(name)).await?;
    ensure!(
        alice.client.account().get_display_name().await?.as_deref() == Some(name),
        "another name"
    );
    let profile = bob
        .client
        .account()
        .fetch_user_profile_of(&alice.id()?)
        .await?;
    let seen = profile.get("displayname");
    ensure!(
        seen.and_then(|seen| seen.as_str()) == Some(name),
        "Bob sees {seen:?}"
    );
    let alices_id = alice.id()?.to_string();
    bob.sync_until("the new name in the room", |news| {
        let events = timeline(news, &bobs);
        events
            .into_iter()
            .find(|e| e["state_key"] == alices_id && e["content"]["displayname"] == name)
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn an_alias_leads_to_its_room() -> Result<()> {
    let server = Server::start().await?;
    let alice = Person::register(&server, "alice").await?;
    let bob = Person::register(&server, "bob").await?;
    let room = alice.create_room(&[&bob]).await?;
    let alias = RoomAliasId::parse("#watch:localhost")?;
    ensure!(
        alice.client.is_room_alias_available(&alias).await?,
        "taken from the start"
    );
    alice
        .client
        .create_room_alias(&alias, room.room_id())
        .await?;

    let found = bob.client.resolve_room_alias(&alias).await?;
    ensure!(
        found.room_id == room.room_id(),
        "the alias leads to {}",
        found.room_id
    );
    let joined = bob
        .client
        .join_room_by_id_or_alias((&*alias).into(), &[])
        .await?;
    ensure!(
        joined.room_id() == room.room_id(),
        "joined {}",
        joined.room_id()
    );
    ensure!(
        bob.client
            .create_room_alias(&alias, room.room_id())
            .await
            .is_err(),
        "given twice"
    );

    alice.client.remove_room_alias(&alias).await?;
    ensure!(
        bob.client.is_room_alias_available(&alias).await?,
        "it leads on after its removal"
    );
    Ok(())
}
