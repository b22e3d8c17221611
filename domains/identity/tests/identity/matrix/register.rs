//! Making an account.

use super::Server;
use bongsu_base::Millis;
use bongsu_identity::Registration;
use http::StatusCode;
use serde_json::{Value, json};

fn with_dummy(session: &str, body: Value) -> Value {
    with_auth(json!({"type": "m.login.dummy", "session": session}), body)
}

/// All in one request, which begins no session.
fn at_once(body: Value) -> Value {
    with_auth(json!({"type": "m.login.dummy"}), body)
}

fn with_auth(auth: Value, mut body: Value) -> Value {
    body["auth"] = auth;
    body
}

/// A session of `wishes`.
async fn begin(server: &Server, wishes: Value) -> String {
    let asked = server.post("/v3/register", None, wishes).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED, "{asked:?}");
    asked.text("session")
}

#[tokio::test]
async fn an_open_server_asks_for_a_dummy_stage_and_makes_the_account() {
    let server = Server::new(Registration::Open).await;
    let wanted = json!({"username": "Mina", "password": "dog", "device_id": "PHONE"});
    let asked = server.post("/v3/register", None, wanted.clone()).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(asked.body["flows"], json!([{"stages": ["m.login.dummy"]}]));
    assert_eq!(asked.body["params"], json!({}));
    let session = asked.text("session");
    let made = server
        .post("/v3/register", None, with_dummy(&session, wanted.clone()))
        .await;
    let token = made.text("access_token");
    assert!(token.starts_with("bgs_"));
    made.is_ok(json!({
        "user_id": "@mina:bongsu.test", "device_id": "PHONE", "access_token": token,
        "home_server": "bongsu.test"
    }));
    let answer = server.get("/v3/account/whoami", Some(&token)).await;
    answer.is_ok(json!({"user_id": "@mina:bongsu.test", "device_id": "PHONE"}));
    server
        .post("/v3/register", None, wanted)
        .await
        .is(400, "M_USER_IN_USE");
    server.close().await;
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused() {
    let server = Server::new(Registration::Open).await;
    for (path, body, status, errcode) in [
        (
            "/v3/register",
            json!({"username": "_mina"}),
            400,
            "M_INVALID_USERNAME",
        ),
        (
            "/v3/register",
            json!({"username": "mi na"}),
            400,
            "M_INVALID_USERNAME",
        ),
        (
            "/v3/register",
            json!({"username": "a".repeat(250)}),
            400,
            "M_INVALID_USERNAME",
        ),
        (
            "/v3/register",
            at_once(json!({"username": "mina"})),
            400,
            "M_MISSING_PARAM",
        ),
        (
            "/v3/register",
            at_once(json!({"password": ""})),
            400,
            "M_WEAK_PASSWORD",
        ),
        (
            "/v3/register",
            json!({"type": "m.login.application_service"}),
            403,
            "M_FORBIDDEN",
        ),
        ("/v3/register", json!({"username": 5}), 400, "M_BAD_JSON"),
    ] {
        server.post(path, None, body).await.is(status, errcode);
    }
    server.close().await;
}

#[tokio::test]
async fn a_name_is_made_up_and_the_sign_in_left_out_if_wanted() {
    let server = Server::new(Registration::Open).await;
    let body = at_once(json!({"password": "dog", "inhibit_login": true}));
    let made = server.post("/v3/register", None, body).await;
    let user = made.text("user_id");
    assert!(
        user.starts_with('@') && user.ends_with(":bongsu.test"),
        "{user}"
    );
    assert_eq!(made.body.get("access_token"), None);
    let body = at_once(json!({"password": "dog", "refresh_token": true}));
    let made = server.post("/v3/register", None, body).await;
    assert_eq!(made.body["expires_in_ms"], 3_600_000);
    assert!(made.text("refresh_token").starts_with("bgs_"));
    server.close().await;
}

#[tokio::test]
async fn a_token_opens_registration() {
    let server = Server::new(Registration::Token("tower".into())).await;
    let ask = |auth: Value| {
        let body = json!({"username": "mina", "password": "dog", "auth": auth});
        server.post("/v3/register", None, body)
    };
    let asked = server.post("/v3/register", None, json!({})).await;
    assert_eq!(
        asked.body["flows"],
        json!([{"stages": ["m.login.registration_token"]}])
    );
    let kind = "m.login.registration_token";
    let session = asked.text("session");
    let wrong = ask(json!({"type": kind, "token": "beacon", "session": session})).await;
    wrong.is(401, "M_FORBIDDEN");
    assert_eq!(wrong.text("session"), session);
    let wrong = ask(json!({"type": kind, "token": "beacon"})).await;
    wrong.is(401, "M_FORBIDDEN");
    assert_ne!(wrong.text("session"), session, "another one begins");
    ask(json!({"type": "m.login.dummy", "session": session}))
        .await
        .is(401, "M_FORBIDDEN");
    let made = ask(json!({"type": kind, "token": "tower", "session": session})).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    for (token, valid) in [("tower", true), ("beacon", false)] {
        let path = format!("/v1/register/{kind}/validity?token={token}");
        server.get(&path, None).await.is_ok(json!({"valid": valid}));
    }
    server.close().await;
}

#[tokio::test]
async fn a_closed_server_makes_no_accounts() {
    let server = Server::new(Registration::Closed).await;
    for path in ["/v3/register", "/v3/register?kind=guest"] {
        let answer = server.post(path, None, json!({})).await;
        answer.is(403, "M_FORBIDDEN");
    }
    let path = "/v1/register/m.login.registration_token/validity?token=t";
    server.get(path, None).await.is_ok(json!({"valid": false}));
    let answer = server
        .post("/v3/register?kind=robot", None, json!({}))
        .await;
    answer.is(400, "M_UNRECOGNIZED");
    server.close().await;
}

#[tokio::test]
async fn one_can_ask_whether_a_name_can_be_had() {
    let server = Server::with_mina().await;
    let ask = |name: &str| {
        let path = format!("/v3/register/available?username={name}");
        let server = &server;
        async move { server.get(&path, None).await }
    };
    ask("juno").await.is_ok(json!({"available": true}));
    ask("mina").await.is(400, "M_USER_IN_USE");
    ask("mi%20na").await.is(400, "M_INVALID_USERNAME");
    server.close().await;
}

#[tokio::test]
async fn a_session_remembers_what_it_was_begun_with() {
    let server = Server::new(Registration::Open).await;
    let wanted = json!({
        "username": "mina", "password": "dog", "device_id": "PHONE",
        "initial_device_display_name": "Pocket", "inhibit_login": 0
    });
    let asked = server.post("/v3/register", None, wanted).await;
    let session = asked.text("session");
    let rest = with_dummy(&session, json!({}));
    let made = server.post("/v3/register", None, rest.clone()).await;
    assert_eq!(made.text("user_id"), "@mina:bongsu.test");
    let token = made.text("access_token");
    let device = server.get("/v3/devices/PHONE", Some(&token)).await;
    assert_eq!(device.text("display_name"), "Pocket");
    // The answer did not arrive, and is asked for again; without the password nothing is told.
    server
        .post("/v3/register", None, rest)
        .await
        .is(400, "M_MISSING_PARAM");
    for (password, status) in [("cat", 403), ("dog", 200)] {
        let again = with_dummy(&session, json!({"username": "mina", "password": password}));
        let again = server.post("/v3/register", None, again).await;
        assert_eq!(again.status.as_u16(), status, "{again:?}");
    }
    server.close().await;
}

#[tokio::test]
async fn a_session_makes_one_account() {
    let server = Server::new(Registration::Open).await;
    let wanted = |name: &str| json!({"username": name, "password": "dog"});
    let session = begin(&server, json!({})).await;
    let register = |name: &str| {
        let body = with_dummy(&session, wanted(name));
        server.post("/v3/register", None, body)
    };
    server
        .accounts
        .create("sora", "cat", false)
        .await
        .expect("free");
    // What is refused leaves the session open.
    for _ in 0..2 {
        register("sora").await.is(400, "M_USER_IN_USE");
    }
    register("mina").await.text("access_token");
    register("jun").await.is(403, "M_FORBIDDEN");
    server
        .get("/v3/register/available?username=jun", None)
        .await
        .is_ok(json!({"available": true}));
    // Somebody else's account opens with its own password alone.
    register("sora").await.is(403, "M_FORBIDDEN");
    register("mina").await.text("access_token");
    let fresh = begin(&server, json!({})).await;
    let jun = with_dummy(&fresh, wanted("jun"));
    server
        .post("/v3/register", None, jun)
        .await
        .text("access_token");
    server.close().await;
}

#[tokio::test]
async fn two_who_finish_a_session_at_once_get_one_account() {
    let server = Server::new(Registration::Open).await;
    let session = begin(&server, json!({"password": "dog"})).await;
    let finish = |name: Value| {
        let body = with_dummy(&session, json!({"username": name, "password": "dog"}));
        server.post("/v3/register", None, body)
    };
    let (one, other) = tokio::join!(finish("mina".into()), finish("jun".into()));
    let made = [&one, &other].map(|answer| answer.status == StatusCode::OK);
    assert_eq!(
        made.iter().filter(|made| **made).count(),
        1,
        "{one:?} {other:?}"
    );
    // Whoever names nobody has one account too.
    let session = begin(&server, json!({"password": "dog"})).await;
    let finish = || {
        let body = with_dummy(&session, json!({"password": "dog"}));
        server.post("/v3/register", None, body)
    };
    let (one, other) = tokio::join!(finish(), finish());
    assert_eq!(one.text("user_id"), other.text("user_id"));
    for answer in [one, other] {
        let token = answer.text("access_token");
        assert!(server.whoami(&token).await.is_ok());
    }
    server.close().await;
}

#[tokio::test]
async fn a_session_is_known_in_every_data_centre_for_a_day() {
    let mut server = Server::new(Registration::Open).await;
    let wishes = json!({"username": "mina", "password": "dog"});
    let session = begin(&server, wishes).await;
    for wrong in ["made up", "", &session[1..]] {
        let body = with_dummy(wrong, json!({}));
        let answer = server.post("/v3/register", None, body).await;
        answer.is(400, "M_UNKNOWN");
    }
    let finish = with_dummy(&session, json!({}));
    server.elsewhere(2);
    let unknown = server.post("/v3/register", None, finish.clone()).await;
    unknown.is(400, "M_UNKNOWN");
    server.elsewhere(1);
    server.pass(Millis::hours(23));
    let made = server.post("/v3/register", None, finish.clone()).await;
    assert_eq!(made.text("user_id"), "@mina:bongsu.test");
    server.pass(Millis::hours(1));
    let late = server.post("/v3/register", None, finish).await;
    late.is(400, "M_UNKNOWN");
    server.close().await;
}

#[tokio::test]
async fn a_guest_has_a_token_that_says_so_and_no_password() {
    let server = Server::new(Registration::Open).await;
    let guest = server
        .post("/v3/register?kind=guest", None, json!({}))
        .await;
    let (user, token) = (guest.text("user_id"), guest.text("access_token"));
    assert!(
        user.starts_with("@guest-") && token.starts_with("bgg_"),
        "{guest:?}"
    );
    let whoami = server.get("/v3/account/whoami", Some(&token)).await;
    assert_eq!(
        (&whoami.body["is_guest"], whoami.text("device_id")),
        (&json!(true), guest.text("device_id"))
    );
    let name = json!({"displayname": "Passer-by"});
    let path = format!("/v3/profile/{user}/displayname");
    assert_eq!(
        server.put(&path, Some(&token), name).await.status,
        StatusCode::OK
    );
    for path in [
        "/v3/account/password",
        "/v3/account/deactivate",
        "/v3/delete_devices",
    ] {
        let refused = server.post(path, Some(&token), json!({})).await;
        refused.is(403, "M_GUEST_ACCESS_FORBIDDEN");
    }
    server.close().await;
}

#[tokio::test]
async fn a_guest_gets_a_password_and_is_one_no_more() {
    let server = Server::new(Registration::Open).await;
    let guest = server
        .post("/v3/register?kind=guest", None, json!({}))
        .await;
    let (user, token) = (guest.text("user_id"), guest.text("access_token"));
    let local = user
        .trim_start_matches('@')
        .split(':')
        .next()
        .expect("a name")
        .to_owned();
    let grow = |token: &str, name: &str| {
        let body = json!({"username": name, "password": "dog", "guest_access_token": token});
        at_once(body)
    };
    let other = server
        .post("/v3/register?kind=guest", None, json!({}))
        .await;
    let stolen = grow(&other.text("access_token"), &local);
    server
        .post("/v3/register", None, stolen)
        .await
        .is(400, "M_USER_IN_USE");
    let unknown = grow("bgg_nonsense", &local);
    server
        .post("/v3/register", None, unknown)
        .await
        .is(401, "M_UNKNOWN_TOKEN");
    let mut unproven = grow(&token, &local);
    unproven["auth"] = json!(null);
    let asked = server.post("/v3/register", None, unproven).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    let mut body = grow(&token, &local);
    let session = begin(&server, json!({})).await;
    body["auth"]["session"] = session.into();
    let grown = server.post("/v3/register", None, body.clone()).await;
    assert_eq!(grown.text("user_id"), user);
    // The answer did not arrive, and is asked for again.
    let grown = server.post("/v3/register", None, body).await;
    assert_eq!(grown.text("user_id"), user);
    let own = grown.text("access_token");
    assert!(own.starts_with("bgs_"));
    assert_eq!(
        server.whoami(&token).await,
        Err("M_UNKNOWN_TOKEN".to_owned())
    );
    let whoami = server.get("/v3/account/whoami", Some(&own)).await;
    assert_ne!(whoami.body["is_guest"], true);
    let again = grow(&own, &local);
    server
        .post("/v3/register", None, again)
        .await
        .is(400, "M_USER_IN_USE");
    server.close().await;
}

#[tokio::test]
async fn who_presents_nothing_yet_is_told_what_is_completed() {
    let server = Server::new(Registration::Open).await;
    let wishes = json!({"username": "juno", "password": "a long phrase"});
    let asked = server.post("/v3/register", None, wishes.clone()).await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(asked.body["completed"], json!([]));
    let mut again = wishes;
    again["auth"] = json!({"session": asked.text("session")});
    let again = server.post("/v3/register", None, again).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    assert_eq!(again.body, asked.body, "a session alone is no wrong answer");
    server.close().await;
}

#[tokio::test]
async fn an_identifier_of_an_unknown_type_is_no_wrong_password() {
    let server = Server::with_mina().await;
    let sign_in = async |identifier: Value| {
        let body = json!({"type": "m.login.password", "identifier": identifier, "password": "x"});
        server.post("/v3/login", None, body).await
    };
    let mail = json!({"type": "m.id.thirdparty", "medium": "email", "address": "mina@b.kr"});
    sign_in(mail).await.is(403, "M_FORBIDDEN");
    let unknown = json!({"type": "m.id.pigeon", "user": "mina"});
    sign_in(unknown).await.is(400, "M_UNKNOWN");
    server.close().await;
}
