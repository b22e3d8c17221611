//! Signing out.

use super::browser::Browser;
use super::{Answer, REDIRECT, Server, query, shop};
use bongsu_fetch::{Fetcher, Rules};
use bongsu_identity::{Effect, Identity, Provider};
use bongsu_lane::{EffectError, EffectHandler, EffectId};
use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn signed_in(server: &Server) -> (Browser, Answer) {
    let browser = Browser::default();
    let code = browser.code(server, &query(&[])).await;
    (browser, server.redeem(&code, &[]).await)
}

fn path(pairs: &[(&str, &str)]) -> String {
    format!(
        "/oauth2/logout?{}",
        serde_urlencoded::to_string(pairs).expect("a query")
    )
}

const AFTER: &str = "https://shop.example/out";

#[tokio::test]
async fn a_client_leads_people_out_and_back() {
    let server = Server::with_shop().await;
    let (browser, tokens) = signed_in(&server).await;
    let hint = tokens.field("id_token");
    let out = path(&[
        ("id_token_hint", &hint),
        ("post_logout_redirect_uri", AFTER),
        ("state", "bye"),
    ]);
    let led = browser.get(&server, &out).await;
    assert_eq!(led.location().as_str(), format!("{AFTER}?state=bye"));
    let account = browser.get(&server, "/account").await;
    assert!(
        account.text.contains("current-password"),
        "nobody is signed in"
    );
    let refused = server.refresh(&tokens.field("refresh_token")).await;
    refused.is(400, "invalid_grant");
    server.close().await;
}

#[tokio::test]
async fn without_a_hint_of_this_browser_the_person_is_asked() {
    let server = Server::with_shop().await;
    let (browser, _) = signed_in(&server).await;
    let (_, elsewhere) = signed_in(&server).await;
    let hint = elsewhere.field("id_token");
    for pairs in [
        &[("client_id", "shop")][..],
        &[("id_token_hint", &*hint)],
        &[],
    ] {
        let page = browser.get(&server, &path(pairs)).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains("/account/sign-out"), "{pairs:?}");
    }
    let pairs = [("client_id", "shop"), ("post_logout_redirect_uri", AFTER)];
    let page = browser.get(&server, &path(&pairs)).await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("form-action 'self' https://shop.example;"),
        "{policy}"
    );
    let (seal, request) = (page.hidden("seal"), page.hidden("request"));
    let fields = [("seal", &*seal), ("request", &*request)];
    let led = browser.form(&server, "/account/sign-out", &fields).await;
    assert_eq!(led.location().as_str(), AFTER);
    server.close().await;
}

#[tokio::test]
async fn nobody_is_led_to_an_address_that_is_not_the_clients() {
    let server = Server::with_shop().await;
    let (browser, tokens) = signed_in(&server).await;
    let hint = tokens.field("id_token");
    for pairs in [
        &[
            ("id_token_hint", &*hint),
            ("post_logout_redirect_uri", "https://evil.example/"),
        ][..],
        &[
            ("id_token_hint", &*hint),
            ("post_logout_redirect_uri", REDIRECT),
        ],
        &[("post_logout_redirect_uri", AFTER)],
        &[("id_token_hint", &*hint), ("client_id", "other")],
        &[("id_token_hint", "e30.e30.e30")],
    ] {
        let answer = browser.get(&server, &path(pairs)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{pairs:?}");
    }
    server.close().await;
}

#[tokio::test]
async fn clients_that_want_it_are_told() {
    let server = Server::new().await;
    let mut metadata = shop();
    metadata["backchannel_logout_uri"] = json!("https://shop.example/told");
    server.add_client("shop", metadata).await;
    let (browser, tokens) = signed_in(&server).await;
    let sid = server.claims(&tokens.field("id_token")).await["sid"].clone();
    browser
        .get(
            &server,
            &path(&[("id_token_hint", &tokens.field("id_token"))]),
        )
        .await;
    let look = |view: &bongsu_lane::ReadView<'_>| {
        let mut find = view
            .db()
            .prepare("SELECT body FROM lane_effect ORDER BY id")?;
        let all = find.query_map((), |row| row.get::<_, Vec<u8>>(0))?;
        all.collect::<Result<Vec<_>, _>>()
    };
    let bodies = server
        .house
        .lane
        .read(look)
        .await
        .expect("the view is readable");
    let effects: Vec<Effect> = bodies
        .iter()
        .map(|body| postcard::from_bytes(body).expect("an effect"))
        .collect();
    let [Effect::SignedOut { to, browser, .. }] = &effects[..] else {
        panic!("one is told: {effects:?}");
    };
    assert_eq!(to, "https://shop.example/told");
    let browser = browser.as_ref().map(|device| device.as_str());
    assert_eq!(browser, sid.as_str());
    server.close().await;
}

/// Tells clients, as the flows do.
struct Teller(Provider);

#[async_trait::async_trait]
impl EffectHandler<Identity> for Teller {
    async fn run(&self, id: EffectId, effect: Effect) -> Result<(), EffectError> {
        let Effect::SignedOut {
            client,
            to,
            user,
            browser,
            at,
        } = effect
        else {
            return Ok(());
        };
        let who = (&user, browser.as_ref());
        let told = self.0.tell_signed_out(id, (&client, &to), who, at);
        told.await.map_err(|error| EffectError(error.to_string()))
    }
}

/// Reads a form that comes with one request, and answers with `status`.
async fn take(mut stream: TcpStream, status: &str) -> String {
    let mut text = String::new();
    let length = loop {
        text.push(char::from(stream.read_u8().await.expect("a request")));
        if let Some(head) = text.strip_suffix("\r\n\r\n") {
            let head = head.to_lowercase();
            let (_, length) = head.split_once("content-length: ").expect("a length");
            let length = length.lines().next().expect("a number");
            break length.parse::<usize>().expect("a number");
        }
    };
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("the form");
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
    stream
        .write_all(answer.as_bytes())
        .await
        .expect("it is read");
    String::from_utf8(body).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_is_told_is_repeated_until_it_is_taken_and_can_be_verified() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let rules = Rules {
        ports: vec![address.port()],
        allow_networks: vec!["127.0.0.0/8".parse().expect("a network")],
        ..Rules::default()
    };
    let server = Server::over(Fetcher::new(rules), |_| ()).await;
    let mut metadata = shop();
    metadata["backchannel_logout_uri"] = json!(format!("http://{address}/told"));
    server.add_client("shop", metadata).await;
    let (browser, tokens) = signed_in(&server).await;
    let lane = server.house.lane.clone();
    let telling = tokio::spawn(lane.run_effects(Teller(server.provider.clone())));
    let hint = tokens.field("id_token");
    browser
        .get(&server, &path(&[("id_token_hint", &hint)]))
        .await;
    let mut told = Vec::new();
    for status in ["500 Not now", "200 OK"] {
        let (stream, _) = listener.accept().await.expect("the client is told");
        told.push(take(stream, status).await);
    }
    let mut claims = Vec::new();
    for form in &told {
        let token = form.strip_prefix("logout_token=").expect("the token");
        claims.push(server.claims(token).await);
    }
    let said = &claims[1];
    assert_eq!(said["jti"], claims[0]["jti"], "it is the same news");
    assert_eq!(said["iss"], super::ISSUER);
    assert_eq!(said["aud"], "shop");
    assert_eq!(said["sub"], "@mina:bongsu.test");
    assert_eq!(said["sid"], server.claims(&hint).await["sid"]);
    assert!(said["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object());
    assert_eq!(said.get("nonce"), None);
    telling.abort();
    server.close().await;
}
