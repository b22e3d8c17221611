//! Doing what is due by the log's time: purging what is old, going on with rooms that are being shut down
//! or deleted, taking away what people wrote who were erased, and removing blobs that no media names.
//!
//! What is due is decided by applying; here it is only found and asked for, by whoever holds the lane's
//! lease. Blobs are no part of the state: every process looks after its own store.

use super::Api;
use crate::apply::sweep_topic;
use crate::command::Command;
use crate::state::erased;
use crate::state::media;
use crate::state::retention::{self, Policy};
use crate::state::rooms::Room;
use crate::state::{closing, rooms};
use bongsu_base::{LogTime, RoomId, UserId};
use bongsu_lane::{Actor, LaneState, Priority};
use bongsu_web_kit::admin::Problem;
use std::time::Duration;

/// How many rows one record touches.
const AT_ONCE: u32 = 200;
/// How many rooms, or media, are looked at in one look.
const LOOK: u32 = 500;
/// How often it is looked for what is due: a fiftieth of what is kept shortest, within these bounds.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// How often blobs are looked for that no media names, and how old those are at the least: an upload
/// stores its blob before the media is known.
const BLOBS_EVERY: Duration = Duration::from_secs(60 * 60);

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Records that did something in rooms.
    pub rooms: u64,
    /// Records that took away what somebody wrote.
    pub erased: u64,
    /// Media that was purged.
    pub media: u64,
    /// The shortest span for which anything is kept, in milliseconds.
    pub shortest: Option<i64>,
}

impl Api {
    /// Sees to it that `policy` is in force, and does what is due whenever this process holds the lane's
    /// lease, until the lane ends.
    pub async fn keep_swept(self, policy: Policy) {
        let mut in_force = false;
        let mut next_blobs = tokio::time::Instant::now();
        while !matches!(self.lane.health().state, LaneState::Stopped(_)) {
            if !in_force {
                in_force = self.set_policy(policy).await.is_ok();
            }
            let waiter = self.lane.wake().listen(&[sweep_topic()]);
            let mut shortest = None;
            if self.lane.leads() {
                match self.sweep().await {
                    Ok(swept) => shortest = swept.shortest,
                    Err(problem) => {
                        tracing::warn!(
                            ?problem,
                            "what is due could not be done; trying again later"
                        );
                    }
                }
            }
            if tokio::time::Instant::now() >= next_blobs {
                self.sweep_blobs(BLOBS_EVERY).await;
                next_blobs = tokio::time::Instant::now() + BLOBS_EVERY;
            }
            // Either is a reason to look again.
            let _ = tokio::time::timeout(pause(shortest), waiter.woken()).await;
        }
    }

    /// Puts `policy` into force, if another is.
    ///
    /// # Errors
    /// When the lane or the view fails.
    pub async fn set_policy(&self, policy: Policy) -> Result<(), Problem> {
        let now = self.lane.read(|view| retention::policy(view.db())).await?;
        if now == policy {
            return Ok(());
        }
        if now != Policy::default() {
            tracing::warn!(
                ?now, next = ?policy,
                "how long things are kept is configured otherwise here than it was; what is configured here counts from \
                 now on, in every data centre: configure the same in all"
            );
        }
        let Policy { events, media } = policy;
        self.ask(Command::SetRetention { events, media }).await
    }

    async fn ask(&self, command: Command) -> Result<(), Problem> {
        let request = self
            .lane
            .request(Actor::Platform, Priority::Background, command);
        let decision = self.lane.submit(request).await?;
        decision
            .outcome
            .map(drop)
            .map_err(|why| Problem::internal(format!("sweeping was rejected: {why}")))
    }

    /// Does everything that is due now.
    ///
    /// # Errors
    /// When the lane or the view fails; what was done stays done.
    pub async fn sweep(&self) -> Result<Swept, Problem> {
        let mut swept = Swept::default();
        for room in self.unfinished_rooms().await? {
            self.sweep_room(&room).await?;
            swept.rooms += 1;
        }
        self.sweep_erased(&mut swept).await?;
        self.sweep_old_events(&mut swept).await?;
        self.sweep_old_media(&mut swept).await?;
        Ok(swept)
    }

    async fn unfinished_rooms(&self) -> Result<Vec<RoomId>, Problem> {
        let look = self.lane.read(|view| {
            let rooms = closing::unfinished(view.db(), LOOK)?;
            let rooms = rooms.into_iter();
            rooms
                .map(|n| Ok(Room::by_number(view.db(), n)?.id))
                .collect::<rusqlite::Result<_>>()
        });
        Ok(look.await?)
    }

    async fn sweep_erased(&self, swept: &mut Swept) -> Result<(), Problem> {
        loop {
            let look = self.lane.read(|view| {
                let Some(user) = erased::unfinished(view.db())? else {
                    return Ok(None);
                };
                let uploads = media::uploads(view.db(), &user, "", AT_ONCE)?;
                let user: UserId = rooms::parsed(0, user)?;
                Ok(Some((user, uploads)))
            });
            let Some((user, uploads)) = look.await? else {
                return Ok(());
            };
            let blobs = self.blobs_of(&uploads).await?;
            let most = AT_ONCE;
            self.ask(Command::SweepErased { user, most }).await?;
            self.drop_blobs(blobs).await;
            swept.erased += 1;
        }
    }

    async fn sweep_old_events(&self, swept: &mut Swept) -> Result<(), Problem> {
        let mut after = 0;
        swept.shortest = self
            .lane
            .read(|view| retention::policy(view.db()))
            .await?
            .media;
        loop {
            let now = self.lane.progress().time;
            let look = self
                .lane
                .read_long(move |view| retention::due_rooms(view.db(), now, after, LOOK));
            let found = look.await?;
            swept.shortest = swept.shortest.into_iter().chain(found.shortest).min();
            for room in &found.due {
                let (room, most) = (room.clone(), AT_ONCE);
                self.ask(Command::SweepRoom { room, most }).await?;
                swept.rooms += 1;
            }
            match found.next {
                // Those that had something due may have more of it.
                Some(_) if !found.due.is_empty() => {}
                Some(next) => after = next,
                None if found.due.is_empty() => return Ok(()),
                None => {}
            }
        }
    }

    async fn sweep_old_media(&self, swept: &mut Swept) -> Result<(), Problem> {
        let server = self.config.server_name.to_string();
        let mut after = (i64::MIN, String::new());
        loop {
            let (now, server) = (self.lane.progress().time, server.clone());
            let from = after.clone();
            let look = self
                .lane
                .read_long(move |view| old_media(view.db(), now, &server, &from));
            let (ids, next) = look.await?;
            if !ids.is_empty() {
                let blobs = self.blobs_of(&ids).await?;
                swept.media += ids.len() as u64;
                self.ask(Command::PurgeMedia { ids }).await?;
                self.drop_blobs(blobs).await;
            }
            match next {
                Some(next) => after = next,
                None => return Ok(()),
            }
        }
    }

    /// Removes blobs of this process's store that no media names and that are at least `age` old. An
    /// upload of the same content that is under way keeps its blob.
    pub async fn sweep_blobs(&self, age: Duration) {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let before = self.lane.progress().time.0.saturating_sub(age);
        let blobs = match self.media.written_before(before).await {
            Ok(blobs) => blobs,
            Err(error) => {
                tracing::warn!(%error, "the blobs cannot be listed");
                return;
            }
        };
        for blob in blobs {
            self.drop_unnamed(blob).await;
        }
    }
}

/// How long to wait before looking again.
fn pause(shortest: Option<i64>) -> Duration {
    let span = shortest.map_or(LONGEST, |ms| {
        Duration::from_millis(u64::try_from(ms / 50).unwrap_or(0))
    });
    span.clamp(SHORTEST, LONGEST)
}

/// A place in the order of media: a time and an id.
type Place = (i64, String);

/// Media that is due and that nobody shows, and where to look on.
fn old_media(
    db: &rusqlite::Connection,
    now: LogTime,
    server: &str,
    after: &Place,
) -> rusqlite::Result<(Vec<String>, Option<Place>)> {
    let Some(lifetime) = retention::policy(db)?.media else {
        return Ok((Vec::new(), None));
    };
    let before = now.0.saturating_sub(lifetime);
    let found = media::older(db, before, (after.0, &after.1), LOOK)?;
    let next = found.last().filter(|_| found.len() == LOOK as usize);
    let next = next.cloned();
    let mut due = Vec::new();
    for (_, id) in found {
        let url = format!("mxc://{server}/{id}");
        if !media::is_protected(db, &id)? && !media::is_shown(db, &url)? {
            due.push(id);
        }
    }
    Ok((due, next))
}
