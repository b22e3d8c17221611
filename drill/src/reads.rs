//! Reads through every data centre, all the time.

use crate::client::{Ask, Client, Lost, Outcome};
use crate::ground::{Ground, Stage};
use crate::traffic::Session;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// What reads are called in plots.
pub const READS: &str = "reads";
/// How often each data centre is read from.
const EVERY: Duration = Duration::from_millis(20);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is read: whose a token is, and what was said last.
#[derive(Debug, Clone)]
pub struct Reads {
    /// Who reads.
    pub session: Session,
    /// Where.
    pub room: String,
}

impl Reads {
    /// Reads until the stage is over.
    pub async fn work(self, stage: &Stage) {
        let mut reading = JoinSet::new();
        for site in 0..stage.ground.sites.len() {
            reading.spawn(self.clone().at(site, stage.clone()));
        }
        reading.join_all().await;
    }

    async fn at(self, site: usize, stage: Stage) {
        let Ground { sites, .. } = &*stage.ground;
        let mut client = Client::new(sites, site);
        client.token.clone_from(&self.session.access);
        let room = format!(
            "/_matrix/client/v3/rooms/{}/messages?dir=b&limit=5",
            self.room
        );
        let paths = ["/_matrix/client/v3/account/whoami", &room];
        let recorder = &stage.recorder;
        for path in paths.iter().cycle() {
            if stage.over() {
                return;
            }
            let (asked, before) = (Instant::now(), recorder.look(site));
            match client.once(site, &Ask::get(path), PATIENCE).await {
                Outcome::Done(_) => recorder.read(READS, site, asked, before),
                Outcome::Lost(lost @ (Lost::Broken | Lost::Silent)) => {
                    recorder.unanswered(READS, site, lost.words(), before, true);
                }
                Outcome::Told { status, .. } | Outcome::Refused(status, _) => {
                    // Whoever reads has to be answered, also where nothing can be written.
                    recorder.unanswered(READS, site, status.as_str(), before, true);
                }
            }
            stage.pass(asked + EVERY).await;
        }
    }
}
