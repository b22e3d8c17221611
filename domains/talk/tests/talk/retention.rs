//! What is older than it is kept for is gone, and everything goes on around it.

use crate::house::{House, bodies, types};
use bongsu_lane::{Actor, Priority};
use bongsu_talk::Command;
use bongsu_talk::http::RetentionPolicy;
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const HOUR_MS: i64 = 3_600_000;

async fn keep_for(house: &House, room: &str, ms: i64) {
    let path = format!("rooms/{room}/state/m.room.retention/");
    let policy = json!({ "max_lifetime": ms });
    house.put("mina", &path, policy).await.ok();
}

async fn sweep(house: &House) {
    house.api.sweep().await.expect("it is swept");
}

/// What is unread in a room: in its main timeline.
async fn unread(house: &House, who: &str, room: &str) -> i64 {
    let sync = house.sync(who, None, "").await;
    let counts = &sync["rooms"]["join"][room]["unread_notifications"];
    counts["notification_count"].as_i64().expect("a count")
}

#[tokio::test]
async fn old_messages_are_gone_and_the_room_goes_on() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let other = house.room("mina", &[]).await;
    keep_for(&house, &room, HOUR_MS).await;
    let old = house.say("mina", &room, "old").await;
    house.say("mina", &other, "kept").await;
    house.pass(2 * HOUR).await;
    let young = house.say("mina", &room, "young").await;
    sweep(&house).await;
    assert_eq!(house.history("mina", &room).await, ["young"]);
    assert_eq!(house.history("mina", &other).await, ["kept"]);
    let event = |id: &str| format!("rooms/{room}/event/{id}");
    let gone = house.get("jun", &event(&old)).await;
    gone.refused(404, "M_NOT_FOUND");
    house.get("jun", &event(&young)).await.ok();
    let context = format!("rooms/{room}/context/{old}");
    house.get("jun", &context).await.refused(404, "M_NOT_FOUND");
    // Paging ends, both ways, and says so by a page without events and without a further place.
    for direction in ["b", "f"] {
        let path = format!("rooms/{room}/messages?dir={direction}&limit=100");
        let page = house.get("jun", &path).await.ok();
        assert_eq!(bodies(&page["chunk"]), ["young"]);
        // Going forward, the last page with events has no further place already.
        let Some(end) = page["end"].as_str() else {
            assert!(path.contains("dir=f"), "{page}");
            continue;
        };
        let rest = house.get("jun", &format!("{path}&from={end}")).await.ok();
        assert_eq!((&rest["chunk"], rest.get("end")), (&json!([]), None));
        assert!(types(&page["chunk"]).contains(&"m.room.create".to_owned()));
    }
    let sync = house.sync("jun", None, "").await;
    let timeline = &sync["rooms"]["join"][&room]["timeline"];
    assert_eq!(bodies(&timeline["events"]), ["young"]);
    let state = house.get("jun", &format!("rooms/{room}/state")).await.ok();
    assert!(types(&state).contains(&"m.room.power_levels".to_owned()));
}

#[tokio::test]
async fn the_shorter_of_what_the_room_and_the_operator_say_holds() {
    let house = House::new().await;
    let policy = RetentionPolicy {
        events: Some(24 * HOUR_MS),
        media: None,
    };
    house.api.set_policy(policy).await.expect("it is set");
    let (long, short, silent) = (
        house.room("mina", &[]).await,
        house.room("mina", &[]).await,
        house.room("mina", &[]).await,
    );
    keep_for(&house, &long, 1_000 * HOUR_MS).await;
    keep_for(&house, &short, HOUR_MS).await;
    let rooms = [&long, &short, &silent];
    for room in rooms {
        house.say("mina", room, "old").await;
    }
    let left = async |house: &House| {
        let mut left = Vec::new();
        for room in rooms {
            left.push(house.history("mina", room).await.len());
        }
        left
    };
    house.pass(2 * HOUR).await;
    sweep(&house).await;
    assert_eq!(left(&house).await, [1, 0, 1]);
    house.pass(23 * HOUR).await;
    sweep(&house).await;
    assert_eq!(left(&house).await, [0, 0, 0]);
    let lines = house.inspect("audit/talk").await.ok();
    let line = &lines["items"][0];
    assert_eq!(
        (&line["act"], &line["target"]),
        (
            &json!("retention.set"),
            &json!("events 86400000 ms, media for ever")
        )
    );
    // A policy that is in force already is not written again.
    house.api.set_policy(policy).await.expect("it is set");
    let again = house.inspect("audit/talk").await.ok();
    assert_eq!(again["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_is_unread_stays_what_it_was() {
    let house = House::new().await;
    let room = house.room("mina", &["jun", "bora"]).await;
    keep_for(&house, &room, HOUR_MS).await;
    let mut sent = Vec::new();
    for n in 0..6 {
        sent.push(house.say("mina", &room, &format!("old{n}")).await);
    }
    // Jun has read half, Bora nothing.
    let read = format!("rooms/{room}/receipt/m.read/{}", sent[2]);
    house.post("jun", &read, json!({})).await.ok();
    assert_eq!(unread(&house, "jun", &room).await, 3);
    assert_eq!(unread(&house, "bora", &room).await, 6);
    house.pass(2 * HOUR).await;
    sweep(&house).await;
    assert_eq!(unread(&house, "jun", &room).await, 0);
    assert_eq!(unread(&house, "bora", &room).await, 0);
    let young = house.say("mina", &room, "young").await;
    house.say("mina", &room, "younger").await;
    for who in ["jun", "bora"] {
        assert_eq!(unread(&house, who, &room).await, 2, "{who}");
    }
    let redact = format!("rooms/{room}/redact/{young}/r");
    house.put("mina", &redact, json!({})).await.ok();
    for who in ["jun", "bora"] {
        assert_eq!(unread(&house, who, &room).await, 1, "{who}");
    }
}

/// Sends a reply in the thread of `root`.
async fn reply(house: &House, who: &str, room: &str, root: &str, body: &str) -> String {
    let path = format!("rooms/{room}/send/m.room.message/{body}");
    let relates = json!({ "rel_type": "m.thread", "event_id": root });
    let content = json!({ "msgtype": "m.text", "body": body, "m.relates_to": relates });
    let sent = house.put(who, &path, content).await.ok();
    sent["event_id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_thread_outlives_its_root_and_ends_with_its_last_reply() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    keep_for(&house, &room, HOUR_MS).await;
    let root = house.say("mina", &room, "root").await;
    house.pass(2 * HOUR).await;
    let first = reply(&house, "mina", &room, &root, "first").await;
    let last = reply(&house, "mina", &room, &root, "last").await;
    sweep(&house).await;
    let threads = async |house: &House| {
        let filter = "&filter=%7B%22room%22:%7B%22timeline%22:%7B%22unread_thread_notifications%22:true%7D%7D%7D";
        let sync = house.sync("jun", None, filter).await;
        sync["rooms"]["join"][&room]["unread_thread_notifications"].clone()
    };
    let count = |found: &Value| found[&root]["notification_count"].as_i64();
    assert_eq!(count(&threads(&house).await), Some(2));
    let read = format!("rooms/{room}/receipt/m.read/{first}");
    let in_thread = json!({ "thread_id": root });
    house.post("jun", &read, in_thread).await.ok();
    assert_eq!(count(&threads(&house).await), Some(1));
    let list = house
        .get("jun", &format!("/_matrix/client/v1/rooms/{room}/threads"))
        .await
        .ok();
    assert_eq!(list["chunk"], json!([]));
    house.pass(2 * HOUR).await;
    sweep(&house).await;
    assert_eq!(count(&threads(&house).await), None);
    let gone = house
        .get("jun", &format!("rooms/{room}/event/{last}"))
        .await;
    gone.refused(404, "M_NOT_FOUND");
    for table in [
        "thread",
        "thread_member",
        "purged_root",
        "relation",
        "mention",
    ] {
        let sql = format!("SELECT count(*) FROM {table}");
        let look = house
            .api
            .lane
            .read(|view| view.db().query_row(&sql, (), |row| row.get::<_, i64>(0)));
        assert_eq!(look.await.expect("it is read"), 0, "{table}");
    }
}

#[tokio::test]
async fn state_that_was_replaced_goes_and_what_is_in_force_stays() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    keep_for(&house, &room, HOUR_MS).await;
    let topic = async |text: &str| {
        let path = format!("rooms/{room}/state/m.room.topic/");
        let set = house.put("mina", &path, json!({ "topic": text })).await;
        set.ok()["event_id"].as_str().expect("an id").to_owned()
    };
    let (first, second) = (topic("first").await, topic("second").await);
    house.pass(2 * HOUR).await;
    let third = topic("third").await;
    sweep(&house).await;
    let event = async |id: &str| {
        let path = format!("rooms/{room}/event/{id}");
        house.get("jun", &path).await.status.as_u16()
    };
    // The second was in force until just now.
    assert_eq!(
        [
            event(&first).await,
            event(&second).await,
            event(&third).await
        ],
        [404, 200, 200]
    );
    let path = format!("rooms/{room}/state/m.room.topic/");
    let now = house.get("jun", &path).await.ok();
    assert_eq!(now["topic"], "third");
    house.pass(2 * HOUR).await;
    sweep(&house).await;
    assert_eq!([event(&second).await, event(&third).await], [404, 200]);
    // A look at the past finds what is left of it.
    let members = format!("rooms/{room}/members?at=s1");
    house.get("jun", &members).await.ok();
}

#[tokio::test]
async fn one_record_purges_no_more_than_it_is_asked_to() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    keep_for(&house, &room, HOUR_MS).await;
    for n in 0..10 {
        house.say("mina", &room, &format!("m{n}")).await;
    }
    house.pass(2 * HOUR).await;
    let ask = |actor| {
        let room = room.parse().expect("an id");
        let command = Command::SweepRoom { room, most: 4 };
        house.api.lane.request(actor, Priority::Normal, command)
    };
    let device = "PHONE".parse().expect("a device");
    let user = "@mina:test".parse().expect("a user");
    let refused = house
        .api
        .lane
        .submit(ask(Actor::User { user, device }))
        .await;
    assert!(refused.expect("an answer").outcome.is_err());
    let mut left = 10;
    while left > 0 {
        let done = house.api.lane.submit(ask(Actor::Platform)).await;
        assert!(done.expect("an answer").outcome.is_ok());
        let now = house.history("mina", &room).await.len();
        assert!(now <= left && left - now <= 4, "{left} {now}");
        left = now;
    }
}

#[tokio::test]
async fn old_media_goes_but_for_pictures_that_are_shown_and_what_is_protected() {
    let house = House::new().await;
    let upload = async |text: &str| {
        let path = "/_matrix/media/v3/upload";
        let kind = "text/plain";
        let body = text.as_bytes().to_vec();
        let answer = house
            .raw(http::Method::POST, "mina", path, kind, body)
            .await;
        let uri = answer.ok()["content_uri"]
            .as_str()
            .expect("a URI")
            .to_owned();
        uri.trim_start_matches("mxc://test/").to_owned()
    };
    let (plain, protected, room_picture, own_picture) = (
        upload("plain").await,
        upload("protected").await,
        upload("room").await,
        upload("own").await,
    );
    let twice = upload("plain").await;
    let room = house.room("mina", &[]).await;
    let picture = |id: &str| json!({ "url": format!("mxc://test/{id}") });
    let path = format!("rooms/{room}/state/m.room.avatar/");
    house.put("mina", &path, picture(&room_picture)).await.ok();
    let shown = Command::ShowAvatar {
        user: "@mina:test".parse().expect("a user"),
        url: Some(format!("mxc://test/{own_picture}")),
    };
    let shown = house
        .api
        .lane
        .request(Actor::Platform, Priority::Normal, shown);
    house.api.lane.submit(shown).await.expect("an answer");
    let protect = format!("media/{protected}/protect");
    house.operate(&protect, json!({})).await.ok();
    let policy = RetentionPolicy {
        events: None,
        media: Some(HOUR_MS),
    };
    house.api.set_policy(policy).await.expect("it is set");
    house.pass(2 * HOUR).await;
    // The same content, uploaded again just before the old one goes, keeps its blob.
    let again = upload("plain").await;
    sweep(&house).await;
    let there = async |id: &str| {
        let path = format!("/_matrix/client/v1/media/download/test/{id}");
        house.get("jun", &path).await.status.as_u16() == 200
    };
    assert_eq!([there(&plain).await, there(&twice).await], [false, false]);
    for id in [&protected, &room_picture, &own_picture, &again] {
        assert!(there(id).await, "{id}");
    }
    house.pass(2 * HOUR).await;
    house.put("mina", &path, json!({})).await.ok();
    sweep(&house).await;
    assert_eq!(
        [there(&again).await, there(&room_picture).await],
        [false; 2]
    );
    assert!(there(&own_picture).await);
    let blobs = house.api.media.list().await.expect("blobs");
    assert_eq!(blobs.len(), 2, "what nobody names is gone from the store");
}

#[tokio::test]
async fn a_blob_that_no_media_names_is_swept_once_it_is_old_enough() {
    let house = House::new().await;
    let stray = futures_util::stream::iter([Ok::<_, String>(bytes::Bytes::from("stray"))]);
    house.api.media.put(stray, 100).await.expect("it is stored");
    let body = b"named".to_vec();
    let path = "/_matrix/media/v3/upload";
    let kind = "text/plain";
    house
        .raw(http::Method::POST, "mina", path, kind, body)
        .await
        .ok();
    let blobs = async || house.api.media.list().await.expect("blobs").len();
    // The log in memory runs ahead of the store's clock by a few months at the least.
    house
        .api
        .sweep_blobs(Duration::from_secs(u64::MAX / 4_000))
        .await;
    assert_eq!(blobs().await, 2);
    house.api.sweep_blobs(Duration::ZERO).await;
    assert_eq!(blobs().await, 1);
}
