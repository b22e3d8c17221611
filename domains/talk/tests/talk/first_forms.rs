//! The forms of the first versions, which clients and test suites still use (Matrix r0.6.1, client-server API).

use crate::house::{House, bodies, types};
use serde_json::{Value, json};

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn events_are_sent_and_redacted_without_a_transaction_id() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let send = format!("rooms/{room}/send/m.room.message");
    let hi = json!({"msgtype": "m.text", "body": "hi"});
    let first = house.post("jun", &send, hi.clone()).await.ok();
    let again = house.post("jun", &send, hi).await.ok();
    assert_ne!(
        first["event_id"], again["event_id"],
        "nothing says that it is the same"
    );
    assert_eq!(house.history("mina", &room).await, ["hi", "hi"]);
    let event = text(&first["event_id"]);
    let redact = format!("rooms/{room}/redact/{event}");
    house
        .post("sora", &redact, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .post("jun", &redact, json!({"reason": 5}))
        .await
        .refused(400, "M_BAD_JSON");
    house
        .post("jun", &redact, json!({"reason": "typo"}))
        .await
        .ok();
    let left = house
        .get("mina", &format!("rooms/{room}/event/{event}"))
        .await
        .ok();
    assert_eq!(left["content"], json!({}));
    assert_eq!(
        left["unsigned"]["redacted_because"]["content"]["reason"],
        "typo"
    );
    let before = house.commands();
    for body in [
        json!({"body": 1.5}),
        json!([]),
        json!({"body": 9_007_199_254_740_992_u64}),
    ] {
        house
            .post("jun", &send, body)
            .await
            .refused(400, "M_BAD_JSON");
    }
    house
        .post("mute", &send, json!({}))
        .await
        .refused(403, "M_USER_SUSPENDED");
    let own = json!({"replacement_room": room});
    let tombstone = format!("rooms/{room}/send/m.room.tombstone");
    house
        .post("mina", &tombstone, own)
        .await
        .refused(400, "M_INVALID_PARAM");
    assert_eq!(house.commands(), before);
}

#[tokio::test]
async fn a_new_room_tells_its_alias() {
    let house = House::new().await;
    let made = house
        .post("mina", "createRoom", json!({"room_alias_name": "tea"}))
        .await
        .ok();
    assert_eq!(made["room_alias"], "#tea:test");
    let made = house.post("mina", "createRoom", json!({})).await.ok();
    assert_eq!(made.get("room_alias"), None);
}

#[tokio::test]
async fn one_glance_tells_receipts_people_and_what_was_left() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let online = json!({"presence": "online", "status_msg": "tea"});
    house
        .put("jun", "presence/@jun:test/status", online)
        .await
        .ok();
    let event = house.say("jun", &room, "hello").await;
    let read = format!("rooms/{room}/receipt/m.read/{event}");
    house.post("mina", &read, json!({})).await.ok();
    let all = house.get("mina", "initialSync").await.ok();
    let receipt = &all["receipts"][0];
    assert_eq!(
        (&receipt["room_id"], &receipt["type"]),
        (&json!(room), &json!("m.receipt"))
    );
    assert!(receipt["content"][&event]["m.read"]["@mina:test"]["ts"].is_i64());
    let people = |sync: &Value| -> Vec<String> {
        let people = sync["presence"].as_array().expect("a list").iter();
        people.map(|one| text(&one["content"]["user_id"])).collect()
    };
    assert_eq!(people(&all), ["@mina:test", "@jun:test"]);
    let one = house
        .get("mina", &format!("rooms/{room}/initialSync"))
        .await
        .ok();
    assert_eq!(people(&one), ["@jun:test", "@mina:test"]);
    assert_eq!(one["presence"][0]["content"]["status_msg"], "tea");
    house
        .post("mina", &format!("rooms/{room}/leave"), json!({}))
        .await
        .ok();
    house.say("jun", &room, "unheard").await;
    let left = house
        .get("mina", &format!("rooms/{room}/initialSync"))
        .await
        .ok();
    assert_eq!(left["membership"], "leave");
    assert_eq!(
        (&left["presence"], &left["receipts"]),
        (&json!([]), &json!([]))
    );
    let all = house.get("mina", "initialSync").await.ok();
    assert_eq!(all["rooms"], json!([]));
    let all = house.get("mina", "initialSync?archived=true").await.ok();
    let messages = &all["rooms"][0]["messages"]["chunk"];
    assert_eq!(
        (bodies(messages), &all["rooms"][0]["membership"]),
        (vec!["hello".to_owned()], &json!("leave"))
    );
}

#[tokio::test]
async fn the_event_stream_tells_of_ones_own_data_and_of_people() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let start = house.get("mina", "events?timeout=0").await.ok();
    assert_eq!(start["chunk"], json!([]));
    let tag = format!("user/@mina:test/rooms/{room}/tags/work");
    house.put("mina", &tag, json!({})).await.ok();
    house
        .put("mina", "user/@mina:test/account_data/a.b", json!({"c": 1}))
        .await
        .ok();
    house
        .put(
            "jun",
            "presence/@jun:test/status",
            json!({"presence": "online"}),
        )
        .await
        .ok();
    let path = format!("events?timeout=0&from={}", text(&start["end"]));
    let news = house.get("mina", &path).await.ok();
    let told = types(&news["chunk"]);
    for kind in ["m.tag", "a.b", "m.presence"] {
        assert!(told.iter().any(|other| other == kind), "{kind} in {told:?}");
    }
    let of = |kind: &str| {
        let all = news["chunk"].as_array().expect("a list").iter();
        all.clone()
            .find(|event| event["type"] == kind)
            .expect("told")
            .clone()
    };
    assert_eq!(of("m.tag")["room_id"], room);
    assert_eq!(of("m.presence")["content"]["user_id"], "@jun:test");
    let path = format!("events?timeout=0&from={}", text(&news["end"]));
    assert_eq!(house.get("mina", &path).await.ok()["chunk"], json!([]));
}

#[tokio::test]
async fn a_room_that_the_world_may_read_is_looked_into_from_outside() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    house.say("mina", &room, "private").await;
    let events = format!("events?timeout=0&room_id={room}");
    let state = format!("rooms/{room}/state");
    for path in [&events, &state, &format!("rooms/{room}/members")] {
        house.get("jun", path).await.refused(403, "M_FORBIDDEN");
    }
    let open = json!({"history_visibility": "world_readable"});
    house
        .put("mina", &format!("{state}/m.room.history_visibility"), open)
        .await
        .ok();
    let event = house.say("mina", &room, "public").await;
    let glance = house
        .get("jun", &format!("rooms/{room}/initialSync"))
        .await
        .ok();
    let chunk = &glance["messages"]["chunk"];
    assert_eq!(
        types(chunk),
        ["m.room.history_visibility", "m.room.message"]
    );
    let all = house.get("jun", &state).await.ok();
    assert!(types(&all).contains(&"m.room.create".to_owned()));
    house
        .get("jun", &format!("{state}/m.room.member/@mina:test"))
        .await
        .ok();
    house
        .get("jun", &format!("rooms/{room}/members"))
        .await
        .ok();
    house
        .get("jun", &format!("rooms/{room}/joined_members"))
        .await
        .refused(403, "M_FORBIDDEN");
    let from = text(&glance["messages"]["end"]);
    let read = format!("rooms/{room}/receipt/m.read/{event}");
    house.post("mina", &read, json!({})).await.ok();
    let typing = json!({"typing": true, "timeout": 60_000});
    house
        .put("mina", &format!("rooms/{room}/typing/@mina:test"), typing)
        .await
        .ok();
    house
        .put(
            "mina",
            "presence/@mina:test/status",
            json!({"presence": "online"}),
        )
        .await
        .ok();
    house.say("mina", &room, "news").await;
    let news = house
        .get("jun", &format!("{events}&from={from}"))
        .await
        .ok();
    assert_eq!(bodies(&news["chunk"]), ["news"]);
    assert_eq!(
        types(&news["chunk"]),
        ["m.room.message", "m.receipt", "m.typing", "m.presence"]
    );
    let path = format!("{events}&from={}", text(&news["end"]));
    assert_eq!(house.get("jun", &path).await.ok()["chunk"], json!([]));
}

#[tokio::test]
async fn paths_that_name_no_push_rules_are_refused() {
    let house = House::new().await;
    let rule = json!({"actions": ["notify"]});
    for path in [
        "pushrules/",
        "pushrules/device/room/!a:test",
        "pushrules/global",
        "pushrules/global/room",
        "pushrules/global/room/",
        "pushrules/global/override/.m.rule.master/color",
    ] {
        house
            .put("mina", path, rule.clone())
            .await
            .refused(400, "M_UNRECOGNIZED");
    }
    for path in [
        "pushrules",
        "pushrules/global",
        "pushrules/global/room",
        "pushrules/device/",
        "pushrules/global/override/.m.rule.master/color",
    ] {
        house.get("mina", path).await.refused(400, "M_UNRECOGNIZED");
    }
    house
        .get("mina", "pushrules/global/nonsense/")
        .await
        .refused(400, "M_INVALID_PARAM");
    house
        .get("", "pushrules")
        .await
        .refused(401, "M_MISSING_TOKEN");
    house.get("mina", "pushrules/global/override/").await.ok();
}
