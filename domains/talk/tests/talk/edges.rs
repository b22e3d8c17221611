//! Events among their neighbours, by time, reported, too large, and redacted state.

use crate::house::{House, bodies, quoted};
use serde_json::json;

const V1: &str = "/_matrix/client/v1";

#[tokio::test]
async fn an_event_is_shown_among_its_neighbours() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let mut events = Vec::new();
    for n in 0..7 {
        events.push(house.say("mina", &room, &format!("m{n}")).await);
    }
    let path = format!("rooms/{room}/context/{}", events[3]);
    let found = house.get("jun", &format!("{path}?limit=4")).await.ok();
    assert_eq!(bodies(&found["events_before"]), ["m2", "m1"]);
    assert_eq!(found["event"]["content"]["body"], "m3");
    assert_eq!(bodies(&found["events_after"]), ["m4", "m5"]);
    assert!(found["state"].as_array().expect("a list").len() > 4);
    let page = async |dir: &str, from: &str| {
        let from = found[from].as_str().expect("a token");
        let path = format!("rooms/{room}/messages?dir={dir}&limit=1&from={from}");
        bodies(&house.get("jun", &path).await.ok()["chunk"])
    };
    assert_eq!(page("b", "start").await, ["m0"]);
    assert_eq!(page("f", "end").await, ["m6"]);
    let lazy = "?limit=0&filter=%7B%22lazy_load_members%22:true%7D";
    let found = house.get("jun", &format!("{path}{lazy}")).await.ok();
    assert_eq!(found["events_before"], json!([]));
    assert_eq!(found["events_after"], json!([]));
    let state = found["state"].as_array().expect("a list").iter();
    let members: Vec<_> = state
        .filter(|event| event["type"] == "m.room.member")
        .map(|event| event["state_key"].clone())
        .collect();
    assert_eq!(members, ["@mina:test"]);
    house.get("sora", &path).await.refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn the_event_nearest_to_a_time_is_found() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let mut events = Vec::new();
    for n in 0..5 {
        let id = house.say("mina", &room, &format!("m{n}")).await;
        let path = format!("rooms/{room}/event/{id}");
        let event = house.get("mina", &path).await.ok();
        events.push((id, event["origin_server_ts"].as_i64().expect("a time")));
    }
    let base = format!("{V1}/rooms/{room}/timestamp_to_event");
    let at = async |time: i64, dir: &str| {
        let path = format!("{base}?ts={time}&dir={dir}");
        house.get("mina", &path).await
    };
    for (_, time) in &events {
        let first = events.iter().find(|(_, other)| other >= time);
        let last = events.iter().rfind(|(_, other)| other <= time);
        let id = |found: Option<&(String, i64)>| found.expect("one").0.clone();
        assert_eq!(at(*time, "f").await.ok()["event_id"], id(first));
        assert_eq!(at(*time, "b").await.ok()["event_id"], id(last));
    }
    let late = events[4].1 + 1_000_000;
    at(late, "f").await.refused(404, "M_NOT_FOUND");
    assert_eq!(at(late, "b").await.ok()["event_id"], events[4].0);
    at(0, "b").await.refused(404, "M_NOT_FOUND");
    house
        .get("sora", &format!("{base}?ts=0&dir=f"))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .get("mina", &format!("{base}?ts=0&dir=x"))
        .await
        .refused(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn reports_are_taken() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let event = house.say("jun", &room, "rude").await;
    let why = || json!({"reason": "rude", "score": -100});
    let path = format!("rooms/{room}/report/{event}");
    house.post("mina", &path, why()).await.ok();
    house.post("mina", &path, json!({})).await.ok();
    house
        .post("mina", &path, json!({"reason": 5}))
        .await
        .refused(400, "M_BAD_JSON");
    house
        .post("sora", &path, why())
        .await
        .refused(404, "M_NOT_FOUND");
    house
        .post("mina", &path, json!({"reason": "rude", "score": "bad"}))
        .await
        .refused(400, "M_BAD_JSON");
    let path = format!("rooms/{room}/report");
    house.post("sora", &path, why()).await.ok();
    house
        .post("sora", &path, json!({}))
        .await
        .refused(400, "M_BAD_JSON");
    house
        .post("mina", "rooms/!none:test/report", why())
        .await
        .refused(404, "M_NOT_FOUND");
    for user in ["@jun:test", "@ghost:test"] {
        let path = format!("users/{user}/report");
        house.post("mina", &path, why()).await.ok();
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_written() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let long = "x".repeat(256);
    let length = house.log.history().len();
    for path in [
        format!("rooms/{room}/send/{long}/t"),
        format!("rooms/{room}/state/{long}"),
        format!("rooms/{room}/state/x/{long}"),
    ] {
        house
            .put("mina", &path, json!({}))
            .await
            .refused(413, "M_TOO_LARGE");
    }
    let body = json!({"body": "x".repeat(65_200)});
    for path in ["send/m.room.message/t", "state/x/y"] {
        house
            .put("mina", &format!("rooms/{room}/{path}"), body.clone())
            .await
            .refused(413, "M_TOO_LARGE");
    }
    assert_eq!(house.log.history().len(), length);
}

#[tokio::test]
async fn what_follows_from_state_follows_its_redaction() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let create = house
        .get(
            "mina",
            &format!("rooms/{room}/state/m.room.create?format=event"),
        )
        .await
        .ok();
    let create = create["event_id"].as_str().expect("an id");
    house
        .put(
            "mina",
            &format!("rooms/{room}/redact/{create}/c"),
            json!({}),
        )
        .await
        .refused(403, "M_FORBIDDEN");
    let member = format!("rooms/{room}/state/m.room.member/@jun:test");
    let found = house
        .get("mina", &format!("{member}?format=event"))
        .await
        .ok();
    let id = found["event_id"].as_str().expect("an id");
    house
        .put("mina", &format!("rooms/{room}/redact/{id}/m"), json!({}))
        .await
        .ok();
    assert_eq!(
        house.get("mina", &member).await.ok(),
        json!({"membership": "join"})
    );
    let joined = format!("rooms/{room}/joined_members");
    let joined = house.get("mina", &joined).await.ok();
    assert_eq!(joined["joined"]["@jun:test"].get("display_name"), None);
    house.say("jun", &room, "still").await;
    let power = format!("rooms/{room}/state/m.room.power_levels");
    let mut levels = house.get("mina", &power).await.ok();
    levels["invite"] = json!(50);
    levels["odd"] = json!(1);
    let set = house.put("mina", &power, levels).await.ok();
    let id = set["event_id"].as_str().expect("an id");
    house
        .put("mina", &format!("rooms/{room}/redact/{id}/p"), json!({}))
        .await
        .ok();
    let left = house.get("mina", &power).await.ok();
    assert_eq!((&left["invite"], left.get("odd")), (&json!(50), None));
    let event = house.get("mina", &format!("{power}?format=event")).await;
    let unsigned = event.ok()["unsigned"].clone();
    assert!(unsigned["replaces_state"].is_string(), "{unsigned}");
    assert_eq!(unsigned.get("prev_content"), None);
    house
        .post(
            "jun",
            &format!("rooms/{room}/invite"),
            json!({"user_id": "@sora:test"}),
        )
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_room_is_seen_at_one_glance() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    for n in 0..3 {
        house.say("mina", &room, &format!("m{n}")).await;
    }
    let path = format!("rooms/{room}/initialSync");
    let found = house.get("jun", &format!("{path}?limit=2")).await.ok();
    assert_eq!(found["membership"], "join");
    assert_eq!(bodies(&found["messages"]["chunk"]), ["m1", "m2"]);
    let start = found["messages"]["start"].as_str().expect("a token");
    let before = format!("rooms/{room}/messages?dir=b&limit=1&from={start}");
    assert_eq!(
        bodies(&house.get("jun", &before).await.ok()["chunk"]),
        ["m0"]
    );
    assert!(found["state"].as_array().expect("a list").len() > 4);
    house.get("sora", &path).await.refused(403, "M_FORBIDDEN");
    house
        .post("jun", &format!("rooms/{room}/leave"), json!({}))
        .await
        .ok();
    house.say("mina", &room, "m3").await;
    let left = house.get("jun", &path).await.ok();
    assert_eq!(left["membership"], "leave");
    assert_eq!(bodies(&left["messages"]["chunk"]), ["m0", "m1", "m2"]);
}

#[tokio::test]
async fn a_redaction_can_be_sent_as_an_event() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let event = house.say("mina", &room, "oops").await;
    let path = format!("rooms/{room}/send/m.room.redaction/t");
    let body = json!({"redacts": event, "reason": "typo"});
    house
        .put("jun", &path, body.clone())
        .await
        .refused(403, "M_FORBIDDEN");
    let sent = house.put("mina", &path, body.clone()).await.ok();
    assert_eq!(sent, house.put("mina", &path, body.clone()).await.ok());
    let found = house
        .get("jun", &format!("rooms/{room}/event/{event}"))
        .await
        .ok();
    assert_eq!(found["content"], json!({}));
    let because = &found["unsigned"]["redacted_because"];
    assert_eq!(
        (&because["content"], &because["redacts"]),
        (&body, &json!(event))
    );
    house
        .put("mina", &path, json!({}))
        .await
        .refused(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn members_are_those_of_a_place_in_history() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let before = house.sync("mina", None, "").await;
    let before = before["next_batch"].as_str().expect("a token");
    house
        .post("jun", &format!("rooms/{room}/leave"), json!({}))
        .await
        .ok();
    house
        .post("sora", &format!("rooms/{room}/join"), json!({}))
        .await
        .ok();
    let members = async |rest: &str| {
        let path = format!("rooms/{room}/members?membership=join{rest}");
        let found = house.get("mina", &path).await.ok();
        let chunk = found["chunk"].as_array().expect("a list").clone();
        let mut keys: Vec<String> = chunk
            .iter()
            .filter_map(|event| event["state_key"].as_str().map(str::to_owned))
            .collect();
        keys.sort();
        keys
    };
    assert_eq!(members("").await, ["@mina:test", "@sora:test"]);
    let then = format!("&at={before}");
    assert_eq!(members(&then).await, ["@jun:test", "@mina:test"]);
}

#[tokio::test]
async fn filters_see_urls_types_senders_and_rooms() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let plain = house.say("mina", &room, "plain").await;
    let path = format!("rooms/{room}/send/m.room.message/u");
    let picture = json!({"body": "picture", "msgtype": "m.image", "url": "mxc://test/a"});
    house.put("jun", &path, picture).await.ok();
    let found = async |filter: serde_json::Value| {
        let path = format!("rooms/{room}/messages?dir=b{}", quoted(&filter));
        bodies(&house.get("mina", &path).await.ok()["chunk"])
    };
    let both = ["picture", "plain"];
    assert_eq!(found(json!({"contains_url": true})).await, ["picture"]);
    assert_eq!(found(json!({"contains_url": false})).await, ["plain"]);
    assert_eq!(found(json!({"types": ["m.*.message"]})).await, both);
    let nothing = [
        json!({"types": ["m.*"], "not_types": ["*.message"]}),
        json!({"rooms": ["!other:test"]}),
        json!({ "not_rooms": [room] }),
        json!({"senders": []}),
    ];
    for filter in nothing {
        assert_eq!(found(filter).await, Vec::<String>::new());
    }
    assert_eq!(
        found(json!({"not_senders": ["@jun:test"]})).await,
        ["plain"]
    );
    assert_eq!(found(json!({ "rooms": [room] })).await, both);
    let path = format!("rooms/{room}/send/m.reaction/r");
    let to = json!({"rel_type": "m.annotation", "event_id": plain, "key": "+"});
    let reacted = house.put("jun", &path, json!({ "m.relates_to": to })).await;
    let last = reacted.ok()["event_id"].clone();
    let last = last.as_str().expect("an id");
    for (rel, who, expect) in [
        ("m.annotation", "@jun:test", vec!["plain"]),
        ("m.annotation", "@mina:test", vec![]),
        ("m.thread", "@jun:test", vec![]),
    ] {
        let filter = json!({"related_by_rel_types": [rel], "related_by_senders": [who]});
        assert_eq!(found(filter.clone()).await, expect);
        let query = quoted(&filter);
        let path = format!("rooms/{room}/context/{last}?limit=100{query}");
        let context = house.get("mina", &path).await.ok();
        assert_eq!(bodies(&context["events_before"]), expect);
        assert_eq!(context["state"], json!([]), "nothing relates to state");
    }
}

#[tokio::test]
async fn what_happens_can_be_followed_as_one_list() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    house.say("mina", &room, "old").await;
    let start = house.get("jun", "events?timeout=0").await.ok();
    assert_eq!(start["chunk"], json!([]));
    let from = start["end"].as_str().expect("a token");
    let follow = format!("events?timeout=10000&from={from}");
    house
        .post(
            "mina",
            &format!("rooms/{room}/invite"),
            json!({"user_id": "@jun:test"}),
        )
        .await
        .ok();
    let invited = house.get("jun", &follow).await.ok();
    let event = &invited["chunk"][0];
    assert_eq!(event["content"]["membership"], "invite");
    assert_eq!(event["room_id"], room);
    house
        .post("jun", &format!("rooms/{room}/join"), json!({}))
        .await
        .ok();
    let event = house.say("mina", &room, "new").await;
    let path = format!("rooms/{room}/receipt/m.read/{event}");
    house.post("mina", &path, json!({})).await.ok();
    let seen = house.get("jun", &follow).await.ok();
    assert_eq!(bodies(&seen["chunk"]), ["new"]);
    let kinds = crate::house::types(&seen["chunk"]);
    assert_eq!(kinds.last().map(String::as_str), Some("m.receipt"));
    let end = seen["end"].as_str().expect("a token");
    let follow = format!("events?timeout=10000&from={end}");
    let (next, _) = tokio::join!(house.get("jun", &follow), house.say("mina", &room, "later"));
    assert_eq!(bodies(&next.ok()["chunk"]), ["later"]);
    let all = house.get("jun", "initialSync?limit=1").await.ok();
    assert_eq!(all["rooms"][0]["room_id"], room);
    assert_eq!(bodies(&all["rooms"][0]["messages"]["chunk"]), ["later"]);
}
