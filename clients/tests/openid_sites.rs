//! Signing in to a service through three data centres at once: one provider, whichever door is taken.

use anyhow::{Context, Result, ensure};
use bongsu_clients::{Browser, Cluster, Device, TEST_PASSWORD};
use reqwest::{Client, Url};
use serde_json::Value;
use tokio::time::{Duration, Instant, sleep};

const REDIRECT: &str = "https://shop.example/in";
/// What the service keeps to itself, and its SHA-256.
const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters";
const CHALLENGE: &str = "AKaopYQ563pi9GQf83eEMKvsNOZCHLRRNarAWfXnrnQ";
/// How long keys may take to be made.
const PATIENCE: Duration = Duration::from_secs(90);

/// The service that people sign in to.
struct Shop<'a> {
    cluster: &'a Cluster,
    id: String,
    secret: String,
    http: Client,
}

impl Shop<'_> {
    /// Sends a form to an endpoint of data centre `site`.
    async fn ask(&self, site: usize, path: &str, fields: &[(&str, &str)]) -> Result<(u16, Value)> {
        let own = [("client_id", &*self.id), ("client_secret", &*self.secret)];
        let all = own.iter().chain(fields);
        let form = Url::parse_with_params("http://form/", all)?;
        let answer = self
            .http
            .post(format!("{}{path}", self.cluster.base_url(site)))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.query().unwrap_or_default().to_owned())
            .send()
            .await?;
        let status = answer.status().as_u16();
        Ok((status, answer.json().await.unwrap_or(Value::Null)))
    }

    async fn refresh(&self, site: usize, token: &str) -> Result<(u16, Value)> {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.ask(site, "/oauth2/token", &fields).await
    }

    /// Whether data centre `site` takes an access token: at both places that say so.
    async fn is_good(&self, site: usize, token: &str) -> Result<bool> {
        let (status, told) = self
            .ask(site, "/oauth2/introspect", &[("token", token)])
            .await?;
        ensure!(status == 200, "{status} {told}");
        let info = self
            .http
            .get(format!("{}/oauth2/userinfo", self.cluster.base_url(site)))
            .header("authorization", format!("Bearer {token}"))
            .send()
            .await?;
        let good = info.status().is_success();
        ensure!(
            told["active"] == good,
            "data centre {site} is of two minds: {told}"
        );
        Ok(good)
    }

    /// Signs mina in through one data centre and redeems the code at another; gives the tokens.
    async fn sign_in(&self, door: usize, elsewhere: usize) -> Result<Value> {
        let url = Url::parse_with_params(
            &format!("{}/oauth2/authorize", self.cluster.base_url(door)),
            [
                ("response_type", "code"),
                ("client_id", &self.id),
                ("redirect_uri", REDIRECT),
                ("scope", "openid profile"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ],
        )?;
        let mut browser = Browser::new()?;
        let page = browser.ask(url, None).await?;
        let fields = [("name", "mina"), ("password", TEST_PASSWORD)];
        let page = browser.send(&page, "/account/sign-in", &fields).await?;
        let page = browser
            .follow(page, |url| !url.as_str().starts_with(REDIRECT))
            .await?;
        let back = page.leads_to.context("led back")?;
        let code = back.query_pairs().find(|(name, _)| name == "code");
        let (_, code) = code.with_context(|| format!("no code: {back}"))?;
        let fields = [
            ("grant_type", "authorization_code"),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
            ("code", &*code),
        ];
        let (status, tokens) = self.ask(elsewhere, "/oauth2/token", &fields).await?;
        ensure!(status == 200, "{status} {tokens}");
        Ok(tokens)
    }
}

fn text<'a>(tokens: &'a Value, name: &str) -> Result<&'a str> {
    tokens[name]
        .as_str()
        .with_context(|| format!("no {name}: {tokens}"))
}

/// A refresh token that all data centres are shown at once gives one answer, and its family ends everywhere at once.
async fn a_family_never_forks(shop: &Shop<'_>) -> Result<()> {
    for door in 1..=3 {
        let tokens = shop.sign_in(door, door % 3 + 1).await?;
        let first = text(&tokens, "refresh_token")?;
        let (one, two, three) = tokio::try_join!(
            shop.refresh(1, first),
            shop.refresh(2, first),
            shop.refresh(3, first)
        )?;
        ensure!(one.0 == 200, "{one:?}");
        ensure!(one == two && two == three, "{one:?}\n{two:?}\n{three:?}");
        let next = shop.refresh(door, text(&one.1, "refresh_token")?).await?.1;
        let (refresh, access) = (text(&next, "refresh_token")?, text(&next, "access_token")?);
        for site in 1..=3 {
            ensure!(shop.is_good(site, access).await?, "data centre {site}");
        }
        // The first is shown again: two have copies.
        let (status, _) = shop.refresh(door % 3 + 1, first).await?;
        ensure!(status == 400, "a spent token was taken");
        for site in 1..=3 {
            ensure!(!shop.is_good(site, access).await?, "data centre {site}");
            let (status, _) = shop.refresh(site, refresh).await?;
            ensure!(
                status == 400,
                "data centre {site} took the last of the family"
            );
        }
    }
    Ok(())
}

/// What was revoked at one is good at none, from the moment that the answer was there.
async fn what_is_revoked_is_good_nowhere(shop: &Shop<'_>) -> Result<()> {
    for n in 0..15 {
        let (here, there) = (n % 3 + 1, (n + 1) % 3 + 1);
        let tokens = shop.sign_in(here, there).await?;
        let access = text(&tokens, "access_token")?;
        ensure!(shop.is_good(here, access).await?, "a fresh token");
        let fields = [("token", text(&tokens, "refresh_token")?)];
        let (status, _) = shop.ask(here, "/oauth2/revoke", &fields).await?;
        ensure!(status == 200, "{status}");
        for site in [there, (n + 2) % 3 + 1, here] {
            ensure!(!shop.is_good(site, access).await?, "data centre {site}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_data_centres_are_one_provider() -> Result<()> {
    let mut cluster = Cluster::start(27).await?;
    Device::register(&cluster.base_url(1), "mina").await?;
    let words = [
        "client",
        "add",
        "Shop",
        "--redirect-uri",
        REDIRECT,
        "--trusted",
        "--auth",
        "client_secret_post",
        "--json",
    ];
    let added = cluster.command(1, &words)?;
    ensure!(added.code == 0, "{}", added.text);
    let added: Value = serde_json::from_str(&added.text).context("JSON")?;
    let http = Client::new();
    for site in 1..=3 {
        let keys = format!("{}/oauth2/keys.json", cluster.base_url(site));
        let deadline = Instant::now() + PATIENCE;
        while !http.get(&keys).send().await?.text().await?.contains("RSA") {
            ensure!(Instant::now() < deadline, "no keys at {site}");
            sleep(Duration::from_millis(100)).await;
        }
    }
    let shop = Shop {
        id: text(&added, "client_id")?.to_owned(),
        secret: text(&added, "client_secret")?.to_owned(),
        cluster: &cluster,
        http,
    };
    a_family_never_forks(&shop).await?;
    what_is_revoked_is_good_nowhere(&shop).await?;
    cluster.stop().await
}
