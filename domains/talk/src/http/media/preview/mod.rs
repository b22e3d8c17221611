//! `GET /preview_url`: what a page that somebody linked to says of itself.
//!
//! Pages are strangers': they are asked by `bongsu-fetch`, which keeps away from inner addresses.

mod charset;
mod known;
mod page;
mod picture;

use super::super::Api;
use axum::extract::State;
use bongsu_base::LogTime;
use bongsu_fetch::{FetchError, Fetched, Fetcher, Url, Wanted};
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use http::StatusCode;
use known::Known;
use ruma::api::client::{authenticated_media, media};
use ruma::api::error::ErrorKind;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Pages that are fetched at the same time.
const AT_ONCE: usize = 8;
/// Requests that may wait for a page to be fetched, or fetch it.
const WAITING: usize = 64;
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long what a page says is remembered.
const REMEMBERED_MS: i64 = 60 * 60 * 1_000;
/// How long it is remembered that nothing could be fetched.
const MISSED_MS: i64 = 60 * 1_000;
/// The longest URL, in bytes.
const MAX_URL: usize = 4_096;
/// How much of a page is read, in bytes.
const MAX_PAGE: usize = 1 << 20;
/// The largest picture, in bytes.
const MAX_PICTURE: usize = 5 << 20;

const PAGE: Wanted = Wanted {
    types: &[
        ("text/html", MAX_PAGE),
        ("application/xhtml+xml", MAX_PAGE),
        ("image/*", MAX_PICTURE),
    ],
};

/// What previews share. Cloning it gives another handle to the same.
#[derive(Debug, Clone)]
pub struct Previews {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    fetcher: Fetcher,
    known: Known,
    turns: Arc<Semaphore>,
    waiting: Semaphore,
}

/// What was found at a page, and until when that is good.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it says of itself; `None` where nothing could be fetched.
    what: Option<Arc<Map<String, Value>>>,
    until: LogTime,
}

impl Previews {
    /// Previews of what `fetcher` may fetch.
    #[must_use]
    pub fn new(fetcher: Fetcher) -> Self {
        Self {
            shared: Arc::new(Shared {
                fetcher,
                known: Known::default(),
                turns: Arc::new(Semaphore::new(AT_ONCE)),
                waiting: Semaphore::new(WAITING),
            }),
        }
    }
}

impl Shared {
    /// Waits for its turn to fetch a page, unless too many wait already.
    async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        let _waiting = self.waiting.try_acquire().ok()?;
        let turn = timeout(PATIENCE, self.turns.clone().acquire_owned());
        turn.await.ok()?.ok()
    }
}

pub async fn preview(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<authenticated_media::get_media_preview::v1::Request>,
) -> Answer<authenticated_media::get_media_preview::v1::Response> {
    type Response = authenticated_media::get_media_preview::v1::Response;
    let found = api.preview_of(&request.url).await?;
    let response = Response::from_serialize(&*found).map_err(MatrixError::internal)?;
    Ok(Reply(response))
}

#[expect(
    deprecated,
    reason = "clients from before Matrix v1.11 know no other path"
)]
pub async fn preview_before_v1_11(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<media::get_media_preview::v3::Request>,
) -> Answer<media::get_media_preview::v3::Response> {
    type Response = media::get_media_preview::v3::Response;
    let found = api.preview_of(&request.url).await?;
    let response = Response::from_serialize(&*found).map_err(MatrixError::internal)?;
    Ok(Reply(response))
}

impl Api {
    /// What the page at `url` says of itself: as it is remembered, or as it is now.
    async fn preview_of(&self, url: &str) -> Result<Arc<Map<String, Value>>, MatrixError> {
        let Some(previews) = &self.previews else {
            return Err(MatrixError::new(
                StatusCode::NOT_FOUND,
                ErrorKind::Unrecognized,
                "this server fetches no pages that people link to",
            ));
        };
        if url.len() > MAX_URL {
            return Err(MatrixError::invalid_param("the URL is too long"));
        }
        let mut url = Url::parse(url)
            .map_err(|error| MatrixError::invalid_param(format!("`url` is not a URL: {error}")))?;
        url.set_fragment(None);
        let shared = &previews.shared;
        shared.fetcher.check_url(&url).map_err(|why| match why {
            FetchError::HostDenied => MatrixError::forbidden(why.to_string()),
            _ => MatrixError::invalid_param(why.to_string()),
        })?;
        let cell = shared.known.page(url.as_str(), self.clock.now());
        let found = cell
            .get_or_try_init(|| self.fetch_page(shared, &url))
            .await?;
        // One answer for all that can go wrong: it tells nothing of what is reachable from here.
        found.what.clone().ok_or_else(|| {
            MatrixError::new(
                StatusCode::BAD_GATEWAY,
                ErrorKind::Unknown,
                "the page could not be fetched",
            )
        })
    }

    /// Fetches the page, and its picture.
    async fn fetch_page(&self, shared: &Shared, url: &Url) -> Result<Found, MatrixError> {
        let turn = shared.turn().await.ok_or_else(|| {
            let message = "too many pages are being fetched";
            MatrixError::limited(Duration::from_secs(5), message)
        })?;
        let what = match shared.fetcher.get(url, &PAGE).await {
            Ok(fetched) => Some(self.describe(&shared.fetcher, fetched).await?),
            // There is such a thing, of which nothing can be said.
            Err(FetchError::OtherType(_)) => Some(Map::new()),
            Err(error) => {
                tracing::debug!(%error, "a page that somebody linked to could not be fetched");
                None
            }
        };
        drop(turn);
        let lasts = what.as_ref().map_or(MISSED_MS, |_| REMEMBERED_MS);
        Ok(Found {
            what: what.map(Arc::new),
            until: LogTime(self.clock.now().0.saturating_add(lasts)),
        })
    }

    async fn describe(
        &self,
        fetcher: &Fetcher,
        fetched: Fetched,
    ) -> Result<Map<String, Value>, MatrixError> {
        if fetched
            .content_type
            .to_ascii_lowercase()
            .starts_with("image/")
        {
            let mut properties = Map::new();
            if let Some(name) = file_name(&fetched.url) {
                properties.insert("og:title".to_owned(), name.into());
            }
            properties.extend(self.keep_picture(fetched).await?);
            return Ok(properties);
        }
        let base = fetched.url.clone();
        let read = tokio::task::spawn_blocking(move || {
            page::read(&charset::decode(&fetched.bytes, &fetched.content_type))
        });
        let page = read.await.map_err(MatrixError::internal)?;
        let mut properties: Map<String, Value> = page
            .properties
            .into_iter()
            .map(|(key, text)| (key.to_owned(), text.into()))
            .collect();
        let picture = page.picture.and_then(|picture| base.join(&picture).ok());
        let kept = match picture {
            Some(url) => self.fetch_picture(fetcher, &url).await?,
            None => Map::new(),
        };
        if kept.is_empty() {
            properties.remove("og:image:alt");
        }
        properties.extend(kept);
        Ok(properties)
    }
}

/// What stands last in a URL's path.
fn file_name(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back()?;
    Some(last.chars().take(200).collect()).filter(|name: &String| !name.is_empty())
}
