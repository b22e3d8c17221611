//! A person's browser: it keeps cookies, goes where it is led and fills in forms.

use crate::client::{Ask, Client, Lost};
use crate::traffic::handed::Service;
use crate::traffic::people::PASSWORD;
use bytes::Bytes;
use http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use http::{Response, StatusCode};
use std::collections::BTreeMap;
use std::time::Duration;
use url::{Url, form_urlencoded};

/// Where the service has codes sent. Nothing goes there: the drill reads the address.
pub const REDIRECT: &str = "https://service.example/in";
/// The SHA-256 of [`super::VERIFIER`].
const CHALLENGE: &str = "riuxeupMxcSSk-J-OH1MkHBR0Bk8TPWFa6EKemjZTdE";
/// How many pages there may be before the code.
const PAGES: usize = 8;

/// Why a person does not come to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// A page says to come back after this time.
    Told(StatusCode, Duration),
    /// Nobody answered.
    Lost(Lost),
    /// A page is not as it should be; how.
    Odd(String),
}

/// What comes next.
enum Next {
    Get(String),
    Send(&'static str, Vec<(&'static str, String)>),
    Code(String),
}

/// A browser in which nobody is signed in yet.
#[derive(Debug, Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Signs `user` in to `service` on the pages of the data centre that `client` asks, and lets it have what it
    /// wants. Gives the code for its tokens.
    pub async fn sign_in(
        &mut self,
        client: &mut Client,
        service: &Service,
        user: &str,
    ) -> Result<String, Stopped> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &service.id)
            .append_pair("redirect_uri", REDIRECT)
            .append_pair("scope", "openid offline_access")
            .append_pair("state", "of the drill")
            .append_pair("code_challenge", CHALLENGE)
            .append_pair("code_challenge_method", "S256")
            .finish();
        let mut next = Next::Get(format!("/oauth2/authorize?{query}"));
        for _ in 0..PAGES {
            let answer = match &next {
                Next::Code(code) => return Ok(code.clone()),
                Next::Get(path) => self.ask(client, &Ask::get(path)).await?,
                Next::Send(path, fields) => {
                    let fields: Vec<_> = fields
                        .iter()
                        .map(|(name, value)| (*name, value.as_str()))
                        .collect();
                    self.ask(client, &Ask::form(path, &fields)).await?
                }
            };
            next = read(&answer, user)?;
        }
        Err(Stopped::Odd("led in circles".to_owned()))
    }

    async fn ask(
        &mut self,
        client: &mut Client,
        ask: &Ask<'_>,
    ) -> Result<Response<Bytes>, Stopped> {
        let sent: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = client.browse(&sent.join("; "), ask).await;
        let answer = answer.map_err(Stopped::Lost)?;
        for line in answer.headers().get_all(SET_COOKIE) {
            let pair = line.to_str().ok().and_then(|line| line.split(';').next());
            if let Some((name, value)) = pair.and_then(|pair| pair.split_once('=')) {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// What a person does with a page.
fn read(answer: &Response<Bytes>, user: &str) -> Result<Next, Stopped> {
    let header = |name| answer.headers().get(name)?.to_str().ok();
    let status = answer.status();
    let after = header(RETRY_AFTER).and_then(|after| after.parse().ok());
    let page = String::from_utf8_lossy(answer.body());
    match (status, after) {
        (StatusCode::SEE_OTHER, _) => led(header(LOCATION).unwrap_or_default()),
        (StatusCode::OK, _) => {
            let seal = ("seal", field(&page, "seal")?);
            let next = ("next", field(&page, "next")?);
            if page.contains("action=\"/account/sign-in\"") {
                let name = ("name", user.to_owned());
                let password = ("password", PASSWORD.to_owned());
                Ok(Next::Send(
                    "/account/sign-in",
                    vec![seal, next, name, password],
                ))
            } else {
                let allow = ("answer", "allow".to_owned());
                Ok(Next::Send("/account/consent", vec![seal, next, allow]))
            }
        }
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(seconds)) => {
            Err(Stopped::Told(status, Duration::from_secs(seconds)))
        }
        _ => Err(Stopped::Odd(format!("a page says {}", status.as_u16()))),
    }
}

/// Where a person is led: to another page, or back to the service with the code.
fn led(location: &str) -> Result<Next, Stopped> {
    let odd = |what: &str| Stopped::Odd(format!("led to {what}"));
    let base = Url::parse("http://localhost").map_err(|_| odd("nowhere"))?;
    let url = base.join(location).map_err(|_| odd("no address"))?;
    if !location.starts_with(REDIRECT) {
        return Ok(Next::Get(url[url::Position::BeforePath..].to_owned()));
    }
    let parameter = |wanted: &str| {
        let mut pairs = url.query_pairs();
        let found = pairs.find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.into_owned())
    };
    match (parameter("code"), parameter("error")) {
        (Some(code), _) => Ok(Next::Code(code)),
        // It says so where nothing can be written, and there is no way to say when to come back.
        (None, Some(error)) if error == "temporarily_unavailable" => Err(Stopped::Told(
            StatusCode::SERVICE_UNAVAILABLE,
            Duration::from_secs(1),
        )),
        (None, error) => Err(odd(&error.unwrap_or_default())),
    }
}

/// What a page's form holds under a name.
fn field(page: &str, name: &str) -> Result<String, Stopped> {
    let found = || {
        let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\""))?;
        let (value, _) = rest.split_once('"')?;
        Some(value.replace("&#38;", "&"))
    };
    found().ok_or_else(|| Stopped::Odd(format!("a page without {name}")))
}
