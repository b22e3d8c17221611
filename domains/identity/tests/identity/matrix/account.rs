//! Changing the password, ending the account, and what the operator does.

use super::{Server, password};
use bongsu_identity::{AccountError, Rejected};
use bongsu_web_kit::People;
use http::StatusCode;
use serde_json::{Value, json};

fn proof(word: &str) -> Value {
    password("mina", word)
}

#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_the_old_one() {
    let server = Server::with_mina().await;
    let (here, there) = (server.sign_in("HERE").await, server.sign_in("THERE").await);
    let change = |auth: Option<Value>| {
        let mut body = json!({"new_password": "cat"});
        if let Some(auth) = auth {
            body["auth"] = auth;
        }
        server.post("/v3/account/password", Some(&here), body)
    };
    let asked = change(None).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        asked.body["flows"],
        json!([{"stages": ["m.login.password"]}])
    );
    assert!(!asked.text("session").is_empty());
    assert_eq!(asked.body.get("errcode"), None);

    let mut bird = proof("bird");
    bird["session"] = asked.text("session").into();
    let wrong = change(Some(bird)).await;
    wrong.is(401, "M_FORBIDDEN");
    assert_eq!(wrong.text("session"), asked.text("session"));
    assert_eq!(
        wrong.body["flows"],
        json!([{"stages": ["m.login.password"]}])
    );
    let mut other = proof("dog");
    other["identifier"]["user"] = "juno".into();
    change(Some(other)).await.is(401, "M_FORBIDDEN");
    change(Some(json!({"type": "m.login.dummy"})))
        .await
        .is(401, "M_UNRECOGNIZED");

    change(Some(proof("dog"))).await.is_ok(json!({}));
    assert!(server.whoami(&here).await.is_ok());
    assert!(server.whoami(&there).await.is_err());
    server
        .post("/v3/login", None, password("mina", "dog"))
        .await
        .is(403, "M_FORBIDDEN");
    let answer = server
        .post("/v3/login", None, password("mina", "cat"))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = json!({"new_password": "cat"});
    server
        .post("/v3/account/password", None, body)
        .await
        .is(401, "M_MISSING_TOKEN");
    server.close().await;
}

#[tokio::test]
async fn other_devices_stay_if_wanted() {
    let server = Server::with_mina().await;
    let (here, there) = (server.sign_in("HERE").await, server.sign_in("THERE").await);
    let body = json!({"new_password": "cat", "logout_devices": false, "auth": proof("dog")});
    server
        .post("/v3/account/password", Some(&here), body)
        .await
        .is_ok(json!({}));
    assert!(server.whoami(&there).await.is_ok());
    server.close().await;
}

#[tokio::test]
async fn an_account_ends_for_good() {
    let server = Server::with_mina().await;
    let token = server.sign_in("PHONE").await;
    server
        .get("/v3/account/3pid", Some(&token))
        .await
        .is_ok(json!({"threepids": []}));
    let asked = server
        .post("/v3/account/deactivate", Some(&token), json!({}))
        .await;
    assert_eq!(
        asked.body["flows"],
        json!([{"stages": ["m.login.password"]}])
    );
    let mut body = json!({"auth": proof("dog"), "erase": true});
    body["auth"]["session"] = asked.text("session").into();
    let ended = server
        .post("/v3/account/deactivate", Some(&token), body)
        .await;
    ended.is_ok(json!({"id_server_unbind_result": "success"}));
    assert!(server.whoami(&token).await.is_err());
    for path in ["@mina:bongsu.test", "@mina:bongsu.test/displayname"] {
        server
            .get(&format!("/v3/profile/{path}"), None)
            .await
            .is(404, "M_NOT_FOUND");
    }
    server
        .post("/v3/login", None, password("mina", "dog"))
        .await
        .is(403, "M_FORBIDDEN");
    let again = server.accounts.create("mina", "dog", false).await;
    assert!(
        matches!(again, Err(AccountError::Rejected(Rejected::UserInUse))),
        "{again:?}"
    );
    server.close().await;
}

#[tokio::test]
async fn the_operator_makes_accounts_and_resets_passwords() {
    let server = Server::with_mina().await;
    let token = server.sign_in("PHONE").await;
    let mina = "@mina:bongsu.test".parse().expect("a user id");
    server
        .accounts
        .reset_password(&mina, "cat", true)
        .await
        .expect("there is such an account");
    assert!(server.whoami(&token).await.is_err());
    let answer = server
        .post("/v3/login", None, password("mina", "cat"))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    for (name, word, is_it) in [
        ("Juno", "cat", "a-z"),
        ("juno", "", "1 to 512"),
        ("mina", "cat", "taken"),
    ] {
        let error = server
            .accounts
            .create(name, word, true)
            .await
            .expect_err("refused");
        assert!(error.to_string().contains(is_it), "{error}");
    }
    let juno = server
        .accounts
        .create("juno", "cat", true)
        .await
        .expect("the name is free");
    let profile = server.accounts.profile(&juno).await.expect("is readable");
    let shown = profile.expect("an account").displayname;
    assert_eq!(shown.as_deref(), Some("juno"));
    let nobody = "@nobody:bongsu.test".parse().expect("a user id");
    let error = server
        .accounts
        .reset_password(&nobody, "cat", true)
        .await
        .expect_err("nobody");
    assert_eq!(error.to_string(), "there is no such account");
    server.close().await;
}
