//! A browser of a few lines: it keeps cookies, goes where it is led and fills in forms.

use anyhow::{Context, Result, ensure};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Url};
use std::collections::BTreeMap;

/// How often it lets itself be led on.
const MOST_LED: usize = 20;

/// A page, or where the browser is led by what it asked for.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it is.
    pub url: Url,
    /// Its status.
    pub status: u16,
    /// Its content.
    pub text: String,
    /// Where it leads.
    pub leads_to: Option<Url>,
}

/// A browser.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    /// By host and port: the servers of a test share a host.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

fn place(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or(0);
    format!("{}:{port}", url.host_str().unwrap_or_default())
}

impl Browser {
    /// One that was nowhere yet.
    ///
    /// # Errors
    /// If no client can be made.
    pub fn new() -> Result<Self> {
        Ok(Self {
            client: Client::builder().redirect(Policy::none()).build()?,
            cookies: BTreeMap::new(),
        })
    }

    /// Asks once, and goes nowhere by itself.
    ///
    /// # Errors
    /// If nobody answers.
    pub async fn ask(&mut self, url: Url, form: Option<&[(String, String)]>) -> Result<Page> {
        let method = if form.is_some() {
            Method::POST
        } else {
            Method::GET
        };
        let mut request = self.client.request(method, url.clone());
        let own = self.cookies.entry(place(&url)).or_default();
        let sent: Vec<String> = own
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !sent.is_empty() {
            request = request.header("cookie", sent.join("; "));
        }
        if let Some(form) = form {
            let body = Url::parse_with_params("http://form/", form)?;
            request = request
                .header("content-type", "application/x-www-form-urlencoded")
                .header("origin", url.origin().ascii_serialization())
                .header("sec-fetch-site", "same-origin")
                .body(body.query().unwrap_or_default().to_owned());
        }
        let answer = request.send().await?;
        for line in answer.headers().get_all("set-cookie") {
            let (pair, attributes) = line.to_str()?.split_once(';').unwrap_or_default();
            let (name, value) = pair.split_once('=').context("a cookie has a value")?;
            if attributes.contains("Max-Age=0") || attributes.contains("01 Jan 1970") {
                own.remove(name);
            } else {
                own.insert(name.to_owned(), value.to_owned());
            }
        }
        let leads_to = match answer.headers().get("location") {
            Some(location) => Some(url.join(location.to_str()?)?),
            None => None,
        };
        Ok(Page {
            status: answer.status().as_u16(),
            text: answer.text().await?,
            url,
            leads_to,
        })
    }

    /// Goes to `url`, and on wherever it is led.
    ///
    /// # Errors
    /// If nobody answers, or it is led in circles.
    pub async fn go(&mut self, url: &str) -> Result<Page> {
        let page = self.ask(Url::parse(url)?, None).await?;
        self.follow(page, |_| true).await
    }

    /// Goes on while it is led somewhere that `wanted` wants.
    ///
    /// # Errors
    /// As [`Browser::go`].
    pub async fn follow(&mut self, mut page: Page, wanted: impl Fn(&Url) -> bool) -> Result<Page> {
        for _ in 0..MOST_LED {
            match page.leads_to.clone() {
                Some(url) if wanted(&url) => page = self.ask(url, None).await?,
                _ => return Ok(page),
            }
        }
        anyhow::bail!("led in circles at {}", page.url)
    }

    /// Sends the form of the page that goes to `action`, with these fields beside the hidden ones.
    ///
    /// # Errors
    /// If there is no such form, or nobody answers.
    pub async fn send(
        &mut self,
        page: &Page,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Result<Page> {
        let mark = format!("action=\"{action}\"");
        let mut forms = page.text.split("<form");
        let form = forms.find(|part| part.contains(&mark));
        let form = form.with_context(|| format!("no form for {action} in {}", page.text))?;
        let form = form.split("</form>").next().unwrap_or_default();
        let mut all: Vec<(String, String)> = hidden(form);
        all.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        self.ask(page.url.join(action)?, Some(&all)).await
    }

    /// Signs in and agrees on the pages of the provider at which it is, where that is asked; gives the page that comes
    /// after that, wherever it is.
    ///
    /// # Errors
    /// If a page is not as expected.
    pub async fn sign_in(&mut self, mut page: Page, name: &str, password: &str) -> Result<Page> {
        let provider = page.url.origin();
        let here = |url: &Url| url.origin() == provider;
        if page.text.contains("action=\"/account/sign-in\"") {
            let fields = [("name", name), ("password", password)];
            page = self.send(&page, "/account/sign-in", &fields).await?;
            page = self.follow(page, here).await?;
        }
        if page.text.contains("action=\"/account/consent\"") {
            let fields = [("answer", "allow")];
            page = self.send(&page, "/account/consent", &fields).await?;
        }
        ensure!(
            page.leads_to.is_some(),
            "led nowhere: {} {}",
            page.status,
            page.text
        );
        self.follow(page, |_| true).await
    }
}

/// The hidden fields of a form.
fn hidden(form: &str) -> Vec<(String, String)> {
    let fields = form.split("type=\"hidden\" name=\"").skip(1);
    let fields = fields.filter_map(|rest| {
        let (name, rest) = rest.split_once("\" value=\"")?;
        let (value, _) = rest.split_once('"')?;
        let plain = value
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&#60;", "<")
            .replace("&#62;", ">")
            .replace("&#38;", "&");
        Some((name.to_owned(), plain))
    });
    fields.collect()
}
