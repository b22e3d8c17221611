//! What was purged is in no file any more: not in the view, its snapshots, the log, their journals, nor
//! among the media.

use bongsu_lane::snapshot::Snapshots;
use bongsu_lane::{Actor, Lane, Offload, Options, Priority};
use bongsu_log::sqlite::{Options as LogOptions, SqliteLog};
use bongsu_media::{Limits, Media};
use bongsu_talk::command::{AddMedia, Command, CreateRoom, Profile, Send, SetState};
use bongsu_talk::{Accepted, Talk};
use bytes::Bytes;
use object_store::local::LocalFileSystem;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const SECRET: &str = "the kettle is under the third stone";

/// The files below `folder` that hold `text`.
fn holding(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(holding(&path, text));
            continue;
        }
        let bytes = match std::fs::read(&path) {
            // What SQLite takes away meanwhile holds nothing any more.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            bytes => bytes.expect("a file"),
        };
        let holds = bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes());
        if holds {
            found.push(path.display().to_string());
        }
    }
    found
}

fn mina() -> Actor {
    Actor::User {
        user: "@mina:test".parse().expect("a user"),
        device: "PHONE".parse().expect("a device"),
    }
}

async fn ask(lane: &Lane<Talk>, actor: Actor, command: Command) -> Accepted {
    let request = lane.request(actor, Priority::Normal, command);
    let decision = lane.submit(request).await.expect("an answer");
    decision.outcome.expect("it is accepted")
}

async fn open(folder: &Path) -> (Lane<Talk>, bongsu_lane::Running) {
    let path = folder.join("log.sqlite");
    let open = move || SqliteLog::open(&path, LogOptions::new("talk"));
    let (log, _) = tokio::task::spawn_blocking(open)
        .await
        .expect("a thread")
        .expect("the log opens");
    std::fs::create_dir_all(folder.join("snapshots")).expect("a folder");
    let store = LocalFileSystem::new_with_prefix(folder.join("snapshots")).expect("a store");
    let mut options = Options::new(folder.join("view.sqlite"));
    options.snapshots = Some(Snapshots::new(Arc::new(store), "talk"));
    options.offload = Offload::Thread;
    let (lane, runner, _) = Lane::<Talk>::open(Arc::new(log), options)
        .await
        .expect("the lane opens");
    let running = runner.start().expect("a thread");
    (lane, running)
}

fn set_state(kind: &str, content: String) -> Command {
    Command::SetState(SetState {
        room: "!room:test".parse().expect("a room"),
        kind: kind.to_owned(),
        state_key: String::new(),
        content,
    })
}

/// Makes a room that keeps its messages for a millisecond, and says the secret in it in every way.
async fn tell(lane: &Lane<Talk>, media: &Media) {
    let room = "!room:test".parse().expect("a room");
    let create = CreateRoom {
        room,
        version: "11".to_owned(),
        create: "{}".to_owned(),
        profile: Profile::default(),
        power_levels: r#"{"users":{"@mina:test":100}}"#.to_owned(),
        state: Vec::new(),
        alias: None,
        invite: Vec::new(),
        is_direct: false,
        listed: false,
    };
    ask(lane, mina(), Command::CreateRoom(create)).await;
    let keep = set_state("m.room.retention", r#"{"max_lifetime":1}"#.to_owned());
    ask(lane, mina(), keep).await;
    for topic in [SECRET, "tea"] {
        let content = serde_json::json!({ "topic": topic }).to_string();
        ask(lane, mina(), set_state("m.room.topic", content)).await;
    }
    // Long enough to stand on pages of its own, too.
    let long = format!("{SECRET} {}", "and the moon is out ".repeat(1_000));
    for (n, body) in [SECRET, &long].into_iter().enumerate() {
        let content = serde_json::json!({ "body": body, "msgtype": "m.text" }).to_string();
        let send = Send {
            room: "!room:test".parse().expect("a room"),
            kind: "m.room.message".to_owned(),
            content,
            txn: Some(n.to_string()),
        };
        ask(lane, mina(), Command::Send(send)).await;
    }
    let content = futures_util::stream::iter([Ok::<_, String>(Bytes::from(SECRET))]);
    let blob = media.put(content, 1_000).await.expect("it is stored");
    let add = AddMedia {
        id: "kettle".to_owned(),
        blob: blob.hash.to_string(),
        bytes: blob.bytes,
        content_type: None,
        filename: Some(SECRET.to_owned()),
    };
    ask(lane, mina(), Command::AddMedia(add)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_purged_is_in_no_file_after_two_snapshots() {
    let folder = tempfile::tempdir().expect("a folder");
    let (lane, running) = open(folder.path()).await;
    let media = Media::local(&folder.path().join("media"), Limits::default()).expect("a store");
    tell(&lane, &media).await;
    lane.snapshot().await.expect("a snapshot");
    assert!(
        holding(folder.path(), SECRET).len() >= 4,
        "log, view, snapshot, media"
    );
    let policy = Command::SetRetention {
        events: None,
        media: Some(1),
    };
    ask(&lane, Actor::Platform, policy).await;
    // The log's clock is the machine's: it is asked until a millisecond has passed.
    let left = async || {
        let look = lane.read(|view| {
            let sql = "SELECT (SELECT count(*) FROM event WHERE type IN ('m.room.message', 'm.room.topic'))
                            + (SELECT count(*) FROM media)";
            view.db().query_row(sql, (), |row| row.get::<_, i64>(0))
        });
        look.await.expect("it is read")
    };
    while left().await > 1 {
        let room = "!room:test".parse().expect("a room");
        ask(
            &lane,
            Actor::Platform,
            Command::SweepRoom { room, most: 10 },
        )
        .await;
        let ids = vec!["kettle".to_owned()];
        ask(&lane, Actor::Platform, Command::PurgeMedia { ids }).await;
    }
    let blob = bongsu_media::BlobId::of(SECRET.as_bytes());
    media.delete(blob).await.expect("it is removed");
    for _ in 0..2 {
        ask(&lane, mina(), set_state("m.room.name", "{}".to_owned())).await;
        lane.snapshot().await.expect("a snapshot");
        let other = format!(r#"{{"name":"{}"}}"#, lane.progress().chain.seq);
        ask(&lane, mina(), set_state("m.room.name", other)).await;
    }
    assert!(
        lane.reach(lane.progress().chain.seq, Duration::ZERO)
            .await
            .is_ok()
    );
    lane.close().await;
    drop(lane);
    tokio::task::spawn_blocking(move || running.join())
        .await
        .expect("a thread");
    assert_eq!(holding(folder.path(), SECRET), Vec::<String>::new());
}
