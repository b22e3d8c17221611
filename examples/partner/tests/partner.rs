//! The service beside two real providers, each of which can be lost.

use anyhow::{Context, Result, ensure};
use bongsu_clients::{Browser, Page, Server, TEST_PASSWORD};
use bongsu_partner::{Clock, Partner, Policy, ProviderSettings, Settings, hash};
use serde_json::{Value, json};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How long, in seconds, what was heard of the provider is relied on.
const BOUND: i64 = 300;

/// The password that the service keeps itself.
const OWN: &str = "a lantern at the gate";

/// The three ways to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Bongsu,
    Second,
    Password,
}

const WAYS: [Way; 3] = [Way::Bongsu, Way::Second, Way::Password];

/// The service with everything that it stands beside.
struct House {
    folder: TempDir,
    bongsu: Server,
    second: Server,
    clients: [Value; 2],
    address: String,
    listener: Option<TcpListener>,
    /// What the clock of the service is ahead of the machine's.
    ahead: Arc<AtomicI64>,
    serving: Option<JoinHandle<()>>,
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

async fn provider(redirect: &str) -> Result<(Server, Value)> {
    let server = Server::start_with(&["--client-token-seconds", "3600"]).await?;
    server.administer(&["user", "add", "mina", "--password-stdin"], TEST_PASSWORD)?;
    let words = [
        "client",
        "add",
        "Partner",
        "--redirect-uri",
        redirect,
        "--trusted",
    ];
    let client = server.administer(&words, "")?;
    server.keys_made().await?;
    Ok((server, client))
}

#[expect(
    clippy::disallowed_methods,
    reason = "tokens of real servers are of today"
)]
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(0))
}

impl House {
    async fn new() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let at = |way: &str| format!("{address}/signed-in/{way}");
        let (bongsu, one) = provider(&at("bongsu")).await?;
        let (second, other) = provider(&at("second")).await?;
        let folder = tempfile::tempdir()?;
        let accounts = json!([
            {"name": "mina", "bongsu": "@mina:localhost", "second": "@mina:localhost"},
            {"name": "jun"},
        ]);
        fs::write(folder.path().join("accounts.json"), accounts.to_string())?;
        let passwords = json!({"mina": hash(OWN, &[7; 16])?});
        fs::write(folder.path().join("passwords.json"), passwords.to_string())?;
        Ok(Self {
            folder,
            bongsu,
            second,
            clients: [one, other],
            address,
            listener: Some(listener),
            ahead: Arc::default(),
            serving: None,
        })
    }

    fn partner(&self, past: Policy) -> Result<Partner> {
        let of = |server: &Server, client: &Value| ProviderSettings {
            issuer: server.base_url(),
            client: client["client_id"].as_str().unwrap_or_default().to_owned(),
            secret: client["client_secret"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        };
        let settings = Settings {
            base_url: self.address.clone(),
            accounts: self.folder.path().join("accounts.json"),
            passwords: self.folder.path().join("passwords.json"),
            bongsu: of(&self.bongsu, &self.clients[0]),
            second: of(&self.second, &self.clients[1]),
            bound: BOUND,
            past,
        };
        let ahead = self.ahead.clone();
        let clock: Clock = Arc::new(move || now() + ahead.load(Ordering::SeqCst));
        Partner::new(settings, clock)
    }

    /// With the service serving.
    async fn serving() -> Result<Self> {
        let mut house = Self::new().await?;
        let router = house.partner(Policy::Refuse)?.router();
        let listener = house.listener.take().context("it is not served yet")?;
        house.serving = Some(tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        }));
        Ok(house)
    }

    fn pass(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::SeqCst);
    }

    fn lose(&mut self, way: Way) -> Result<()> {
        match way {
            Way::Bongsu => self.bongsu.kill9(),
            Way::Second => self.second.kill9(),
            Way::Password => Ok(fs::remove_file(self.folder.path().join("passwords.json"))?),
        }
    }

    /// Signs mina in, in a browser that knows nobody; gives the last page.
    async fn sign_in(&self, way: Way) -> Result<Page> {
        let mut browser = Browser::new()?;
        let home = browser.go(&self.address).await?;
        let way = match way {
            Way::Bongsu => "bongsu",
            Way::Second => "second",
            Way::Password => {
                let fields = [("name", "mina"), ("password", OWN)];
                let page = browser.send(&home, "/sign-in/password", &fields).await?;
                return browser.follow(page, |_| true).await;
            }
        };
        let page = browser
            .go(&format!("{}/sign-in/{way}", self.address))
            .await?;
        if page.status == 200 {
            browser.sign_in(page, "mina", TEST_PASSWORD).await
        } else {
            Ok(page)
        }
    }

    /// Whether mina is signed in to her one account this way; otherwise the service has to say that the way is lost.
    async fn works(&self, way: Way) -> Result<bool> {
        let page = self.sign_in(way).await?;
        if page.status == 200 && page.text.contains("You are <strong>mina</strong>") {
            return Ok(true);
        }
        ensure!(page.status == 503, "{way:?}: {} {}", page.status, page.text);
        ensure!(
            page.text.contains("/sign-in/bongsu"),
            "the other ways are shown"
        );
        Ok(false)
    }
}

#[tokio::test]
async fn any_two_ways_can_be_lost() -> Result<()> {
    for left in WAYS {
        let mut house = House::serving().await?;
        for way in WAYS {
            assert!(house.works(way).await?, "{way:?}");
        }
        for way in WAYS.into_iter().filter(|way| *way != left) {
            house.lose(way)?;
        }
        // What was heard of a provider a moment ago is no longer taken for its being there.
        house.pass(11);
        for way in WAYS {
            assert_eq!(
                house.works(way).await?,
                way == left,
                "{way:?}, {left:?} is left"
            );
        }
    }
    Ok(())
}

/// An access token of mina's.
async fn token(house: &House) -> Result<String> {
    let base = house.bongsu.base_url();
    let redirect = format!("{}/signed-in/bongsu", house.address);
    let verifier = "a-verifier-of-more-than-forty-three-characters";
    // SHA-256 of it, in base64url.
    let challenge = "AKaopYQ563pi9GQf83eEMKvsNOZCHLRRNarAWfXnrnQ";
    let client = &house.clients[0];
    let text = |name: &str| client[name].as_str().unwrap_or_default().to_owned();
    let url = reqwest::Url::parse_with_params(
        &format!("{base}/oauth2/authorize"),
        [
            ("response_type", "code"),
            ("client_id", &text("client_id")),
            ("redirect_uri", &redirect),
            ("scope", "openid"),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
        ],
    )?;
    let mut browser = Browser::new()?;
    let page = browser.ask(url, None).await?;
    let fields = [("name", "mina"), ("password", TEST_PASSWORD)];
    let page = browser.send(&page, "/account/sign-in", &fields).await?;
    let here = |url: &reqwest::Url| url.as_str().starts_with(&base);
    let page = browser.follow(page, here).await?;
    let back = page.leads_to.context("the browser is led back")?;
    let code = back.query_pairs().find(|(name, _)| name == "code");
    let (_, code) = code.context("there is a code")?;
    let form = [
        ("grant_type", "authorization_code"),
        ("redirect_uri", &redirect),
        ("code_verifier", verifier),
        ("code", &code),
    ];
    let body = reqwest::Url::parse_with_params("http://form/", form)?;
    let answer = reqwest::Client::new()
        .post(format!("{base}/oauth2/token"))
        .basic_auth(text("client_id"), Some(text("client_secret")))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.query().unwrap_or_default().to_owned())
        .send()
        .await?;
    let tokens: Value = answer.json().await?;
    let token = tokens["access_token"].as_str();
    Ok(token
        .with_context(|| format!("no token: {tokens}"))?
        .to_owned())
}

/// What a program gets that calls the service with this token.
async fn me(partner: &Partner, token: &str) -> Result<(u16, Value)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = partner.router();
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let answer = reqwest::Client::new()
        .get(format!("http://{address}/api/me"))
        .header("authorization", format!("Bearer {token}"))
        .send()
        .await?;
    let status = answer.status().as_u16();
    let body = answer.json().await.unwrap_or(Value::Null);
    serving.abort();
    Ok((status, body))
}

#[tokio::test]
async fn tokens_are_verified_until_the_bound_and_then_as_the_policy_says() -> Result<()> {
    let mut house = House::new().await?;
    let token = token(&house).await?;
    let (strict, lenient) = (
        house.partner(Policy::Refuse)?,
        house.partner(Policy::TakeAndSay)?,
    );
    let good = |stale: bool| (200, json!({"account": "mina", "stale": stale}));
    for partner in [&strict, &lenient] {
        assert_eq!(me(partner, &token).await?, good(false));
        assert_eq!(me(partner, "bgs_other").await?.0, 401);
    }
    // All that there is of Bongsu is gone.
    house.lose(Way::Bongsu)?;
    house.pass(BOUND - 60);
    for partner in [&strict, &lenient] {
        assert_eq!(me(partner, &token).await?, good(false), "within the bound");
    }
    house.pass(120);
    assert_eq!(
        me(&strict, &token).await?.0,
        503,
        "it cannot be said any more"
    );
    assert_eq!(me(&lenient, &token).await?, good(true));
    // Whatever the policy, a token does not outlive itself.
    house.pass(3600);
    assert_eq!(me(&lenient, &token).await?.0, 401);
    Ok(())
}

#[tokio::test]
async fn nobody_is_signed_in_by_somebody_elses_answer() -> Result<()> {
    let house = House::serving().await?;
    let mut thief = Browser::new()?;
    let page = thief
        .go(&format!("{}/sign-in/bongsu", house.address))
        .await?;
    let base = house.bongsu.base_url();
    let fields = [("name", "mina"), ("password", TEST_PASSWORD)];
    let page = thief.send(&page, "/account/sign-in", &fields).await?;
    let here = |url: &reqwest::Url| url.as_str().starts_with(&base);
    let page = thief.follow(page, here).await?;
    let back = page.leads_to.context("led back")?;
    // A link to the thief's own answer, in another browser.
    let victim = Browser::new()?.go(back.as_str()).await?;
    assert_eq!(victim.status, 400, "{}", victim.text);
    // The answer of one provider at the address of the other.
    let mixed = back
        .as_str()
        .replace("/signed-in/bongsu", "/signed-in/second");
    let mixed = thief.go(&mixed).await?;
    assert_eq!(mixed.status, 400, "{}", mixed.text);
    // A form that comes from nowhere.
    let bare = reqwest::Client::new()
        .post(format!("{}/sign-in/password", house.address))
        .body(format!("name=mina&password={OWN}"))
        .send()
        .await?;
    assert_eq!(bare.status().as_u16(), 403);
    Ok(())
}
