//! Guests (Matrix v1.19, guest access), and what stands in a membership.

use crate::house::House;
use serde_json::json;

/// The token and the name of a guest.
const GUEST: &str = "bgg_1.PHONE";

#[tokio::test]
async fn a_guest_looks_around_and_enters_where_guests_are_let_in() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let join = format!("rooms/{room}/join");
    let before = house.commands();
    house
        .post(GUEST, &join, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .post(GUEST, &format!("join/{room}"), json!({"a": 1}))
        .await
        .refused(403, "M_FORBIDDEN");
    for (path, body) in [("createRoom", json!({})), ("knock/!a:test", json!({}))] {
        house
            .post(GUEST, path, body)
            .await
            .refused(403, "M_GUEST_ACCESS_FORBIDDEN");
    }
    house
        .get(GUEST, "events?timeout=0")
        .await
        .refused(403, "M_GUEST_ACCESS_FORBIDDEN");
    assert_eq!(house.commands(), before);
    let access = format!("rooms/{room}/state/m.room.guest_access");
    house
        .put("mina", &access, json!({"guest_access": "can_join"}))
        .await
        .ok();
    house.post(GUEST, &join, json!({})).await.ok();
    house.say(GUEST, &room, "hi").await;
    house
        .put(
            GUEST,
            &format!("rooms/{room}/state/m.room.topic"),
            json!({"topic": "x"}),
        )
        .await
        .refused(403, "M_FORBIDDEN");
    let member = |user: &str| format!("rooms/{room}/state/m.room.member/{user}");
    let nick = json!({"membership": "join", "displayname": "guest"});
    house.put(GUEST, &member("@guest-1:test"), nick).await.ok();
    house
        .put(GUEST, &member("@jun:test"), json!({"membership": "invite"}))
        .await
        .refused(403, "M_GUEST_ACCESS_FORBIDDEN");
    let other = house.room("mina", &[]).await;
    let join = format!("rooms/{other}/state/m.room.member/@guest-1:test");
    house
        .put(GUEST, &join, json!({"membership": "join"}))
        .await
        .refused(403, "M_FORBIDDEN");
    assert_eq!(house.history(GUEST, &room).await, ["hi"]);
}

#[tokio::test]
async fn what_a_client_says_of_its_joining_stands_in_the_membership() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let own =
        json!({"reason": "tea", "a.key": 1, "displayname": "Somebody else", "membership": "ban"});
    let answer = house.post("jun", &format!("join/{room}"), own).await.ok();
    assert_eq!(answer, json!({"room_id": room}));
    let member = format!("rooms/{room}/state/m.room.member/@jun:test");
    let told = json!({"membership": "join", "displayname": "JUN", "reason": "tea", "a.key": 1});
    assert_eq!(house.get("mina", &member).await.ok(), told);
    let before = house.commands();
    house
        .post("jun", &format!("join/{room}"), json!({"a.key": 2}))
        .await
        .ok();
    house
        .post("jun", &format!("rooms/{room}/join"), json!({"reason": 5}))
        .await
        .refused(400, "M_BAD_JSON");
    house
        .post("jun", "join/nonsense", json!({}))
        .await
        .refused(400, "M_INVALID_PARAM");
    house
        .post("jun", "rooms/!none:test/join", json!({"a": 1}))
        .await
        .refused(404, "M_NOT_FOUND");
    assert_eq!(house.commands(), before, "who is in a room is in it");
    let shown = json!({"membership": "join", "displayname": "J", "b.key": [true]});
    let set = house.put("jun", &member, shown.clone()).await.ok();
    assert_eq!(house.get("mina", &member).await.ok(), shown);
    assert_eq!(
        house.put("jun", &member, shown).await.ok(),
        set,
        "nothing changes"
    );
    let large = json!({"membership": "join", "b.key": "x".repeat(66_000)});
    house
        .put("jun", &member, large)
        .await
        .refused(413, "M_TOO_LARGE");
    let ban = json!({"membership": "ban", "reason": "spam", "c.key": "kept"});
    house
        .put(
            "jun",
            &format!("rooms/{room}/state/m.room.member/@sora:test"),
            ban.clone(),
        )
        .await
        .refused(403, "M_FORBIDDEN");
    let sora = format!("rooms/{room}/state/m.room.member/@sora:test");
    house.put("mina", &sora, ban.clone()).await.ok();
    assert_eq!(house.get("mina", &sora).await.ok(), ban);
}

#[tokio::test]
async fn guests_leave_when_a_room_lets_none_in_any_more() {
    let house = House::new().await;
    let room = house.room("mina", &["guest"]).await;
    let access = format!("rooms/{room}/state/m.room.guest_access");
    house
        .put("mina", &access, json!({"guest_access": "can_join"}))
        .await
        .ok();
    house
        .post(GUEST, &format!("rooms/{room}/join"), json!({}))
        .await
        .ok();
    house
        .put("mina", &access, json!({"guest_access": "forbidden"}))
        .await
        .ok();
    let members = house
        .get("mina", &format!("rooms/{room}/joined_members"))
        .await
        .ok();
    let members: Vec<&String> = members["joined"]
        .as_object()
        .expect("a map")
        .keys()
        .collect();
    assert_eq!(members, ["@guest:test", "@mina:test"]);
}
