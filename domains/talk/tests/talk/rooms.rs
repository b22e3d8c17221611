//! Making rooms, their state, power, aliases and redactions.

use crate::house::{House, bodies, types};
use serde_json::{Value, json};

#[tokio::test]
async fn a_room_begins_as_its_preset_says() {
    let house = House::new().await;
    let made = house
        .post(
            "mina",
            "createRoom",
            json!({
                "preset": "trusted_private_chat", "name": "Tea", "topic": "Green", "room_alias_name": "tea",
                "invite": ["@jun:test"], "is_direct": true, "creation_content": {"m.federate": false},
                "initial_state": [{"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}],
                "power_level_content_override": {"events_default": 5}
            }),
        )
        .await
        .ok();
    let room = made["room_id"].as_str().expect("an id");
    let state = house.get("mina", &format!("rooms/{room}/state")).await.ok();
    assert_eq!(
        types(&state),
        [
            "m.room.create",
            "m.room.member",
            "m.room.power_levels",
            "m.room.canonical_alias",
            "m.room.join_rules",
            "m.room.history_visibility",
            "m.room.guest_access",
            "m.room.encryption",
            "m.room.name",
            "m.room.topic",
            "m.room.member"
        ]
    );
    let create = house
        .get("mina", &format!("rooms/{room}/state/m.room.create"))
        .await
        .ok();
    assert_eq!(create, json!({"room_version": "11", "m.federate": false}));
    let levels = house
        .get("mina", &format!("rooms/{room}/state/m.room.power_levels/"))
        .await
        .ok();
    assert_eq!(
        (&levels["events_default"], &levels["users"]["@jun:test"]),
        (&json!(5), &json!(100))
    );
    let invitation = house
        .get(
            "mina",
            &format!("rooms/{room}/state/m.room.member/@jun:test"),
        )
        .await
        .ok();
    assert_eq!(
        invitation,
        json!({"membership": "invite", "displayname": "JUN", "is_direct": true})
    );
    house
        .put(
            "mina",
            "directory/room/%23green%20tea:test",
            json!({"room_id": room}),
        )
        .await
        .refused(400, "M_INVALID_PARAM");
    let found = house.get("", "directory/room/%23tea:test").await.ok();
    assert_eq!(found["room_id"], room);
}

#[tokio::test]
async fn what_a_room_cannot_be_is_refused_whole() {
    let house = House::new().await;
    house.room("mina", &[]).await;
    let entries = house.log.history().len();
    let refuse = async |body: Value, status: u16, code: &str| {
        house
            .post("mina", "createRoom", body)
            .await
            .refused(status, code);
    };
    refuse(
        json!({"room_version": "99"}),
        400,
        "M_UNSUPPORTED_ROOM_VERSION",
    )
    .await;
    refuse(json!({"invite": ["@jun:else"]}), 403, "M_FORBIDDEN").await;
    refuse(json!({"invite": ["ghost"]}), 400, "M_BAD_JSON").await;
    refuse(json!({"room_alias_name": "a:b"}), 400, "M_INVALID_PARAM").await;
    assert_eq!(
        house.log.history().len(),
        entries,
        "what was refused is not in the log"
    );
    house
        .post("mina", "createRoom", json!({"room_alias_name": "tea"}))
        .await
        .ok();
    refuse(json!({"room_alias_name": "tea"}), 400, "M_ROOM_IN_USE").await;
    let rooms = house.get("mina", "joined_rooms").await.ok();
    assert_eq!(
        rooms["joined_rooms"].as_array().map(Vec::len),
        Some(2),
        "a refused room leaves nothing behind"
    );
}

#[tokio::test]
async fn what_is_null_is_left_out() {
    let house = House::new().await;
    let wish = json!({"name": "tea", "topic": null, "preset": null, "invite": null, "visibility": "public",
                      "room_version": null, "creation_content": null, "room_alias_name": null});
    let made = house.post("mina", "createRoom", wish).await.ok();
    let room = made["room_id"].as_str().expect("an id");
    let name = format!("rooms/{room}/state/m.room.name");
    assert_eq!(house.get("mina", &name).await.ok()["name"], "tea");
    house
        .get("mina", &format!("rooms/{room}/state/m.room.topic"))
        .await
        .refused(404, "M_NOT_FOUND");
    let wanted = json!({"limit": 5, "filter": null, "since": null});
    let found = house.post("mina", "publicRooms", wanted).await.ok();
    assert_eq!(found["chunk"][0]["room_id"], room);
    // What has to be there has to be more than null, and nulls within contents stay.
    house
        .post(
            "mina",
            &format!("rooms/{room}/kick"),
            json!({"user_id": null}),
        )
        .await
        .refused(400, "M_BAD_JSON");
    let content = json!({"colour": null, "depth": {"colour": null}});
    let colour = format!("rooms/{room}/state/org.test.colour");
    house.put("mina", &colour, content.clone()).await.ok();
    assert_eq!(house.get("mina", &colour).await.ok(), content);
}

#[tokio::test]
async fn power_levels_are_enforced() {
    let house = House::new().await;
    let room = house.room("mina", &["jun", "sora"]).await;
    let name = format!("rooms/{room}/state/m.room.name");
    let refused = house
        .put("jun", &name, json!({"name": "x"}))
        .await
        .refused(403, "M_FORBIDDEN");
    assert!(
        refused["error"]
            .as_str()
            .is_some_and(|text| text.contains("50") && text.contains('0')),
        "{refused}"
    );
    let levels = format!("rooms/{room}/state/m.room.power_levels");
    let mut power = house.get("mina", &levels).await.ok();
    power["users"]["@jun:test"] = json!(50);
    house.put("mina", &levels, power.clone()).await.ok();
    let set = house.put("jun", &name, json!({"name": "x"})).await.ok();
    let again = house.put("jun", &name, json!({"name": "x"})).await.ok();
    assert_eq!(set, again, "state that would not change makes no new event");
    power["users"]["@sora:test"] = json!(60);
    house
        .put("jun", &levels, power.clone())
        .await
        .refused(403, "M_FORBIDDEN");
    power["users"]["@sora:test"] = json!("60");
    house
        .put("mina", &levels, power)
        .await
        .refused(400, "M_BAD_JSON");
    house
        .post(
            "jun",
            &format!("rooms/{room}/kick"),
            json!({"user_id": "@mina:test"}),
        )
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .post(
            "jun",
            &format!("rooms/{room}/kick"),
            json!({"user_id": "@sora:test"}),
        )
        .await
        .ok();
}

#[tokio::test]
async fn nobody_says_with_more_power_than_they_have_who_may_call_everybody() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let levels = format!("rooms/{room}/state/m.room.power_levels");
    let mut power = house.get("mina", &levels).await.ok();
    power["users"]["@jun:test"] = json!(50);
    power["events"]["m.room.power_levels"] = json!(50);
    power["notifications"] = json!({"room": 80, "low": 20});
    house.put("mina", &levels, power.clone()).await.ok();
    let with = |notifications: Value| {
        let mut power = power.clone();
        power["notifications"] = notifications;
        power
    };
    for refused in [
        json!({"room": 10, "low": 20}),
        json!({"room": 80, "low": 60}),
        json!({"room": 80, "low": 20, "new": 60}),
        json!({"low": 20}),
        json!({}),
    ] {
        let answer = house.put("jun", &levels, with(refused)).await;
        answer.refused(403, "M_FORBIDDEN");
    }
    for fine in [json!({"room": 80, "low": 50}), json!({"room": 80})] {
        house.put("jun", &levels, with(fine)).await.ok();
    }
    house.put("mina", &levels, with(json!({}))).await.ok();
}

#[tokio::test]
async fn aliases_are_pointed_found_and_taken_away() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let alias = "directory/room/%23tea:test";
    house.get("", alias).await.refused(404, "M_NOT_FOUND");
    house.put("jun", alias, json!({"room_id": room})).await.ok();
    house
        .put("mina", alias, json!({"room_id": room}))
        .await
        .refused(409, "M_UNKNOWN");
    house
        .put(
            "mina",
            "directory/room/%23tea:other",
            json!({"room_id": room}),
        )
        .await
        .refused(400, "M_INVALID_PARAM");
    assert_eq!(
        house
            .get("mina", &format!("rooms/{room}/aliases"))
            .await
            .ok()["aliases"],
        json!(["#tea:test"])
    );
    let canonical = format!("rooms/{room}/state/m.room.canonical_alias");
    house
        .put("mina", &canonical, json!({"alias": "#no:test"}))
        .await
        .refused(400, "M_BAD_ALIAS");
    house
        .put("mina", &canonical, json!({"alias": "#tea:test"}))
        .await
        .ok();
    house.post("sora", "join/%23tea:test", json!({})).await.ok();
    house
        .delete("sora", alias)
        .await
        .refused(403, "M_FORBIDDEN");
    house.delete("jun", alias).await.ok();
    house.get("", alias).await.refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_redaction_takes_the_content_for_everybody_and_for_ever() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let event = house.say("jun", &room, "secret").await;
    let other = house.say("mina", &room, "mine").await;
    let path = format!("rooms/{room}/redact/{event}/r1");
    house
        .put("jun", &format!("rooms/{room}/redact/{other}/r0"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    let redaction = house.put("mina", &path, json!({"reason": "no"})).await.ok();
    assert_eq!(
        redaction,
        house.put("mina", &path, json!({"reason": "no"})).await.ok(),
        "a repeat is the same"
    );
    let seen = house
        .get("jun", &format!("rooms/{room}/event/{event}"))
        .await
        .ok();
    assert_eq!(seen["content"], json!({}));
    assert_eq!(
        seen["unsigned"]["redacted_because"]["event_id"],
        redaction["event_id"]
    );
    assert_eq!(
        seen["unsigned"]["redacted_because"]["content"],
        json!({"reason": "no", "redacts": event})
    );
    assert_eq!(house.history("jun", &room).await, ["mine"]);
    let unknown = format!("rooms/{room}/redact/$unknown/r2");
    house
        .put("mina", &unknown, json!({}))
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_transaction_is_carried_out_once() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let first = house.say("mina", &room, "t1").await;
    assert_eq!(house.say("mina", &room, "t1").await, first);
    assert_ne!(
        house.say("mina.TABLET", &room, "t1").await,
        first,
        "another device has transactions of its own"
    );
    assert_ne!(house.say("jun", &room, "t1").await, first);
    let (a, b) = tokio::join!(
        house.say("mina", &room, "t2"),
        house.say("mina", &room, "t2")
    );
    assert_eq!(a, b, "also when both are on their way at once");
    assert_eq!(house.history("jun", &room).await, ["t2", "t1", "t1", "t1"]);
    let page = house
        .get("mina", &format!("rooms/{room}/messages?dir=b&limit=1"))
        .await
        .ok();
    assert_eq!(page["chunk"][0]["unsigned"]["transaction_id"], "t2");
    let page = house
        .get(
            "mina.TABLET",
            &format!("rooms/{room}/messages?dir=b&limit=1"),
        )
        .await
        .ok();
    assert_eq!(
        page["chunk"][0]["unsigned"].get("transaction_id"),
        None,
        "it is the sending device's alone"
    );
    assert_eq!(bodies(&page["chunk"]), ["t2"]);
}

#[tokio::test]
async fn nobody_shows_a_payment_that_was_not_made() {
    let house = House::new().await;
    let made = house.post("mina", "createRoom", json!({})).await.ok();
    let room = made["room_id"].as_str().expect("an id");
    let forged = json!({ "amount": 1_000, "payee": "@jun:test" });
    for path in ["send/kr.bongsu.payment/1", "state/kr.bongsu.payment/"] {
        let path = format!("rooms/{room}/{path}");
        let said = house.put("mina", &path, forged.clone()).await;
        said.refused(400, "M_INVALID_PARAM");
    }
}

#[tokio::test]
async fn the_first_state_is_nobody_elses() {
    let house = House::new().await;
    let with = |key: &str| {
        let state = json!({ "type": "town.badge", "state_key": key, "content": {} });
        json!({ "initial_state": [state] })
    };
    let other = house.post("mina", "createRoom", with("@jun:test")).await;
    let other = other.refused(403, "M_FORBIDDEN");
    let made = house.post("mina", "createRoom", with("@mina:test")).await;
    let room = made.ok()["room_id"].as_str().expect("an id").to_owned();
    let path = format!("rooms/{room}/state/town.badge/@jun:test");
    let later = house.put("mina", &path, json!({})).await;
    assert_eq!(later.refused(403, "M_FORBIDDEN")["error"], other["error"]);
}
