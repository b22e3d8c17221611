//! Signing in through a browser (Matrix v1.19, client-server API, OAuth 2.0 API).

use crate::people::{Person, connect};
use anyhow::{Context, Result, ensure};
use bongsu_clients::{Browser, Server, TEST_PASSWORD};
use matrix_sdk::authentication::oauth::registration::{
    ApplicationType, ClientMetadata, Localized, OAuthGrantType,
};
use matrix_sdk::ruma::api::client::discovery::get_authorization_server_metadata::v1::{
    AccountManagementActionData, Prompt,
};
use matrix_sdk::ruma::serde::Raw;
use matrix_sdk::utils::UrlOrQuery;
use reqwest::Url;

/// What the messenger says of itself.
fn metadata(redirect: &Url) -> Result<Raw<ClientMetadata>> {
    let redirect_uris = vec![redirect.clone()];
    let page = Url::parse("https://messenger.example/")?;
    let mut metadata = ClientMetadata::new(
        ApplicationType::Native,
        vec![OAuthGrantType::AuthorizationCode { redirect_uris }],
        Localized::new(page, []),
    );
    metadata.client_name = Some(Localized::new("Messenger".to_owned(), []));
    Ok(Raw::new(&metadata)?)
}

#[tokio::test]
async fn a_messenger_signs_in_through_a_browser_and_is_a_device_like_others() -> Result<()> {
    let server = Server::start_with(&["--client-registration", "open"]).await?;
    server.keys_made().await?;
    let phone = Person::register(&server, "alice").await?;
    let laptop = connect(&server.base_url()).await?;
    // The port is whichever the messenger finds free when it begins.
    let redirect = Url::parse("http://127.0.0.1:49152/in")?;
    let oauth = laptop.oauth();
    let login = oauth.login(
        redirect.clone(),
        None,
        Some(metadata(&redirect)?.into()),
        None,
    );
    let begun = login.build().await.context("begin")?;
    let mut browser = Browser::new()?;
    let page = browser.ask(begun.url, None).await?;
    let fields = [("name", "alice"), ("password", TEST_PASSWORD)];
    let page = browser.send(&page, "/account/sign-in", &fields).await?;
    let page = browser.follow(page, |_| true).await?;
    ensure!(page.text.contains("Messenger"), "{}", page.text);
    let answer = [("answer", "allow")];
    let page = browser.send(&page, "/account/consent", &answer).await?;
    let back = page.leads_to.context("the messenger is called back")?;
    ensure!(back.as_str().starts_with(redirect.as_str()), "{back}");
    oauth
        .finish_login(UrlOrQuery::Url(back))
        .await
        .context("finish")?;
    let whoami = laptop.whoami().await?;
    ensure!(whoami.user_id == phone.client.user_id().context("a user")?);
    let device = whoami.device_id.context("a device")?;
    let devices = phone.client.devices().await?.devices;
    ensure!(
        devices.iter().any(|one| one.device_id == device),
        "{devices:?}"
    );

    let before = laptop.session_tokens().context("tokens")?;
    laptop.refresh_access_token().await?;
    let after = laptop.session_tokens().context("tokens")?;
    ensure!(
        before.refresh_token != after.refresh_token,
        "both are replaced"
    );
    laptop.whoami().await?;

    // The account's page is asked for that very device.
    let told = oauth.server_metadata().await.context("metadata")?;
    let action = AccountManagementActionData::DeviceDelete((&*device).into());
    let place = told.account_management_url_with_action(action);
    let place = place.context("there is a page")?;
    let page = browser.go(place.as_str()).await?;
    browser.send(&page, "/account/sessions/end", &[]).await?;
    ensure!(laptop.whoami().await.is_err(), "its session has ended");
    phone.client.whoami().await?;
    Ok(())
}

#[tokio::test]
async fn whoever_has_no_account_makes_one_on_the_way() -> Result<()> {
    let server = Server::start_with(&["--client-registration", "open"]).await?;
    server.keys_made().await?;
    let laptop = connect(&server.base_url()).await?;
    let redirect = Url::parse("http://127.0.0.1:49153/in")?;
    let oauth = laptop.oauth();
    let login = oauth.login(
        redirect.clone(),
        None,
        Some(metadata(&redirect)?.into()),
        None,
    );
    let prompt = vec![Prompt::Create];
    let begun = login.prompt(prompt).build().await.context("begin")?;
    let mut browser = Browser::new()?;
    let page = browser.ask(begun.url, None).await?;
    let fields = [("name", "carol"), ("password", TEST_PASSWORD)];
    let page = browser.send(&page, "/account/sign-up", &fields).await?;
    let page = browser.follow(page, |_| true).await?;
    let page = browser
        .send(&page, "/account/consent", &[("answer", "allow")])
        .await?;
    let back = page.leads_to.context("the messenger is called back")?;
    oauth
        .finish_login(UrlOrQuery::Url(back))
        .await
        .context("finish")?;
    let whoami = laptop.whoami().await?;
    ensure!(whoami.user_id == "@carol:localhost", "{whoami:?}");
    Ok(())
}
