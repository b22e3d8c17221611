//! Finding rooms.

use crate::house::House;
use serde_json::{Value, json};

/// A listed room with a name and this many people beside its maker.
async fn listed(house: &House, name: &str, others: usize) -> String {
    let wish = json!({"visibility": "public", "name": name, "topic": format!("About {name}")});
    let made = house.post("mina", "createRoom", wish).await.ok();
    let room = made["room_id"].as_str().expect("an id").to_owned();
    for n in 0..others {
        house
            .post(&format!("p{n}"), &format!("rooms/{room}/join"), json!({}))
            .await
            .ok();
    }
    room
}

fn names(page: &Value) -> Vec<&str> {
    let chunk = page["chunk"].as_array().expect("a list");
    chunk
        .iter()
        .filter_map(|room| room["name"].as_str())
        .collect()
}

#[tokio::test]
async fn the_directory_is_read_by_pages_in_both_directions() {
    let house = House::new().await;
    for (name, others) in [("one", 1), ("three", 3), ("zero", 0), ("two", 2)] {
        listed(&house, name, others).await;
    }
    let all = house.get("", "publicRooms").await.ok();
    assert_eq!(names(&all), ["three", "two", "one", "zero"]);
    assert_eq!(all["total_room_count_estimate"], 4);
    assert_eq!((all.get("next_batch"), all.get("prev_batch")), (None, None));
    let first = house.get("", "publicRooms?limit=2").await.ok();
    assert_eq!(names(&first), ["three", "two"]);
    assert_eq!(first.get("prev_batch"), None);
    let next = first["next_batch"].as_str().expect("a token");
    let second = house
        .get("", &format!("publicRooms?limit=2&since={next}"))
        .await
        .ok();
    assert_eq!(names(&second), ["one", "zero"]);
    assert_eq!(second.get("next_batch"), None);
    let back = second["prev_batch"].as_str().expect("a token");
    let again = house
        .get("", &format!("publicRooms?limit=1&since={back}"))
        .await
        .ok();
    assert_eq!(names(&again), ["two"]);
    let next = again["next_batch"].as_str().expect("a token");
    let after = house
        .get("", &format!("publicRooms?limit=1&since={next}"))
        .await
        .ok();
    assert_eq!(names(&after), ["one"]);
    house
        .get("", "publicRooms?since=x")
        .await
        .refused(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn the_directory_is_searched() {
    let house = House::new().await;
    let tea = listed(&house, "Green Tea", 1).await;
    listed(&house, "Coffee", 0).await;
    let space = json!({
        "visibility": "public", "name": "Drinks", "room_alias_name": "thirst",
        "creation_content": {"type": "m.space"}
    });
    house.post("mina", "createRoom", space).await.ok();
    let check = async |filter: Value, expect: &[&str]| {
        let body = json!({ "filter": filter });
        let found = house.post("jun", "publicRooms", body).await.ok();
        assert_eq!(names(&found), expect, "{filter}");
    };
    check(json!({"generic_search_term": "tea"}), &["Green Tea"]).await;
    check(json!({"generic_search_term": "ABOUT c"}), &["Coffee"]).await;
    check(json!({"generic_search_term": "thirst"}), &["Drinks"]).await;
    check(json!({"generic_search_term": "milk"}), &[]).await;
    check(json!({"room_types": ["m.space"]}), &["Drinks"]).await;
    check(json!({"room_types": [null]}), &["Green Tea", "Coffee"]).await;
    let all = ["Green Tea", "Drinks", "Coffee"];
    check(json!({"room_types": []}), &all).await;
    house
        .post("", "publicRooms", json!({}))
        .await
        .refused(401, "M_MISSING_TOKEN");
    let found = house
        .post("jun", "publicRooms", json!({"limit": 1}))
        .await
        .ok();
    assert_eq!(
        found["chunk"],
        json!([{
            "room_id": tea, "name": "Green Tea", "topic": "About Green Tea", "num_joined_members": 2,
            "world_readable": false, "guest_can_join": false
        }])
    );
}

#[tokio::test]
async fn who_may_name_a_room_may_list_it() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let path = format!("directory/list/room/{room}");
    assert_eq!(house.get("", &path).await.ok()["visibility"], "private");
    let public = json!({"visibility": "public"});
    house
        .put("jun", &path, public.clone())
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .put("mina", &path, json!({"visibility": "loud"}))
        .await
        .refused(400, "M_INVALID_PARAM");
    house.put("mina", &path, public.clone()).await.ok();
    assert_eq!(house.get("", &path).await.ok()["visibility"], "public");
    house
        .put("mina", &path, json!({"visibility": "private"}))
        .await
        .ok();
    house.put("mina", &path, json!({})).await.ok();
    assert_eq!(house.get("", &path).await.ok()["visibility"], "public");
    let rules = format!("rooms/{room}/state/m.room.join_rules");
    let seen = format!("rooms/{room}/state/m.room.history_visibility");
    for (rule, visibility, shown) in [
        ("public", "shared", 1),
        ("invite", "shared", 0),
        ("invite", "world_readable", 1),
        ("knock", "shared", 1),
    ] {
        let rule = json!({"join_rule": rule});
        house.put("mina", &rules, rule.clone()).await.ok();
        let visibility = json!({"history_visibility": visibility});
        house.put("mina", &seen, visibility).await.ok();
        let all = house.get("", "publicRooms").await.ok();
        assert_eq!(all["chunk"].as_array().map(Vec::len), Some(shown), "{rule}");
        assert_eq!(all["total_room_count_estimate"], shown, "{rule}");
    }
    let unknown = "directory/list/room/!no:test";
    house.get("", unknown).await.refused(404, "M_NOT_FOUND");
    house
        .put("mina", unknown, public)
        .await
        .refused(404, "M_NOT_FOUND");
    for who in ["jun", "mina"] {
        house
            .post(who, &format!("rooms/{room}/leave"), json!({}))
            .await
            .ok();
    }
    let all = house.get("", "publicRooms").await.ok();
    assert_eq!(all["chunk"], json!([]), "an empty room is not shown");
}

#[tokio::test]
async fn a_name_that_was_taken_away_is_not_kept() {
    let house = House::new().await;
    let made = house
        .post("mina", "createRoom", json!({"room_alias_name": "tea"}))
        .await
        .ok();
    let room = made["room_id"].as_str().expect("an id");
    let canonical = format!("rooms/{room}/state/m.room.canonical_alias");
    let other = "directory/room/%23milk:test";
    house
        .put("mina", other, json!({"room_id": room}))
        .await
        .ok();
    for wrong in [
        json!({"alias": "tea"}),
        json!({"alias": 5}),
        json!({"alt_aliases": "#tea:test"}),
        json!({"alt_aliases": [5]}),
    ] {
        house
            .put("mina", &canonical, wrong)
            .await
            .refused(400, "M_INVALID_PARAM");
    }
    let both = json!({"alias": "#tea:test", "alt_aliases": ["#milk:test"]});
    house.put("mina", &canonical, both).await.ok();
    house.delete("mina", other).await.ok();
    assert_eq!(
        house.get("mina", &canonical).await.ok(),
        json!({"alias": "#tea:test"})
    );
    house
        .delete("mina", "directory/room/%23tea:test")
        .await
        .ok();
    assert_eq!(house.get("mina", &canonical).await.ok(), json!({}));
    house
        .delete("mina", other)
        .await
        .refused(404, "M_NOT_FOUND");
}
