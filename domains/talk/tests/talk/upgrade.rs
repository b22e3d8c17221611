//! Replacing a room by one of another version.

use crate::house::House;
use serde_json::{Value, json};

/// A room of mina's with much to take over.
async fn furnished(house: &House) -> String {
    let wish = json!({
        "preset": "public_chat", "visibility": "public", "name": "Tea", "topic": "Green",
        "room_alias_name": "tea", "room_version": "10",
        "creation_content": {"m.federate": false, "type": "org.test.kind"},
        "initial_state": [
            {"type": "m.room.avatar", "content": {"url": "mxc://test/a"}},
            {"type": "m.room.encryption", "content": {"algorithm": "m.megolm.v1.aes-sha2"}},
            {"type": "m.room.server_acl", "content": {"allow": ["*"]}},
        ],
        "power_level_content_override": {"users": {"@mina:test": 100, "@jun:test": 60}}
    });
    let made = house.post("mina", "createRoom", wish).await.ok();
    made["room_id"].as_str().expect("an id").to_owned()
}

async fn upgrade(house: &House, room: &str, version: &str) -> String {
    let done = house
        .post(
            "mina",
            &format!("rooms/{room}/upgrade"),
            json!({"new_version": version}),
        )
        .await
        .ok();
    done["replacement_room"].as_str().expect("an id").to_owned()
}

async fn state(house: &House, room: &str, kind: &str) -> Value {
    house
        .get("mina", &format!("rooms/{room}/state/{kind}"))
        .await
        .ok()
}

#[tokio::test]
async fn an_upgrade_takes_the_room_along() {
    let house = House::new().await;
    let old = furnished(&house).await;
    house
        .post(
            "mina",
            &format!("rooms/{old}/ban"),
            json!({"user_id": "@sora:test", "reason": "noise"}),
        )
        .await
        .ok();
    let copied = [
        "m.room.name",
        "m.room.topic",
        "m.room.avatar",
        "m.room.encryption",
        "m.room.server_acl",
        "m.room.join_rules",
        "m.room.history_visibility",
        "m.room.guest_access",
        "m.room.canonical_alias",
        "m.room.power_levels",
        "m.room.member/@sora:test",
    ];
    let mut before = Vec::new();
    for kind in copied {
        before.push(state(&house, &old, kind).await);
    }
    let new = upgrade(&house, &old, "11").await;
    for (kind, before) in copied.into_iter().zip(before) {
        assert_eq!(state(&house, &new, kind).await, before, "{kind}");
    }
    let tombstone = house
        .get(
            "mina",
            &format!("rooms/{old}/state/m.room.tombstone/?format=event"),
        )
        .await
        .ok();
    assert_eq!(tombstone["content"]["replacement_room"], new);
    assert_eq!(
        state(&house, &new, "m.room.create").await,
        json!({
            "m.federate": false, "type": "org.test.kind", "room_version": "11",
            "predecessor": {"room_id": old, "event_id": tombstone["event_id"]}
        })
    );
    let quiet = state(&house, &old, "m.room.power_levels").await;
    assert_eq!(
        (&quiet["events_default"], &quiet["invite"]),
        (&json!(50), &json!(50))
    );
    assert_eq!(
        state(&house, &old, "m.room.canonical_alias").await,
        json!({})
    );
    let found = house.get("", "directory/room/%23tea:test").await.ok();
    assert_eq!(found["room_id"], new);
    for (room, listed) in [(&old, "private"), (&new, "public")] {
        let path = format!("directory/list/room/{room}");
        assert_eq!(house.get("", &path).await.ok()["visibility"], listed);
    }
    house
        .post("sora", &format!("join/{new}"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn tags_and_direct_rooms_move_with_their_owners() {
    let house = House::new().await;
    let old = house.room("mina", &["jun"]).await;
    for who in ["mina", "jun"] {
        let direct = format!("user/@{who}:test/account_data/m.direct");
        house
            .put(who, &direct, json!({"@x:test": [old]}))
            .await
            .ok();
        let tags = format!("user/@{who}:test/rooms/{old}/account_data/m.tag");
        house
            .put(who, &tags, json!({"tags": {"u.a": {}}}))
            .await
            .ok();
    }
    let new = upgrade(&house, &old, "11").await;
    house
        .post("jun", &format!("join/{new}"), json!({}))
        .await
        .ok();
    for who in ["mina", "jun"] {
        let direct = format!("user/@{who}:test/account_data/m.direct");
        assert_eq!(
            house.get(who, &direct).await.ok(),
            json!({"@x:test": [old, new]})
        );
        let tags = format!("user/@{who}:test/rooms/{new}/account_data/m.tag");
        assert_eq!(
            house.get(who, &tags).await.ok(),
            json!({"tags": {"u.a": {}}})
        );
    }
}

#[tokio::test]
async fn not_everybody_upgrades_everything() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let entries = house.log.history().len();
    let path = format!("rooms/{room}/upgrade");
    let to = |version: &str| json!({ "new_version": version });
    house
        .post("jun", &path, to("11"))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .post("sora", &path, to("11"))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .post("mina", &path, to("my.version"))
        .await
        .refused(400, "M_UNSUPPORTED_ROOM_VERSION");
    house
        .post("mina", &path, json!({}))
        .await
        .refused(400, "M_BAD_JSON");
    house
        .post("mina", "rooms/!no:test/upgrade", to("11"))
        .await
        .refused(404, "M_NOT_FOUND");
    let tombstone = format!("rooms/{room}/state/m.room.tombstone");
    house
        .put(
            "mina",
            &tombstone,
            json!({"body": "x", "replacement_room": room}),
        )
        .await
        .refused(400, "M_INVALID_PARAM");
    assert_eq!(
        house.log.history().len(),
        entries,
        "what was refused is not in the log"
    );
}

#[tokio::test]
async fn an_upgrade_goes_to_creators_above_all_and_back() {
    let house = House::new().await;
    let old = furnished(&house).await;
    let done = house
        .post(
            "mina",
            &format!("rooms/{old}/upgrade"),
            json!({"new_version": "12", "additional_creators": ["@jun:test"]}),
        )
        .await
        .ok();
    let twelve = done["replacement_room"].as_str().expect("an id").to_owned();
    let create = state(&house, &twelve, "m.room.create").await;
    assert_eq!(create["additional_creators"], json!(["@jun:test"]));
    assert_eq!(create["predecessor"], json!({"room_id": old}));
    let power = state(&house, &twelve, "m.room.power_levels").await;
    assert_eq!(power["users"], json!({}));
    let eleven = upgrade(&house, &twelve, "11").await;
    let power = state(&house, &eleven, "m.room.power_levels").await;
    assert_eq!(power["users"], json!({"@mina:test": 100, "@jun:test": 100}));
}

#[tokio::test]
async fn the_push_rule_for_a_room_goes_along() {
    let house = House::new().await;
    let room = house.room("mina", &["jun", "sora"]).await;
    let rule = json!({"actions": ["dont_notify"]});
    for who in ["mina", "jun"] {
        let path = format!("pushrules/global/room/{room}");
        house.put(who, &path, rule.clone()).await.ok();
    }
    let upgrade = format!("rooms/{room}/upgrade");
    for bad in [
        json!({}),
        json!({"new_version": 2}),
        json!({"new_version": "2", "additional_creators": 5}),
    ] {
        house
            .post("mina", &upgrade, bad)
            .await
            .refused(400, "M_BAD_JSON");
    }
    let unknown = json!({"new_version": "my_bad_version"});
    house
        .post("mina", &upgrade, unknown)
        .await
        .refused(400, "M_UNSUPPORTED_ROOM_VERSION");
    let made = house
        .post("mina", &upgrade, json!({"new_version": "2"}))
        .await
        .ok();
    let new = made["replacement_room"].as_str().expect("an id").to_owned();
    for who in ["jun", "sora"] {
        house
            .post(who, &format!("join/{new}"), json!({}))
            .await
            .ok();
    }
    let path = format!("pushrules/global/room/{new}");
    for who in ["mina", "jun"] {
        assert_eq!(
            house.get(who, &path).await.ok()["actions"],
            rule["actions"],
            "{who}"
        );
    }
    house.get("sora", &path).await.refused(404, "M_NOT_FOUND");
}
