//! From a URL to a content, through all redirects.

use crate::body;
use crate::connect::{Asking, Open, ask, machine_roots, tls};
use crate::error::FetchError;
use crate::resolve::{Resolve, SystemResolver};
use crate::rules::{Rules, is_own_machine, is_service};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rustls::RootCertStore;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Url, form_urlencoded};

/// What bounds one fetch.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long it may take with everything in it.
    pub patience: Duration,
    /// How many redirects are followed.
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(10),
            redirects: 4,
        }
    }
}

/// What is wanted of a URL.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Types of content, such as `text/html`, and how many bytes of each are taken; `image/*` is every
    /// type of image.
    pub types: &'static [(&'static str, usize)],
}

/// What was fetched.
#[derive(Debug)]
pub struct Fetched {
    /// Where it was in the end.
    pub url: Url,
    /// The header that tells the content's type, as it was.
    pub content_type: String,
    /// The content, or its beginning.
    pub bytes: Vec<u8>,
    /// Whether that is all of it.
    pub whole: bool,
}

/// Fetches what strangers name. Cloning it gives another handle to the same.
#[derive(Clone)]
pub struct Fetcher {
    shared: Arc<Shared>,
}

struct Shared {
    rules: Rules,
    limits: Limits,
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher")
            .field("rules", &self.shared.rules)
            .field("limits", &self.shared.limits)
            .finish_non_exhaustive()
    }
}

/// What one request came to.
enum Step {
    Done(Fetched),
    Elsewhere(Url),
}

impl Fetcher {
    /// Fetches as `rules` have it, with this machine's resolver and the certificates that it trusts.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let resolver = Arc::new(SystemResolver::default());
        Self::with(rules, Limits::default(), resolver, machine_roots())
    }

    /// Fetches with another resolver and other certificates.
    #[must_use]
    pub fn with(
        rules: Rules,
        limits: Limits,
        resolver: Arc<dyn Resolve>,
        roots: RootCertStore,
    ) -> Self {
        let tls = tls(roots);
        Self {
            shared: Arc::new(Shared {
                rules,
                limits,
                resolver,
                tls,
            }),
        }
    }

    /// Sees that `url` is one to ask for, without asking anybody.
    ///
    /// # Errors
    /// When it is not.
    pub fn check_url(&self, url: &Url) -> Result<(), FetchError> {
        self.shared.rules.check_url(url)
    }

    /// Sees that `url` is one to tell things: over TLS or on this machine, with nothing in it but where it is, and, as
    /// far as can be known without asking anybody, with an address that may be connected to.
    ///
    /// # Errors
    /// When it is not.
    pub fn check_service(&self, url: &Url) -> Result<(), FetchError> {
        if !is_service(url) {
            let why = "it is neither https nor on this machine, or has a fragment";
            return Err(FetchError::BadUrl(why));
        }
        self.check_url(url)?;
        let address = match url.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::from(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::from(ip)),
            _ => is_own_machine(url).then_some(IpAddr::from(Ipv4Addr::LOCALHOST)),
        };
        match address {
            Some(ip) if !self.shared.rules.may_connect(ip) => Err(FetchError::AddressDenied),
            _ => Ok(()),
        }
    }

    /// What is at `url`.
    ///
    /// # Errors
    /// When it may not be asked for, or there is nothing of what is wanted.
    pub async fn get(&self, url: &Url, wanted: &Wanted) -> Result<Fetched, FetchError> {
        let shared = &self.shared;
        timeout(shared.limits.patience, shared.follow(url.clone(), wanted))
            .await
            .map_err(|_| FetchError::TooSlow)?
    }

    /// Sends a form to `url`, and reads nothing of the answer but whether it was taken: with a status of 200 to 299.
    /// No redirect is followed.
    ///
    /// # Errors
    /// When it may not be asked, or did not take it.
    pub async fn post_form(&self, url: &Url, fields: &[(&str, String)]) -> Result<(), FetchError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, kind);
        let agent = HeaderValue::from_static("Bongsu (sign-in)");
        headers.insert(header::USER_AGENT, agent);
        let status = self.post(url, &headers, form.into()).await?;
        if status.is_success() {
            Ok(())
        } else {
            Err(FetchError::Status(status))
        }
    }

    /// Sends `body` with these headers to `url`, and reads nothing of the answer but its status. No redirect is followed.
    ///
    /// # Errors
    /// When it may not be asked, or did not answer.
    pub async fn post(
        &self,
        url: &Url,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<StatusCode, FetchError> {
        let shared = &self.shared;
        let posted = timeout(shared.limits.patience, shared.post(url, headers, &body));
        posted.await.map_err(|_| FetchError::TooSlow)?
    }
}

impl Shared {
    async fn post(
        &self,
        url: &Url,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<StatusCode, FetchError> {
        self.rules.check_url(url)?;
        let addresses = self.addresses(url).await?;
        let asking = Asking::Post(headers, body);
        let Open {
            response,
            driver: _until_it_is_told,
        } = ask(url, &addresses, &self.tls, asking).await?;
        Ok(response.status())
    }

    async fn follow(&self, mut url: Url, wanted: &Wanted) -> Result<Fetched, FetchError> {
        for _ in 0..=self.limits.redirects {
            match self.step(&url, wanted).await? {
                Step::Done(fetched) => return Ok(fetched),
                Step::Elsewhere(next) => url = next,
            }
        }
        Err(FetchError::TooManyRedirects)
    }

    /// One request, with every check before it.
    async fn step(&self, url: &Url, wanted: &Wanted) -> Result<Step, FetchError> {
        self.rules.check_url(url)?;
        let addresses = self.addresses(url).await?;
        let types: Vec<&str> = wanted.types.iter().map(|(name, _)| *name).collect();
        let accept =
            HeaderValue::from_str(&types.join(", ")).expect("types of content are plain text");
        let Open {
            response,
            driver: _until_it_is_read,
        } = ask(url, &addresses, &self.tls, Asking::Get(&accept)).await?;
        let (head, content) = response.into_parts();
        if head.status.is_redirection() && head.status != StatusCode::NOT_MODIFIED {
            let next = location(&head.headers).and_then(|to| url.join(to).ok());
            return match next {
                Some(next) => Ok(Step::Elsewhere(next)),
                None => Err(FetchError::Status(head.status)),
            };
        }
        if head.status != StatusCode::OK {
            return Err(FetchError::Status(head.status));
        }
        let content_type = text(&head.headers, header::CONTENT_TYPE).to_owned();
        let Some(most) = wanted.most(&content_type) else {
            return Err(FetchError::OtherType(content_type));
        };
        let (bytes, whole) = body::read(&head.headers, content, most).await?;
        Ok(Step::Done(Fetched {
            url: url.clone(),
            content_type,
            bytes,
            whole,
        }))
    }

    /// The host's addresses that may be connected to.
    async fn addresses(&self, url: &Url) -> Result<Vec<IpAddr>, FetchError> {
        let mut found = match url.host() {
            Some(Host::Ipv4(ip)) => vec![ip.into()],
            Some(Host::Ipv6(ip)) => vec![ip.into()],
            Some(Host::Domain(name)) => {
                let found = self.resolver.resolve(name).await;
                found.map_err(FetchError::Unresolved)?
            }
            None => Vec::new(),
        };
        if found.is_empty() {
            return Err(FetchError::Unresolved(io::ErrorKind::NotFound.into()));
        }
        found.retain(|ip| self.rules.may_connect(*ip));
        if found.is_empty() {
            return Err(FetchError::AddressDenied);
        }
        Ok(found)
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

fn location(headers: &HeaderMap) -> Option<&str> {
    Some(text(headers, header::LOCATION)).filter(|to| !to.is_empty())
}

impl Wanted {
    /// How much of a content of this type is taken, if it is wanted at all.
    fn most(&self, content_type: &str) -> Option<usize> {
        let bare = content_type.split(';').next().unwrap_or_default();
        let bare = bare.trim().to_ascii_lowercase();
        let mut types = self.types.iter();
        let found = types.find(|(wanted, _)| match wanted.strip_suffix('*') {
            Some(family) => bare.starts_with(family),
            None => bare == *wanted,
        });
        found.map(|(_, most)| *most)
    }
}
