//! A person with a browser, and the client that they sign in to.

use crate::client::{Asked, Client as Connection};
use crate::cluster::platform::{Platform, SITES};
use crate::server::Server;
use anyhow::{Context, Result, ensure};
use data_encoding::BASE64;
use http::{HeaderMap, Method, StatusCode, header};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Where clients have codes sent.
const REDIRECT: &str = "https%3A%2F%2Fshop.example%2Fin";
/// What a client keeps to itself, and its SHA-256.
const VERIFIER: &str = "a-verifier-of-more-than-forty-three-characters";
const CHALLENGE: &str = "AKaopYQ563pi9GQf83eEMKvsNOZCHLRRNarAWfXnrnQ";
/// How long keys may take to be made.
const KEYS_WITHIN: Duration = Duration::from_secs(60);
/// The password of everybody in the benchmark.
pub const PASSWORD: &str = "a beacon on every hill";

/// A client as a provider knows it.
#[derive(Debug, Clone)]
pub struct Client {
    pub id: String,
    pub secret: Option<String>,
}

/// A provider and what is where.
#[derive(Debug, Clone)]
pub struct Place {
    pub address: String,
    paths: BTreeMap<&'static str, String>,
    /// One without a secret, and one with.
    pub shop: Client,
    pub web: Client,
}

/// What a client has of a session.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// A browser.
pub struct Browser {
    connection: Connection,
    cookies: BTreeMap<String, String>,
}

impl Place {
    /// Ours on one machine: an account and two clients are made.
    pub async fn ours(server: &Server, binary: &Path) -> Result<Self> {
        Self::made(&server.address, binary, ("--data", server.folder())).await
    }

    /// Ours in each of three data centres: an account and two clients are made.
    pub async fn cluster(platform: &Platform, binary: &Path) -> Result<Vec<Self>> {
        let configuration = platform.configuration();
        let first = Self::made(&platform.address(0), binary, ("--config", &configuration)).await?;
        let at = |site| Self {
            address: platform.address(site),
            ..first.clone()
        };
        Ok((0..SITES).map(at).collect())
    }

    async fn made(address: &str, binary: &Path, (option, place): (&str, &Path)) -> Result<Self> {
        let administer = |words: &[&str], input: &str| -> Result<Value> {
            let mut child = Command::new(binary)
                .args(words)
                .arg("--json")
                .arg(option)
                .arg(place)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            let mut stdin = child.stdin.take().context("it is piped")?;
            std::io::Write::write_all(&mut stdin, input.as_bytes())?;
            drop(stdin);
            let output = child.wait_with_output()?;
            ensure!(output.status.success(), "{words:?} failed");
            Ok(serde_json::from_slice(&output.stdout)?)
        };
        administer(&["user", "add", "mina", "--password-stdin"], PASSWORD)?;
        let uri = "https://shop.example/in";
        let common = ["--redirect-uri", uri, "--trusted"];
        let add = |words: &[&str]| -> Result<Client> {
            let words = [&["client", "add"], words, &common].concat();
            let made = administer(&words, "")?;
            Ok(Client {
                id: made["client_id"].as_str().context("an id")?.to_owned(),
                secret: made["client_secret"].as_str().map(ToOwned::to_owned),
            })
        };
        let (shop, web) = (add(&["shop", "--auth", "none"])?, add(&["web"])?);
        Self::at(address, (shop, web)).await
    }

    /// The peer's, which knows the clients from its configuration.
    pub async fn peers(server: &Server) -> Result<Self> {
        let client = |id: &str, secret: Option<&str>| Client {
            id: id.to_owned(),
            secret: secret.map(ToOwned::to_owned),
        };
        let web = client("web", Some("a-secret-of-the-benchmark"));
        Self::at(&server.address, (client("shop", None), web)).await
    }

    async fn at(address: &str, (shop, web): (Client, Client)) -> Result<Self> {
        let mut connection = Connection::connect(address).await?;
        let told = connection
            .ask(Method::GET, "/.well-known/openid-configuration", Vec::new())
            .await?;
        let told: Value = serde_json::from_slice(&told)?;
        let mut paths = BTreeMap::new();
        for name in [
            "authorization_endpoint",
            "token_endpoint",
            "introspection_endpoint",
            "userinfo_endpoint",
            "jwks_uri",
        ] {
            let url = told[name].as_str().with_context(|| format!("no {name}"))?;
            let (_, path) = url.split_once("://").context("a URL")?;
            let path = path.find('/').map_or("/", |at| &path[at..]);
            paths.insert(name, path.to_owned());
        }
        let place = Self {
            address: address.to_owned(),
            paths,
            shop,
            web,
        };
        let deadline = Instant::now() + KEYS_WITHIN;
        loop {
            let keys = connection
                .ask(Method::GET, place.path("jwks_uri"), Vec::new())
                .await;
            if keys.is_ok_and(|keys| crate::client::find(&keys, b"RSA").is_some()) {
                return Ok(place);
            }
            ensure!(Instant::now() < deadline, "no keys after {KEYS_WITHIN:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Where something is.
    pub fn path(&self, name: &str) -> &str {
        self.paths.get(name).map_or("/", String::as_str)
    }

    /// Redeems a code.
    pub async fn redeem(
        &self,
        connection: &mut Connection,
        client: &Client,
        code: &str,
    ) -> Result<Tokens> {
        let form = format!(
            "grant_type=authorization_code&redirect_uri={REDIRECT}&code_verifier={VERIFIER}&code={code}&client_id={}",
            client.id
        );
        self.tokens(connection, client, form).await
    }

    /// Replaces tokens.
    pub async fn refresh(
        &self,
        connection: &mut Connection,
        client: &Client,
        refresh: &str,
    ) -> Result<Tokens> {
        let form = format!(
            "grant_type=refresh_token&refresh_token={refresh}&client_id={}",
            client.id
        );
        self.tokens(connection, client, form).await
    }

    async fn tokens(
        &self,
        connection: &mut Connection,
        client: &Client,
        form: String,
    ) -> Result<Tokens> {
        let mut asked = Asked::form(self.path("token_endpoint"), form);
        asked.headers.extend(client.basic());
        let answer = connection.request(asked).await?;
        let body: Value = serde_json::from_slice(&answer.body)?;
        let text = |name: &str| body[name].as_str().map(ToOwned::to_owned);
        match (answer.status, text("access_token"), text("refresh_token")) {
            (StatusCode::OK, Some(access), Some(refresh)) => Ok(Tokens { access, refresh }),
            (status, ..) => anyhow::bail!("no tokens: {status} {body}"),
        }
    }
}

impl Client {
    /// The header with its secret, if it has one.
    pub fn basic(&self) -> Option<(&'static str, String)> {
        let secret = self.secret.as_ref()?;
        let basic = BASE64.encode(format!("{}:{secret}", self.id).as_bytes());
        Some(("authorization", format!("Basic {basic}")))
    }
}

impl Browser {
    /// One in which nobody is signed in.
    pub async fn new(place: &Place) -> Result<Self> {
        Ok(Self {
            connection: Connection::connect(&place.address).await?,
            cookies: BTreeMap::new(),
        })
    }

    async fn ask(
        &mut self,
        path: &str,
        form: Option<String>,
    ) -> Result<(StatusCode, HeaderMap, String)> {
        let mut asked = match form {
            Some(form) => Asked::form(path, form),
            None => Asked::get(path),
        };
        let sent: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        asked.headers.push(("cookie", sent.join("; ")));
        let answer = self.connection.request(asked).await?;
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let pair = line.to_str()?.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').context("a cookie")?;
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        Ok((answer.status, answer.headers, text))
    }

    /// The form of a page on which somebody signs in, and what it carries.
    pub async fn form(&mut self, path: &str) -> Result<String> {
        let (_, _, page) = self.ask(path, None).await?;
        let field = |name: &str| {
            let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
            let (value, _) = rest.split_once('"')?;
            let plain = value.replace("&#38;", "&");
            Some(
                plain
                    .replace('%', "%25")
                    .replace('&', "%26")
                    .replace('=', "%3D")
                    .replace('+', "%2B"),
            )
        };
        let (seal, next) = (
            field("seal").context("a seal")?,
            field("next").context("a next")?,
        );
        Ok(format!("seal={seal}&next={next}"))
    }

    /// Sends the form with a name and a password; the status.
    pub async fn sign_in(&mut self, form: &str, name: &str, password: &str) -> Result<StatusCode> {
        let password = password.replace(' ', "+");
        let form = format!("{form}&name={name}&password={password}");
        let (status, ..) = self.ask("/account/sign-in", Some(form)).await?;
        Ok(status)
    }

    /// A code for `client`: on whatever ways the provider leads through itself.
    pub async fn code(&mut self, place: &Place, client: &Client, scope: &str) -> Result<String> {
        let first = format!(
            "{}?response_type=code&client_id={}&redirect_uri={REDIRECT}&scope={scope}&state=a\
             &code_challenge={CHALLENGE}&code_challenge_method=S256",
            place.path("authorization_endpoint"),
            client.id
        );
        let (mut path, mut form) = (first, None);
        for _ in 0..10 {
            let (status, headers, page) = self.ask(&path, form.take()).await?;
            if status == StatusCode::OK && page.contains("/account/sign-in") {
                let fields = self.form(&path).await?;
                let password = PASSWORD.replace(' ', "+");
                form = Some(format!("{fields}&name=mina&password={password}"));
                path = "/account/sign-in".to_owned();
                continue;
            }
            let location = headers.get(header::LOCATION);
            let location = location.with_context(|| format!("led nowhere: {status} {page}"))?;
            let location = location.to_str()?;
            if let Some(query) = location.strip_prefix("https://shop.example/in?") {
                let code = query.split('&').find_map(|pair| pair.strip_prefix("code="));
                return Ok(code
                    .with_context(|| format!("no code: {query}"))?
                    .to_owned());
            }
            let own = format!("http://{}", place.address);
            path = location.strip_prefix(&own).unwrap_or(location).to_owned();
        }
        anyhow::bail!("led in circles")
    }
}
