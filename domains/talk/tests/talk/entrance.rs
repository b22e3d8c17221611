//! Rooms that are neither open nor closed, and what is known of a room from outside.

use crate::house::{House, types};
use serde_json::{Value, json};

/// A room of mina's with these join rules.
async fn with_rules(house: &House, version: &str, rules: Value) -> String {
    let wish = json!({
        "room_version": version, "name": "Tea",
        "initial_state": [{"type": "m.room.join_rules", "content": rules}]
    });
    let made = house.post("mina", "createRoom", wish).await.ok();
    made["room_id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn knocking_is_answered_by_an_invitation() {
    let house = House::new().await;
    let room = with_rules(&house, "11", json!({"join_rule": "knock"})).await;
    let start = house.sync("jun", None, "").await["next_batch"]
        .as_str()
        .expect("a token")
        .to_owned();
    let knock = format!("knock/{room}");
    let knocked = house
        .post("jun", &knock, json!({"reason": "please"}))
        .await
        .ok();
    assert_eq!(knocked, json!({"room_id": room}));
    house.post("jun", &knock, json!({})).await.ok();
    for _ in 0..2 {
        let again = json!({"reason": "please"});
        house.post("jun", &knock, again).await.ok();
    }
    let seen = house.sync("jun", Some(&start), "").await;
    let stripped = &seen["rooms"]["knock"][&room]["knock_state"]["events"];
    assert_eq!(
        types(stripped),
        [
            "m.room.create",
            "m.room.join_rules",
            "m.room.name",
            "m.room.member"
        ]
    );
    let event = house
        .get(
            "mina",
            &format!("rooms/{room}/state/m.room.member/@jun:test"),
        )
        .await
        .ok();
    assert_eq!(
        event,
        json!({"membership": "knock", "displayname": "JUN", "reason": "please"})
    );
    house
        .post("jun", &format!("join/{room}"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .post(
            "mina",
            &format!("rooms/{room}/invite"),
            json!({"user_id": "@jun:test"}),
        )
        .await
        .ok();
    house
        .post("jun", &knock, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .post("jun", &format!("join/{room}"), json!({}))
        .await
        .ok();
    house
        .post("jun", &knock, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_knock_is_taken_back_or_turned_down() {
    let house = House::new().await;
    let room = with_rules(&house, "11", json!({"join_rule": "knock"})).await;
    let knock = format!("knock/{room}");
    house.post("jun", &knock, json!({})).await.ok();
    let since = house.sync("jun", None, "").await["next_batch"]
        .as_str()
        .expect("a token")
        .to_owned();
    house
        .post("jun", &format!("rooms/{room}/leave"), json!({}))
        .await
        .ok();
    let seen = house.sync("jun", Some(&since), "").await;
    let left = &seen["rooms"]["leave"][&room];
    assert_eq!(types(&left["timeline"]["events"]), ["m.room.member"]);
    assert_eq!(types(&left["state"]["events"]), [""; 0]);
    house.post("jun", &knock, json!({})).await.ok();
    let about = json!({"user_id": "@jun:test"});
    house
        .post("mina", &format!("rooms/{room}/kick"), about.clone())
        .await
        .ok();
    house.post("jun", &knock, json!({})).await.ok();
    house
        .post("mina", &format!("rooms/{room}/ban"), about)
        .await
        .ok();
    house
        .post("jun", &knock, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn knocking_needs_a_room_that_takes_knocks() {
    let house = House::new().await;
    let check = async |version: &str, rule: &str, status: u16| {
        let room = with_rules(&house, version, json!({"join_rule": rule})).await;
        let answer = house
            .post("jun", &format!("knock/{room}"), json!({}))
            .await
            .status;
        assert_eq!(answer, status, "{version} {rule}");
    };
    check("6", "knock", 403).await;
    check("7", "knock", 200).await;
    check("9", "knock_restricted", 403).await;
    check("10", "knock_restricted", 200).await;
    check("12", "knock", 200).await;
    check("11", "public", 403).await;
    check("11", "invite", 403).await;
    house
        .post("jun", "knock/!no:test", json!({}))
        .await
        .refused(404, "M_NOT_FOUND");
    house
        .post("jun", "join/!no:test", json!({}))
        .await
        .refused(404, "M_NOT_FOUND");
    house
        .post("jun", "join/%23no:test", json!({}))
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn who_is_in_one_room_comes_into_another() {
    let house = House::new().await;
    let club = house.room("mina", &["jun"]).await;
    let allow = json!([
        {"type": "m.room_membership", "room_id": "!no:test"},
        {"type": "something else", "room_id": club},
        {"type": "m.room_membership", "room_id": club},
    ]);
    for rule in ["restricted", "knock_restricted"] {
        let rules = json!({"join_rule": rule, "allow": allow});
        let room = with_rules(&house, "10", rules).await;
        let join = format!("rooms/{room}/join");
        house
            .post("sora", &join, json!({}))
            .await
            .refused(403, "M_FORBIDDEN");
        house.post("jun", &join, json!({"reason": "hi"})).await.ok();
        let shown = house
            .get(
                "jun",
                &format!("rooms/{room}/state/m.room.member/@jun:test"),
            )
            .await
            .ok();
        assert_eq!(shown["reason"], "hi");
        assert_eq!(shown["join_authorised_via_users_server"], "@mina:test");
        house.post("jun", &join, json!({})).await.ok();
        let summary = format!("/_matrix/client/v1/room_summary/{room}");
        let known = house.get("jun", &summary).await.ok();
        assert_eq!(known["allowed_room_ids"], json!(["!no:test", club]));
    }
    let early = with_rules(
        &house,
        "7",
        json!({"join_rule": "restricted", "allow": allow}),
    )
    .await;
    house
        .post("jun", &format!("rooms/{early}/join"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn nobody_comes_in_where_nobody_is_who_may_invite() {
    let house = House::new().await;
    let club = house.room("mina", &["jun", "sora"]).await;
    let allow = json!([{"type": "m.room_membership", "room_id": club}]);
    let rules = json!({"join_rule": "restricted", "allow": allow});
    let room = with_rules(&house, "11", rules).await;
    let levels = format!("rooms/{room}/state/m.room.power_levels");
    let mut power = house.get("mina", &levels).await.ok();
    power["invite"] = json!(50);
    house.put("mina", &levels, power).await.ok();
    let invite = format!("rooms/{room}/invite");
    let join = format!("rooms/{room}/join");
    let about = json!({"user_id": "@hana:test"});
    house.post("mina", &invite, about).await.ok();
    house.post("jun", &join, json!({})).await.ok();
    let leave = format!("rooms/{room}/leave");
    house.post("mina", &leave, json!({})).await.ok();
    let length = house.commands();
    house
        .post("sora", &join, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    let claim = json!({"join_authorised_via_users_server": "@jun:test"});
    house
        .post("sora", &join, claim)
        .await
        .refused(403, "M_FORBIDDEN");
    assert_eq!(house.commands(), length);
    // Who was invited needs nobody to let them in.
    house.post("hana", &join, json!({})).await.ok();
    let member = format!("rooms/{room}/state/m.room.member/@hana:test");
    let shown = house.get("hana", &member).await.ok();
    assert_eq!(shown.get("join_authorised_via_users_server"), None);
}

#[tokio::test]
async fn a_summary_is_for_whoever_may_come_in() {
    let house = House::new().await;
    let room = with_rules(&house, "11", json!({"join_rule": "invite"})).await;
    let path = format!("/_matrix/client/v1/room_summary/{room}");
    let known = house.get("mina", &path).await.ok();
    assert_eq!(
        known,
        json!({
            "room_id": room, "name": "Tea", "num_joined_members": 1, "join_rule": "invite",
            "world_readable": false, "guest_can_join": true, "room_version": "11", "membership": "join"
        })
    );
    for who in ["jun", ""] {
        house.get(who, &path).await.refused(404, "M_NOT_FOUND");
    }
    let open = house
        .put(
            "mina",
            &format!("rooms/{room}/state/m.room.join_rules"),
            json!({"join_rule": "public"}),
        )
        .await;
    open.ok();
    assert_eq!(house.get("jun", &path).await.ok()["membership"], "leave");
    assert_eq!(house.get("", &path).await.ok().get("membership"), None);
    let unstable = format!("/_matrix/client/unstable/im.nheko.summary/summary/{room}");
    house.get("jun", &unstable).await.ok();
    house
        .get("jun", "/_matrix/client/v1/room_summary/%23no:test")
        .await
        .refused(404, "M_NOT_FOUND");
}
