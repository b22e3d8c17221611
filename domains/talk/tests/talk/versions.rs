//! What sets room versions apart, and what making a room refuses.

use crate::house::House;
use serde_json::{Value, json};

#[tokio::test]
async fn every_version_is_made_and_spoken_in() {
    let house = House::new().await;
    let offered = house.get("mina", "capabilities").await.ok();
    let versions = &offered["capabilities"]["m.room_versions"];
    assert_eq!(versions["default"], "11");
    let available = versions["available"].as_object().expect("a map");
    assert_eq!(available.len(), 12);
    for version in available.keys() {
        let wish = json!({"room_version": version, "preset": "public_chat"});
        let made = house.post("mina", "createRoom", wish).await.ok();
        let room = made["room_id"].as_str().expect("an id");
        house
            .post("jun", &format!("join/{room}"), json!({}))
            .await
            .ok();
        house.say("jun", room, "hi").await;
        let create = house
            .get("jun", &format!("rooms/{room}/state/m.room.create"))
            .await
            .ok();
        assert_eq!(create["room_version"], *version);
        let early = version.parse::<u32>().expect("a number") < 11;
        assert_eq!(create.get("creator").is_some(), early, "{version}");
        assert_eq!(room.contains(':'), version != "12", "{room}");
    }
}

#[tokio::test]
async fn creators_of_version_12_stand_above_all_levels() {
    let house = House::new().await;
    let made = house
        .post(
            "mina",
            "createRoom",
            json!({
                "room_version": "12", "preset": "public_chat",
                "creation_content": {"additional_creators": ["@sora:test"]}
            }),
        )
        .await
        .ok();
    let room = made["room_id"].as_str().expect("an id");
    let path = format!("rooms/{room}/state/m.room.create?format=event");
    let create = house.get("mina", &path).await.ok();
    let id = create["event_id"].as_str().expect("an id");
    assert_eq!(id.strip_prefix('$'), room.strip_prefix('!'));
    for who in ["jun", "sora"] {
        house
            .post(who, &format!("join/{room}"), json!({}))
            .await
            .ok();
    }
    let levels = format!("rooms/{room}/state/m.room.power_levels");
    let mut power = house.get("mina", &levels).await.ok();
    assert_eq!(
        (&power["users"], &power["events"]["m.room.tombstone"]),
        (&json!({}), &json!(150))
    );
    power["users"] = json!({"@sora:test": 100});
    house
        .put("mina", &levels, power.clone())
        .await
        .refused(400, "M_BAD_JSON");
    power["users"] = json!({"@jun:test": 9_007_199_254_740_991_i64});
    house.put("mina", &levels, power.clone()).await.ok();
    let kick = format!("rooms/{room}/kick");
    for (who, whom) in [("jun", "mina"), ("jun", "sora"), ("sora", "mina")] {
        house
            .post(who, &kick, json!({"user_id": format!("@{whom}:test")}))
            .await
            .refused(403, "M_FORBIDDEN");
    }
    power["users"] = json!({});
    house.put("sora", &levels, power).await.ok();
    house
        .post("mina", &kick, json!({"user_id": "@jun:test"}))
        .await
        .ok();
}

#[tokio::test]
async fn the_trusted_are_creators_in_version_12() {
    let house = House::new().await;
    let wish = json!({
        "room_version": "12", "preset": "trusted_private_chat", "invite": ["@jun:test"]
    });
    let made = house.post("mina", "createRoom", wish).await.ok();
    let room = made["room_id"].as_str().expect("an id");
    let create = house
        .get("mina", &format!("rooms/{room}/state/m.room.create"))
        .await
        .ok();
    assert_eq!(create["additional_creators"], json!(["@jun:test"]));
}

#[tokio::test]
async fn wishes_that_contradict_themselves_are_refused() {
    let house = House::new().await;
    house
        .post("mina", "createRoom", json!({"room_alias_name": "tea"}))
        .await
        .ok();
    let entries = house.log.history().len();
    let check = async |wish: Value, status: u16, code: &str| {
        let answer = house.post("mina", "createRoom", wish.clone()).await;
        let body = answer.refused(status, code);
        assert!(body["error"].is_string(), "{wish}");
    };
    check(json!({"preset": "loud"}), 400, "M_BAD_JSON").await;
    check(json!({"preset": 5}), 400, "M_BAD_JSON").await;
    check(json!({"room_version": 11}), 400, "M_BAD_JSON").await;
    let unknown = "M_UNSUPPORTED_ROOM_VERSION";
    for version in ["0", "13", "org.example"] {
        check(json!({"room_version": version}), 400, unknown).await;
    }
    check(json!({"room_alias_name": "tea"}), 400, "M_ROOM_IN_USE").await;
    check(json!({"invite": ["@mina:test"]}), 403, "M_FORBIDDEN").await;
    let creators = |creators: Value| {
        json!({
            "room_version": "12", "creation_content": {"additional_creators": creators}
        })
    };
    check(creators(json!("jun")), 400, "M_BAD_JSON").await;
    check(creators(json!(["jun"])), 400, "M_BAD_JSON").await;
    let powers = |version: &str, users: Value| {
        json!({
            "room_version": version, "name": "x", "power_level_content_override": {"users": users}
        })
    };
    let contradiction = "M_INVALID_ROOM_STATE";
    check(powers("11", json!({})), 400, contradiction).await;
    check(powers("12", json!({"@mina:test": 100})), 400, "M_BAD_JSON").await;
    let member = json!({"initial_state": [
        {"type": "m.room.member", "state_key": "@jun:test", "content": {"membership": "join"}}
    ]});
    check(member, 400, "M_INVALID_PARAM").await;
    assert_eq!(
        house.log.history().len(),
        entries,
        "what was refused is not in the log"
    );
}

#[tokio::test]
async fn wished_state_replaces_that_of_the_preset() {
    let house = House::new().await;
    let wish = json!({
        "preset": "public_chat", "topic": "from the wish",
        "initial_state": [
            {"type": "m.room.join_rules", "content": {"join_rule": "invite"}},
            {"type": "m.room.topic", "content": {"topic": "from the state"}},
            {"type": "m.room.power_levels", "content": {"users": {"@mina:test": 77}}},
        ]
    });
    let made = house.post("mina", "createRoom", wish).await.ok();
    let room = made["room_id"].as_str().expect("an id");
    let check = async |kind: &str, field: &str, expect: Value| {
        let state = house
            .get("mina", &format!("rooms/{room}/state/{kind}"))
            .await
            .ok();
        assert_eq!(state[field], expect, "{kind}");
    };
    check("m.room.join_rules", "join_rule", json!("invite")).await;
    check("m.room.topic", "topic", json!("from the wish")).await;
    check("m.room.power_levels", "users", json!({"@mina:test": 77})).await;
}

#[tokio::test]
async fn up_to_version_5_everybody_tells_of_their_servers_aliases() {
    let house = House::new().await;
    for (version, status) in [("5", 200), ("6", 403)] {
        let wish = json!({"room_version": version, "preset": "public_chat"});
        let made = house.post("mina", "createRoom", wish).await.ok();
        let room = made["room_id"].as_str().expect("an id");
        house
            .post("jun", &format!("join/{room}"), json!({}))
            .await
            .ok();
        let aliases = json!({"aliases": ["#tea:test"]});
        let path = format!("rooms/{room}/state/m.room.aliases");
        let own = house
            .put("jun", &format!("{path}/test"), aliases.clone())
            .await;
        assert_eq!(own.status.as_u16(), status, "{version}");
        house
            .put("jun", &format!("{path}/other"), aliases)
            .await
            .refused(403, "M_FORBIDDEN");
    }
}
