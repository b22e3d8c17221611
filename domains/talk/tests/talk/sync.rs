//! Sync: the first, the next, waiting, gaps, invitations, leaving.

use crate::house::{House, bodies, told, types};
use serde_json::{Value, json};
use std::sync::Arc;

fn token(sync: &Value) -> String {
    sync["next_batch"].as_str().expect("a token").to_owned()
}

/// What was told, but for how old it has become.
fn ageless(mut told: Value) -> Value {
    match &mut told {
        Value::Object(fields) => {
            fields.remove("age");
            for field in fields.values_mut() {
                *field = ageless(field.take());
            }
        }
        Value::Array(items) => {
            for item in items {
                *item = ageless(item.take());
            }
        }
        _ => {}
    }
    told
}

#[tokio::test]
async fn a_sync_tells_what_is_new_and_nothing_twice() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let first = house.sync("jun", None, "").await;
    assert_eq!(
        first["rooms"]["join"].as_object().map(|rooms| rooms.len()),
        Some(1)
    );
    let quiet = house.sync("jun", Some(&token(&first)), "").await;
    assert!(told(&quiet).is_empty());
    house.say("mina", &room, "hello").await;
    let news = house.sync("jun", Some(&token(&quiet)), "").await;
    let news_of_room = &news["rooms"]["join"][&room];
    assert_eq!(bodies(&news_of_room["timeline"]["events"]), ["hello"]);
    assert_eq!(
        news_of_room["state"]["events"],
        json!([]),
        "state that is known is not told again"
    );
    let nothing = house.sync("jun", Some(&token(&news)), "").await;
    assert!(told(&nothing).is_empty());
    assert_eq!(
        ageless(house.sync("jun", Some(&token(&quiet)), "").await),
        ageless(news),
        "the same place gives the same news"
    );
}

#[tokio::test]
async fn waiting_ends_when_something_happens() {
    let house = Arc::new(House::new().await);
    let room = house.room("mina", &["jun"]).await;
    let since = token(&house.sync("jun", None, "").await);
    let waiting = {
        let (house, since) = (house.clone(), since.clone());
        tokio::spawn(async move {
            house
                .get("jun", &format!("sync?timeout=60000&since={since}"))
                .await
                .ok()
        })
    };
    house.say("mina", &room, "awake").await;
    let news = waiting.await.expect("it does not panic");
    assert_eq!(
        bodies(&news["rooms"]["join"][&room]["timeline"]["events"]),
        ["awake"]
    );
    let since = token(&news);
    let invited = {
        let house = house.clone();
        tokio::spawn(async move {
            house
                .get("jun", &format!("sync?timeout=60000&since={since}"))
                .await
                .ok()
        })
    };
    house
        .post("mina", "createRoom", json!({"invite": ["@jun:test"]}))
        .await
        .ok();
    assert_eq!(
        invited.await.expect("it does not panic")["rooms"]["invite"]
            .as_object()
            .map(|rooms| rooms.len()),
        Some(1)
    );
}

#[tokio::test]
async fn between_polls_nothing_is_missed_whatever_changes() {
    let house = House::new().await;
    let rooms = [
        house.room("mina", &["jun"]).await,
        house.room("mina", &["jun"]).await,
    ];
    let mut since = token(&house.sync("jun", None, "").await);
    for n in 0..50 {
        let room = &rooms[n % 2];
        house.say("mina", room, &format!("m{n}")).await;
        let news = house.sync("jun", Some(&since), "").await;
        let told = bodies(&news["rooms"]["join"][room]["timeline"]["events"]);
        assert_eq!(told, [format!("m{n}")]);
        since = token(&news);
    }
    let third = house.room("mina", &["jun"]).await;
    house.say("mina", &third, "new").await;
    let news = house.sync("jun", Some(&since), "").await;
    let all = bodies(&news["rooms"]["join"][&third]["timeline"]["events"]);
    assert_eq!(all, ["new"]);
    house.say("mina", &third, "newer").await;
    let news = house.sync("jun", Some(&token(&news)), "").await;
    let newer = bodies(&news["rooms"]["join"][&third]["timeline"]["events"]);
    assert_eq!(newer, ["newer"]);
    let path = format!("rooms/{third}/leave");
    house.post("jun", &path, json!({})).await.ok();
    let gone = house.sync("jun", Some(&token(&news)), "").await;
    assert!(gone["rooms"]["leave"].get(&third).is_some());
    house.say("mina", &third, "unheard").await;
    let quiet = house.sync("jun", Some(&token(&gone)), "").await;
    assert!(told(&quiet).is_empty());
}

#[tokio::test]
async fn a_gap_is_told_as_limited_with_the_state_that_changed_in_it() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let since = token(&house.sync("jun", None, "").await);
    for name in ["one", "two"] {
        house
            .put(
                "mina",
                &format!("rooms/{room}/state/m.room.name"),
                json!({"name": name}),
            )
            .await
            .ok();
    }
    for n in 0..5 {
        house.say("mina", &room, &format!("m{n}")).await;
    }
    house
        .put(
            "mina",
            &format!("rooms/{room}/state/m.room.name"),
            json!({"name": "three"}),
        )
        .await
        .ok();
    let filter = "&filter=%7B%22room%22:%7B%22timeline%22:%7B%22limit%22:2%7D%7D%7D";
    let news = house.sync("jun", Some(&since), filter).await;
    let news = &news["rooms"]["join"][&room];
    assert_eq!(news["timeline"]["limited"], json!(true));
    assert_eq!(
        types(&news["timeline"]["events"]),
        ["m.room.message", "m.room.name"]
    );
    assert_eq!(news["state"]["events"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        news["state"]["events"][0]["content"]["name"], "two",
        "the state before the timeline"
    );
    assert_eq!(
        news["timeline"]["events"][1]["unsigned"]["prev_content"]["name"],
        "two"
    );
}

#[tokio::test]
async fn joining_invitations_and_leaving_each_have_their_section() {
    let house = House::new().await;
    let room = house
        .post(
            "mina",
            "createRoom",
            json!({"preset": "private_chat", "name": "Tea"}),
        )
        .await
        .ok();
    let room = room["room_id"].as_str().expect("an id").to_owned();
    let start = token(&house.sync("jun", None, "").await);
    house
        .post(
            "mina",
            &format!("rooms/{room}/invite"),
            json!({"user_id": "@jun:test"}),
        )
        .await
        .ok();
    let invited = house.sync("jun", Some(&start), "").await;
    let stripped = &invited["rooms"]["invite"][&room]["invite_state"]["events"];
    assert!(
        types(stripped).contains(&"m.room.name".to_owned()),
        "{stripped}"
    );
    assert_eq!(
        stripped[0].get("event_id"),
        None,
        "stripped state has no ids"
    );
    house.say("mina", &room, "before").await;
    house
        .post("jun", &format!("rooms/{room}/join"), json!({}))
        .await
        .ok();
    let joined = house.sync("jun", Some(&token(&invited)), "").await;
    let news = &joined["rooms"]["join"][&room];
    assert!(
        types(&news["timeline"]["events"]).contains(&"m.room.create".to_owned()),
        "a new room is told from its beginning"
    );
    assert_eq!(news["summary"]["m.joined_member_count"], 2);
    house
        .post("jun", &format!("rooms/{room}/leave"), json!({}))
        .await
        .ok();
    house.say("mina", &room, "after").await;
    let left = house.sync("jun", Some(&token(&joined)), "").await;
    let events = &left["rooms"]["leave"][&room]["timeline"]["events"];
    assert_eq!(
        types(events),
        ["m.room.member"],
        "what came after is not told"
    );
    let quiet = house.sync("jun", Some(&token(&left)), "").await;
    assert!(told(&quiet).is_empty());
}

#[tokio::test]
async fn filters_of_a_sync_are_kept_and_honoured() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    house.say("mina", &room, "a").await;
    house.say("jun", &room, "b").await;
    let filter = json!({"room": {"timeline": {"senders": ["@jun:test"], "types": ["m.room.*"]}, "state": {"lazy_load_members": true}}});
    let made = house
        .post("mina", "user/@mina:test/filter", filter.clone())
        .await
        .ok();
    let id = made["filter_id"].as_str().expect("an id");
    assert_eq!(
        house
            .post("mina", "user/@mina:test/filter", filter.clone())
            .await
            .ok()["filter_id"],
        id
    );
    assert_eq!(
        house
            .get("mina", &format!("user/@mina:test/filter/{id}"))
            .await
            .ok(),
        filter
    );
    house
        .get("mina", "user/@mina:test/filter/none")
        .await
        .refused(404, "M_NOT_FOUND");
    house
        .get("jun", &format!("user/@mina:test/filter/{id}"))
        .await
        .refused(403, "M_FORBIDDEN");
    let sync = house.sync("mina", None, &format!("&filter={id}")).await;
    let news = &sync["rooms"]["join"][&room];
    assert_eq!(bodies(&news["timeline"]["events"]), ["b"]);
    let none = "&filter=%7B%22room%22:%7B%22rooms%22:%5B%5D%7D%7D";
    assert!(told(&house.sync("mina", None, none).await).is_empty());
}

#[tokio::test]
async fn account_data_and_typing_reach_the_other_devices() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let since = token(&house.sync("mina.TABLET", None, "").await);
    house
        .put(
            "mina",
            "user/@mina:test/account_data/m.direct",
            json!({"@jun:test": [room]}),
        )
        .await
        .ok();
    house
        .put(
            "mina",
            &format!("user/@mina:test/rooms/{room}/account_data/m.tag"),
            json!({"tags": {}}),
        )
        .await
        .ok();
    house
        .put("jun", "user/@mina:test/account_data/m.direct", json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .put(
            "jun",
            &format!("rooms/{room}/typing/@jun:test"),
            json!({"typing": true, "timeout": 30000}),
        )
        .await
        .ok();
    house
        .put(
            "jun",
            &format!("rooms/{room}/typing/@mina:test"),
            json!({"typing": false}),
        )
        .await
        .refused(403, "M_FORBIDDEN");
    let news = house.sync("mina.TABLET", Some(&since), "").await;
    assert_eq!(
        news["account_data"]["events"][0]["content"]["@jun:test"],
        json!([room])
    );
    assert_eq!(
        news["rooms"]["join"][&room]["account_data"]["events"][0]["type"],
        "m.tag"
    );
    assert_eq!(
        news["rooms"]["join"][&room]["ephemeral"]["events"][0]["content"]["user_ids"],
        json!(["@jun:test"])
    );
    let quiet = house.sync("mina.TABLET", Some(&token(&news)), "").await;
    assert!(told(&quiet).is_empty());
}

#[tokio::test]
async fn account_data_is_read_back_and_guarded() {
    let house = House::new().await;
    let direct = "user/@mina:test/account_data/m.direct";
    house
        .put("mina", direct, json!({"@jun:test": ["!a:test"]}))
        .await
        .ok();
    let kept = house.get("mina", direct).await.ok();
    assert_eq!(kept, json!({"@jun:test": ["!a:test"]}));
    let none = "user/@mina:test/account_data/m.none";
    house.get("mina", none).await.refused(404, "M_NOT_FOUND");
    house.get("jun", direct).await.refused(403, "M_FORBIDDEN");
    let read = "user/@mina:test/account_data/m.fully_read";
    house
        .put("mina", read, json!({}))
        .await
        .refused(405, "M_BAD_JSON");
}
