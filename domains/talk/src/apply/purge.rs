//! Purging what is older than it is kept for, by the log's time, the same in every replica.

use super::{need_operator, sweep_topic};
use crate::outcome::Accepted;
use crate::state::events::Event;
use crate::state::media;
use crate::state::retention::{self, Mark, Policy};
use crate::state::rooms::Room;
use crate::{Applied, Cx};

/// How many ids of media one record is asked about, at most.
const MOST_MEDIA: usize = 500;

/// See [`crate::Command::SetRetention`].
pub fn set_policy(cx: &mut Cx<'_>, events: Option<i64>, media: Option<i64>) -> Applied {
    need_operator(cx)?;
    let positive = |span: Option<i64>| span.filter(|ms| *ms > 0);
    let policy = Policy {
        events: positive(events),
        media: positive(media),
    };
    retention::set_policy(cx.db(), &policy)?;
    let words = |span: Option<i64>| span.map_or("for ever".to_owned(), |ms| format!("{ms} ms"));
    let target = format!(
        "events {}, media {}",
        words(policy.events),
        words(policy.media)
    );
    let act = bongsu_audit::Act {
        who: "operator",
        act: "retention.set",
        target: &target,
        reason: None,
    };
    let at = (cx.position(), cx.time());
    bongsu_audit::append(cx.db(), at, &act)?;
    cx.wake(sweep_topic());
    Ok(Accepted::Done)
}

/// Looks at up to `most` of the events of `room` that are old enough and purges those that are no state,
/// and then state that was replaced so long ago.
pub fn events(cx: &Cx<'_>, room: &Room, most: u32) -> rusqlite::Result<()> {
    let db = cx.db();
    let Some(lifetime) = retention::lifetime(db, room.n)? else {
        return Ok(());
    };
    let before = cx.time().0.saturating_sub(lifetime);
    let due = retention::due(db, room.n, before, most)?;
    for (event, _) in &due {
        if event.state_key.is_none() {
            retention::remove(db, event)?;
        }
    }
    if let Some((last, notable)) = due.last() {
        let mark = Mark {
            upto: last.position.as_i64(),
            notable: *notable,
        };
        retention::set_mark(db, room.n, mark)?;
    }
    let rest = most.saturating_sub(due.len() as u32);
    for (by, replaced) in retention::replaced(db, room.n, before, rest)? {
        if let Some(event) = Event::find(db, replaced)? {
            retention::remove(db, &event)?;
        }
        db.prepare_cached("UPDATE event SET replaces = NULL WHERE position = ?1")?
            .execute([by])?;
    }
    Ok(())
}

/// See [`crate::Command::PurgeMedia`].
pub fn media(cx: &mut Cx<'_>, ids: &[String]) -> Applied {
    need_operator(cx)?;
    let db = cx.db();
    let Some(lifetime) = retention::policy(db)?.media else {
        return Ok(Accepted::Done);
    };
    let before = cx.time().0.saturating_sub(lifetime);
    for id in ids.iter().take(MOST_MEDIA) {
        let Some(item) = media::item(db, id)? else {
            continue;
        };
        // The uploader's server is ours.
        let server = item
            .uploader
            .split_once(':')
            .map_or("", |(_, server)| server);
        let url = format!("mxc://{server}/{id}");
        if item.time.0 <= before && !media::is_protected(db, id)? && !media::is_shown(db, &url)? {
            media::remove(db, id, &item)?;
        }
    }
    Ok(Accepted::Done)
}
