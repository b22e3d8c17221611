//! Several devices of one account.

use crate::people::{Follower, Person, send};
use anyhow::{Context, Result, ensure};
use bongsu_clients::Server;

#[tokio::test]
async fn two_devices_of_one_account_converge() -> Result<()> {
    let server = Server::start().await?;
    let phone = Person::register(&server, "alice").await?;
    let laptop = Person::login(&server, "alice").await?;
    let bob = Person::register(&server, "bob").await?;
    let room = phone.create_room(&[&bob]).await?;
    let bobs = bob.accept(&room).await?;
    let mut on_phone = Follower::new(&phone, &room);
    let mut on_laptop = Follower::new(&laptop, &room);

    let mut sent = Vec::new();
    sent.push(send(&room, "from the phone").await?);
    on_laptop.until(1).await?;
    let laptops = laptop
        .client
        .get_room(room.room_id())
        .context("the laptop lacks the room")?;
    sent.push(send(&laptops, "from the laptop").await?);
    for number in 0..40 {
        sent.push(
            send(
                [&room, &laptops, &bobs][number % 3],
                &format!("mixed {number}"),
            )
            .await?,
        );
    }
    on_phone.until(sent.len()).await?;
    on_laptop.until(sent.len()).await?;
    ensure!(on_phone.seen == on_laptop.seen, "the devices do not agree");
    let ids: Vec<_> = on_phone.seen.iter().map(|(id, _)| id.clone()).collect();
    ensure!(
        ids == sent,
        "they agree on another order than it was sent in"
    );
    Ok(())
}

#[tokio::test]
async fn a_token_is_refreshed_and_a_device_signs_out() -> Result<()> {
    let server = Server::start().await?;
    let phone = Person::register(&server, "alice").await?;
    let laptop = Person::login(&server, "alice").await?;
    let before = laptop.client.session_tokens().context("no tokens")?;
    ensure!(before.refresh_token.is_some(), "no refresh token was given");

    laptop.client.refresh_access_token().await?;
    let after = laptop.client.session_tokens().context("no tokens")?;
    ensure!(
        before.access_token != after.access_token,
        "the access token stayed as it was"
    );
    let whoami = laptop.client.whoami().await?;
    ensure!(
        whoami.user_id == phone.id()?,
        "the new token is {}'s",
        whoami.user_id
    );
    ensure!(
        whoami.device_id.as_deref() == laptop.client.device_id(),
        "another device"
    );
    ensure!(
        phone.client.devices().await?.devices.len() == 2,
        "the devices are not listed"
    );

    laptop.client.matrix_auth().logout().await?;
    ensure!(
        laptop.client.whoami().await.is_err(),
        "the token outlives its device"
    );
    ensure!(
        phone.client.devices().await?.devices.len() == 1,
        "the device is still listed"
    );
    ensure!(
        phone.client.whoami().await.is_ok(),
        "the other device was signed out too"
    );
    Ok(())
}
