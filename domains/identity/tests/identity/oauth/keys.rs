//! Keys that are shown, used and replaced.

use super::browser::Browser;
use super::{Extra, ISSUER, Server, query};
use bongsu_base::Millis;
use bongsu_jose::Signed;
use http::StatusCode;
use serde_json::json;
use std::collections::BTreeSet;

async fn shown(server: &Server) -> BTreeSet<String> {
    let keys = server.get("/oauth2/keys.json", &Extra::default()).await;
    assert_eq!(keys.header("cache-control"), "public, max-age=86400");
    let keys = keys.body["keys"].as_array().expect("keys").clone();
    for key in &keys {
        assert_eq!(key["use"], "sig");
        for private in ["d", "p", "q", "k"] {
            assert_eq!(key.get(private), None);
        }
    }
    keys.iter()
        .map(|key| key["kid"].as_str().expect("a name").to_owned())
        .collect()
}

async fn signed_with(server: &Server) -> String {
    let code = Browser::default().code(server, &query(&[])).await;
    let tokens = server.redeem(&code, &[]).await;
    assert_eq!(tokens.status, StatusCode::OK, "{tokens:?}");
    let token = tokens.field("access_token");
    server.claims(&token).await;
    let signed = Signed::parse(&token).expect("a token");
    signed.header().kid.clone().expect("a name")
}

#[tokio::test]
async fn keys_are_replaced_without_anybody_noticing() {
    let server = Server::with_shop().await;
    let first = shown(&server).await;
    assert_eq!(first.len(), 3);
    let old = signed_with(&server).await;
    let done = server
        .operate("/admin/v1/keys/rotate", json!({"reason": "yearly"}))
        .await;
    assert_eq!(done.status, StatusCode::OK, "{done:?}");
    let both = shown(&server).await;
    assert_eq!(both.len(), 6);
    assert!(both.is_superset(&first));
    assert_eq!(
        signed_with(&server).await,
        old,
        "the new ones are not used yet"
    );
    server.pass(Millis::hours(24));
    let new = signed_with(&server).await;
    assert!(both.contains(&new) && !first.contains(&new));
    assert_eq!(
        shown(&server).await.len(),
        6,
        "the old ones are shown still"
    );
    server.pass(Millis::hours(25));
    assert_eq!(shown(&server).await.len(), 3);
    server.close().await;
}

#[tokio::test]
async fn a_refresh_token_outlives_its_key() {
    let server = Server::with_shop().await;
    let code = Browser::default().code(&server, &query(&[])).await;
    let token = server.redeem(&code, &[]).await.field("refresh_token");
    server.operate("/admin/v1/keys/rotate", json!({})).await;
    server.pass(Millis::hours(48));
    let next = server.refresh(&token).await;
    assert_eq!(next.status, StatusCode::OK, "{next:?}");
    let next = server.refresh(&next.field("refresh_token")).await;
    assert_eq!(next.status, StatusCode::OK, "{next:?}");
    server.close().await;
}

#[tokio::test]
async fn what_the_provider_says_of_itself_is_so() {
    let server = Server::new().await;
    let openid = server
        .get("/.well-known/openid-configuration", &Extra::default())
        .await;
    let oauth = server
        .get("/.well-known/oauth-authorization-server", &Extra::default())
        .await;
    assert_eq!(openid.body, oauth.body);
    assert_eq!(openid.body["issuer"], ISSUER);
    let served: BTreeSet<String> = bongsu_identity::http::oauth::routes()
        .operations()
        .iter()
        .map(|(_, path)| format!("{ISSUER}{path}"))
        .collect();
    let fields = openid.body.as_object().expect("an object");
    for (name, value) in fields {
        if name.ends_with("_endpoint") || name.ends_with("_uri") {
            let address = value.as_str().expect("an address");
            assert!(served.contains(address), "{name}: {address}");
        }
    }
    assert_eq!(
        openid.body["code_challenge_methods_supported"],
        json!(["S256"])
    );
    assert_eq!(
        openid.body["id_token_signing_alg_values_supported"],
        json!(["EdDSA", "ES256", "RS256"])
    );
    server.close().await;
}

#[tokio::test]
async fn what_operators_do_with_clients_and_keys_is_written_down() {
    let server = Server::with_shop().await;
    server
        .operate("/admin/v1/keys/rotate", json!({"reason": "yearly"}))
        .await;
    let removed = server
        .operate("/admin/v1/clients/shop/remove", json!({}))
        .await;
    assert_eq!(removed.status, StatusCode::OK, "{removed:?}");
    let look = |view: &bongsu_lane::ReadView<'_>| {
        let lines = bongsu_audit::page(view.db(), i64::MAX, 100)?;
        Ok((lines, bongsu_audit::check(view.db())?))
    };
    let (lines, whole) = server
        .house
        .lane
        .read(look)
        .await
        .expect("the view is readable");
    let told: Vec<_> = lines.iter().map(|line| (&*line.who, &*line.act)).collect();
    assert_eq!(told[0], ("operator", "client.remove"));
    assert!(told[1..5].iter().all(|one| *one == ("operator", "key.add")));
    assert!(told.contains(&("platform", "key.add")));
    assert!(whole.is_ok());
    server.close().await;
}
