//! People who upload files, which every data centre has to give with the same bytes.

use super::Traffic;
use super::people::{Session, everywhere, register_all};
use super::remembered::Remembered;
use crate::check::{self, Findings};
use crate::client::{Ask, Client, Outcome};
use crate::ground::{Ground, Stage};
use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use fastrand::Rng;
use parking_lot::Mutex;
use serde_json::Value;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How many upload at the same time, the same number near each data centre.
const PEOPLE: usize = 6;
/// How often each does.
const EVERY: Duration = Duration::from_millis(700);
/// What looking at them is called in plots.
pub const DOWNLOADS: &str = "downloads";
/// How often somebody looks at one, in each data centre.
const VIEW_EVERY: Duration = Duration::from_millis(40);
/// By then every data centre that works has to know a file that another one took.
const KNOWN_AFTER: Duration = Duration::from_secs(3);
/// At how many of those that are remembered.
const VIEWED: usize = 120;
/// How large files are, in bytes.
const LENGTH: Range<usize> = 1_000..80_000;
/// Files of earlier scenarios that are looked at again at the end.
const KEPT: usize = 300;
/// One in so many is kept for the end.
const KEPT_ONE_IN: usize = 4;

/// A file that was acknowledged.
#[derive(Debug, Clone)]
struct Upload {
    /// `server/id`.
    place: String,
    /// A number for its bytes.
    content: u64,
    /// When it was acknowledged.
    at: Instant,
}

impl Upload {
    fn path(&self) -> String {
        format!("/_matrix/client/v1/media/download/{}", self.place)
    }
}

/// Uploading.
#[derive(Default)]
pub struct Uploads {
    people: Mutex<Vec<Session>>,
    files: Remembered<Upload>,
}

#[async_trait]
impl Traffic for Uploads {
    fn name(&self) -> &'static str {
        "uploads"
    }

    async fn prepare(&self, ground: &Ground) -> Result<()> {
        *self.people.lock() = register_all(ground, "painter", PEOPLE).await?;
        Ok(())
    }

    async fn work(self: Arc<Self>, stage: Stage) -> Result<()> {
        let mut working = JoinSet::new();
        let people = self.people.lock().clone();
        for (n, session) in people.into_iter().enumerate() {
            let (all, stage) = (self.clone(), stage.clone());
            working.spawn(async move { all.paint(n, session, &stage).await });
        }
        for site in 0..stage.ground.sites.len() {
            let (all, stage) = (self.clone(), stage.clone());
            working.spawn(async move { all.view(site, &stage).await });
        }
        working.join_all().await;
        Ok(())
    }

    async fn check(&self, stage: &Stage) -> Result<Findings> {
        let uploads = self.files.take();
        self.files.keep(&uploads, KEPT_ONE_IN, KEPT);
        Ok(self.look(&stage.ground, &uploads).await)
    }

    async fn check_all(&self, ground: &Ground) -> Result<Findings> {
        Ok(self.look(ground, &self.files.kept()).await)
    }
}

impl Uploads {
    /// Uploads one file after the other.
    async fn paint(&self, n: usize, session: Session, stage: &Stage) {
        let mut client = Client::new(&stage.ground.sites, n);
        client.token = session.access;
        let mut rng = Rng::with_seed(stage.ground.seed ^ (u64::from(stage.round) << 16) ^ n as u64);
        let start = Instant::now() + EVERY.mul_f64(n as f64 / PEOPLE as f64);
        for count in 0_u32.. {
            stage.pass(start + EVERY * count).await;
            if stage.over() {
                return;
            }
            let mut bytes = vec![0; rng.usize(LENGTH)];
            rng.fill(&mut bytes);
            let content = content(&bytes);
            let ask = Ask::upload("/_matrix/media/v3/upload", Bytes::from(bytes));
            let Ok((answer, site)) = client.insist(stage, self.name(), &ask).await else {
                continue;
            };
            let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
            match answer["content_uri"]
                .as_str()
                .and_then(|uri| uri.strip_prefix("mxc://"))
            {
                Some(place) => self.files.add(Upload {
                    place: place.to_owned(),
                    content,
                    at: Instant::now(),
                }),
                None => stage
                    .recorder
                    .error(self.name(), site, "200 with no address"),
            }
        }
    }

    /// Looks at one file after the other, the newest of all that are remembered first.
    async fn view(&self, site: usize, stage: &Stage) {
        let mut client = Client::new(&stage.ground.sites, site);
        client.token.clone_from(&self.people.lock()[0].access);
        let recorder = &stage.recorder;
        while !stage.over() {
            let mut uploads = self.files.all();
            uploads.retain(|upload| upload.at.elapsed() > KNOWN_AFTER);
            for upload in uploads.iter().rev().take(VIEWED) {
                let (asked, before) = (Instant::now(), recorder.look(site));
                match client.look(site, &upload.path()).await {
                    Outcome::Done(body) if content(&body) == upload.content => {
                        recorder.acknowledged(DOWNLOADS, site, asked, asked);
                    }
                    Outcome::Done(_) => recorder.error(DOWNLOADS, site, "200 with other bytes"),
                    Outcome::Told { status, .. } => {
                        recorder.told(DOWNLOADS, site, status.as_str());
                    }
                    Outcome::Refused(status, _) => {
                        recorder.unanswered(DOWNLOADS, site, status.as_str(), before, false);
                    }
                    Outcome::Lost(lost) => {
                        recorder.unanswered(DOWNLOADS, site, lost.words(), before, false);
                    }
                }
                stage.pass(asked + VIEW_EVERY).await;
            }
            stage.pass(Instant::now() + VIEW_EVERY).await;
        }
    }

    /// Downloads everything from every data centre.
    async fn look(&self, ground: &Ground, uploads: &[Upload]) -> Findings {
        let token = self.people.lock()[0].access.clone();
        let given = everywhere(ground, uploads, |mut client, upload: &Upload| {
            client.token.clone_from(&token);
            download(client, upload)
        });
        let given = given.await;
        let wanted: Vec<u64> = uploads.iter().map(|upload| upload.content).collect();
        check::contents("upload", &wanted, &given)
    }
}

async fn download(mut client: Client, upload: &Upload) -> Option<u64> {
    match client.look(client.site, &upload.path()).await {
        Outcome::Done(body) => Some(content(&body)),
        _ => None,
    }
}

/// A number for the bytes of a file.
fn content(bytes: &[u8]) -> u64 {
    let hash = blake3::hash(bytes);
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
}
