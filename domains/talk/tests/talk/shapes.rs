//! What clients leave out of a request, and what they look for in an answer without asking whether it is there.

use crate::house::{House, bodies, quoted, types};
use serde_json::{Value, json};

#[tokio::test]
async fn whoever_types_need_not_say_how_long_and_types_no_more_when_gone() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let path = format!("rooms/{room}/typing/@jun:test");
    house.put("jun", &path, json!({"typing": true})).await.ok();
    let typing = async || {
        let sync = house.sync("mina", None, "").await;
        let told = sync["rooms"]["join"][&room]["ephemeral"]["events"].clone();
        let told = told.as_array().expect("a list").iter();
        let typing: Vec<Value> = told
            .filter(|event| event["type"] == "m.typing")
            .map(|event| event["content"]["user_ids"].clone())
            .collect();
        typing
    };
    assert_eq!(typing().await, [json!(["@jun:test"])]);
    let path = format!("rooms/{room}/leave");
    house.post("jun", &path, json!({})).await.ok();
    assert!(typing().await.iter().all(|users| *users == json!([])));
}

#[tokio::test]
async fn around_an_event_there_are_lists_even_where_nothing_is() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let event = house.say("mina", &room, "one").await;
    let context = async |query: &str| {
        let path = format!("rooms/{room}/context/{event}?{query}");
        house.get("mina", &path).await.ok()
    };
    let alone = context("limit=0").await;
    for list in ["events_before", "events_after"] {
        assert_eq!(alone[list], json!([]));
    }
    let members = context(&quoted(&json!({"types": ["m.room.member"]}))).await;
    assert_eq!(types(&members["state"]), ["m.room.member"]);
}

#[tokio::test]
async fn a_page_may_be_asked_for_without_events() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    house.say("mina", &room, "one").await;
    let path = |rest: &str| format!("rooms/{room}/messages?{rest}");
    let page = house.get("mina", &path("dir=b&limit=0")).await.ok();
    assert_eq!(page["chunk"], json!([]));
    let from = format!("dir=b&from={}", page["end"].as_str().expect("a place"));
    let page = house.get("mina", &path(&from)).await.ok();
    assert_eq!(bodies(&page["chunk"]), ["one"]);
}

#[tokio::test]
async fn who_is_invited_twice_at_once_is_invited_once() {
    let house = House::new().await;
    let twice = json!({"invite": ["@jun:test", "@jun:test"]});
    let made = house.post("mina", "createRoom", twice).await.ok();
    let room = made["room_id"].as_str().expect("an id");
    let filter = quoted(&json!({"types": ["m.room.member"]}));
    let path = format!("rooms/{room}/messages?dir=f{filter}");
    let page = house.get("mina", &path).await.ok();
    let invited = page["chunk"].as_array().expect("a list").iter();
    let invited = invited.filter(|event| event["state_key"] == "@jun:test");
    assert_eq!(invited.count(), 1);
}

#[tokio::test]
async fn a_room_is_not_made_with_an_alias_that_is_not_its_own() {
    let house = House::new().await;
    for wrong in [json!({"alt_aliases": "x"}), json!({"alt_aliases": {}})] {
        let state = json!({"type": "m.room.canonical_alias", "content": wrong});
        let make = json!({ "initial_state": [state] });
        let made = house.post("mina", "createRoom", make).await;
        made.refused(400, "M_INVALID_PARAM");
    }
    let named = |alias: &str| {
        json!({
            "room_alias_name": "ours",
            "initial_state": [{ "type": "m.room.canonical_alias", "content": { "alias": alias } }],
        })
    };
    house
        .post("mina", "createRoom", named("#other:test"))
        .await
        .refused(400, "M_BAD_ALIAS");
    house
        .post("mina", "createRoom", named("#ours:test"))
        .await
        .ok();
}

#[tokio::test]
async fn whoever_puts_themselves_out_goes() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let path = format!("rooms/{room}/kick");
    let out = |user: &str| json!({ "user_id": user });
    house
        .post("jun", &path, out("@mina:test"))
        .await
        .refused(403, "M_FORBIDDEN");
    house.post("jun", &path, out("@jun:test")).await.ok();
    let members = house
        .get("mina", &format!("rooms/{room}/joined_members"))
        .await
        .ok();
    assert!(members["joined"].get("@jun:test").is_none());
}

#[tokio::test]
async fn what_every_client_reads_has_the_type_that_they_read() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let before = house.commands();
    for (path, body) in [
        ("send/m.room.message/1", json!({"msgtype": "m.text"})),
        ("state/m.room.name", json!({"name": 5})),
        (
            "state/m.room.power_levels",
            json!({"users": {"@mina:test": 100}, "notifications": []}),
        ),
    ] {
        house
            .put("mina", &format!("rooms/{room}/{path}"), body)
            .await
            .refused(400, "M_BAD_JSON");
    }
    assert_eq!(house.commands(), before);
}

#[tokio::test]
async fn a_redaction_names_what_it_redacts_in_both_places() {
    let house = House::new().await;
    let make = json!({"room_version": "10"});
    let made = house.post("mina", "createRoom", make).await.ok();
    let room = made["room_id"].as_str().expect("an id").to_owned();
    let event = house.say("mina", &room, "one").await;
    let path = format!("rooms/{room}/redact/{event}/1");
    let told = house.put("mina", &path, json!({})).await.ok();
    let id = told["event_id"].as_str().expect("an id");
    let path = format!("rooms/{room}/event/{id}");
    let redaction = house.get("mina", &path).await.ok();
    assert_eq!(redaction["redacts"], json!(event));
    assert_eq!(redaction["content"]["redacts"], json!(event));
}

#[tokio::test]
async fn a_redacted_redaction_names_what_its_version_keeps() {
    let house = House::new().await;
    for (version, keeps) in [("10", false), ("11", true)] {
        let make = json!({ "room_version": version });
        let made = house.post("mina", "createRoom", make).await.ok();
        let room = made["room_id"].as_str().expect("an id").to_owned();
        let event = house.say("mina", &room, "one").await;
        let mut last = event.clone();
        for txn in ["1", "2"] {
            let path = format!("rooms/{room}/redact/{last}/{txn}");
            let told = house.put("mina", &path, json!({"reason": "why"})).await;
            let told = told.ok()["event_id"].as_str().expect("an id").to_owned();
            if txn == "1" {
                last = told;
            }
        }
        let path = format!("rooms/{room}/event/{last}");
        let redaction = house.get("mina", &path).await.ok();
        let (above, content) = (redaction.get("redacts"), redaction["content"].clone());
        if keeps {
            assert_eq!(above, Some(&json!(event)));
            assert_eq!(content, json!({ "redacts": event }));
        } else {
            assert_eq!((above, content), (None, json!({})));
        }
    }
}

#[tokio::test]
async fn an_event_says_how_old_it_is() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let event = house.say("mina", &room, "one").await;
    let path = format!("rooms/{room}/event/{event}");
    let age = async || house.get("mina", &path).await.ok()["unsigned"]["age"].as_i64();
    let young = age().await.expect("an age");
    house.pass(std::time::Duration::from_secs(60)).await;
    let old = age().await.expect("an age");
    assert!(old - young >= 60_000, "{young} {old}");
}

#[tokio::test]
async fn an_event_says_what_one_was_to_the_room_by_then() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let act = async |who: &str, verb: &str, body: Value| {
        let path = format!("rooms/{room}/{verb}");
        house.post(who, &path, body).await.ok();
    };
    let jun = json!({"user_id": "@jun:test"});
    house.say("mina", &room, "outside").await;
    act("mina", "invite", jun.clone()).await;
    house.say("mina", &room, "invited").await;
    act("jun", "join", json!({})).await;
    house.say("mina", &room, "inside").await;
    act("mina", "ban", jun.clone()).await;
    house.say("mina", &room, "banned").await;
    act("mina", "unban", jun.clone()).await;
    house.say("mina", &room, "gone").await;
    act("jun", "join", json!({})).await;
    house.say("mina", &room, "back").await;
    let path = format!("rooms/{room}/messages?dir=f&limit=100");
    let page = house.get("jun", &path).await.ok();
    let told = page["chunk"].as_array().expect("a list").iter();
    let told = told.filter_map(|event| {
        let body = event["content"]["body"].as_str()?;
        Some((body, event["unsigned"]["membership"].as_str()?))
    });
    let expect = [
        ("outside", "leave"),
        ("invited", "invite"),
        ("inside", "join"),
        ("banned", "ban"),
        ("gone", "leave"),
        ("back", "join"),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expect);
    let sync = house.sync("jun", None, "").await;
    let timeline = &sync["rooms"]["join"][&room]["timeline"]["events"];
    let last = timeline.as_array().and_then(|events| events.last());
    assert_eq!(last.expect("an event")["unsigned"]["membership"], "join");
}
