//! Spaces and what is in them.

use crate::house::House;
use serde_json::{Value, json};

async fn space(house: &House, name: &str) -> String {
    let wish = json!({
        "preset": "public_chat", "name": name, "creation_content": {"type": "m.space"}
    });
    let made = house.post("mina", "createRoom", wish).await.ok();
    made["room_id"].as_str().expect("an id").to_owned()
}

async fn put_in(house: &House, space: &str, child: &str, content: Value) {
    let path = format!("rooms/{space}/state/m.space.child/{child}");
    house.put("mina", &path, content).await.ok();
}

fn ids(page: &Value) -> Vec<&str> {
    let rooms = page["rooms"].as_array().expect("a list");
    rooms
        .iter()
        .filter_map(|room| room["room_id"].as_str())
        .collect()
}

#[tokio::test]
async fn a_space_is_walked_through() {
    let house = House::new().await;
    let (top, inner) = (space(&house, "top").await, space(&house, "inner").await);
    let (a, b, c) = (
        house.room("mina", &[]).await,
        house.room("mina", &[]).await,
        house.room("mina", &[]).await,
    );
    let made = house
        .post("mina", "createRoom", json!({"name": "secret"}))
        .await
        .ok();
    let secret = made["room_id"].as_str().expect("an id");
    put_in(&house, &top, &a, json!({"via": ["test"]})).await;
    put_in(&house, &top, secret, json!({"via": ["test"], "order": "2"})).await;
    put_in(&house, &top, &b, json!({"suggested": true})).await;
    put_in(
        &house,
        &top,
        &inner,
        json!({"via": ["test"], "order": "1", "suggested": true}),
    )
    .await;
    put_in(&house, &inner, &c, json!({"via": ["test"]})).await;
    put_in(&house, &inner, &top, json!({"via": ["test"]})).await;
    let read = async |who: &str, rest: &str| {
        let path = format!("/_matrix/client/v1/rooms/{top}/hierarchy{rest}");
        house.get(who, &path).await.ok()
    };
    let all = read("mina", "").await;
    assert_eq!(ids(&all), [&top, &inner, &c, secret, &a]);
    assert_eq!(all.get("next_batch"), None);
    assert_eq!(all["rooms"][0]["room_type"], "m.space");
    let children = &all["rooms"][0]["children_state"];
    assert_eq!(children.as_array().map(Vec::len), Some(3));
    assert_eq!(children[0]["state_key"], inner);
    assert!(children[0]["origin_server_ts"].is_i64());
    assert_eq!(all["rooms"][2]["children_state"], json!([]));
    assert_eq!(ids(&read("jun", "").await), [&top, &inner, &c, &a]);
    let near = read("jun", "?max_depth=1").await;
    assert_eq!(ids(&near), [&top, &inner, &a]);
    let suggested = read("jun", "?suggested_only=true").await;
    assert_eq!(ids(&suggested), [&top, &inner]);
    let first = read("jun", "?limit=2").await;
    assert_eq!(ids(&first), [&top, &inner]);
    let from = first["next_batch"].as_str().expect("a token");
    let rest = read("jun", &format!("?limit=2&from={from}")).await;
    assert_eq!(ids(&rest), [&c, &a]);
    let nothing = format!("/_matrix/client/v1/rooms/{top}/hierarchy?limit=0");
    house
        .get("mina", &nothing)
        .await
        .refused(400, "M_INVALID_PARAM");
    let changed = format!("/_matrix/client/v1/rooms/{top}/hierarchy?max_depth=1&from={from}");
    house
        .get("jun", &changed)
        .await
        .refused(400, "M_INVALID_PARAM");
    for room in [secret, "!no:test"] {
        let path = format!("/_matrix/client/v1/rooms/{room}/hierarchy");
        house.get("jun", &path).await.refused(403, "M_FORBIDDEN");
    }
}
