//! Presence, and what else a sync asks for and tells.

use crate::house::{House, types};
use serde_json::{Value, json};

fn token(sync: &Value) -> String {
    sync["next_batch"].as_str().expect("a token").to_owned()
}

fn told(sync: &Value) -> Vec<(String, String)> {
    let events = sync["presence"]["events"].as_array().cloned();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let events = events.unwrap_or_default().into_iter();
    let mut told: Vec<_> = events
        .map(|event| (text(&event["sender"]), text(&event["content"]["presence"])))
        .collect();
    told.sort();
    told
}

#[tokio::test]
async fn presence_reaches_those_who_share_a_room() {
    let house = House::new().await;
    house.room("mina", &["jun"]).await;
    let first = house.sync("mina", None, "").await;
    let pair = |who: &str, what: &str| (format!("@{who}:test"), what.to_owned());
    assert_eq!(told(&first), [pair("mina", "online")]);
    let alone = token(&house.sync("sora", None, "").await);
    let path = "presence/@jun:test/status";
    let away = json!({"presence": "unavailable", "status_msg": "tea"});
    let waiting = async {
        let since = token(&house.sync("mina", Some(&token(&first)), "").await);
        house
            .get("mina", &format!("sync?timeout=60000&since={since}"))
            .await
            .ok()
    };
    let (news, _) = tokio::join!(waiting, house.put("jun", path, away));
    let news = if told(&news).contains(&pair("jun", "unavailable")) {
        news
    } else {
        house.sync("mina", Some(&token(&first)), "").await
    };
    assert!(told(&news).contains(&pair("jun", "unavailable")), "{news}");
    assert_eq!(told(&house.sync("sora", Some(&alone), "").await), []);
    let seen = house.get("mina", path).await.ok();
    assert_eq!(
        (&seen["presence"], &seen["status_msg"]),
        (&json!("unavailable"), &json!("tea"))
    );
    assert!(seen["last_active_ago"].is_u64());
    house.get("sora", path).await.refused(403, "M_FORBIDDEN");
    house
        .put("mina", path, json!({"presence": "online"}))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .put("jun", path, json!({"presence": "there"}))
        .await
        .refused(400, "M_BAD_JSON");
    house
        .put("jun", path, json!({"presence": "online", "status_msg": 1}))
        .await
        .refused(400, "M_BAD_JSON");
    let never = house.get("hana", "presence/@hana:test/status").await.ok();
    assert_eq!(never, json!({"presence": "offline"}));
}

#[tokio::test]
async fn set_presence_and_the_filter_of_presence_are_honoured() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let start = token(&house.sync("mina", None, "").await);
    house.sync("jun", None, "&set_presence=offline").await;
    assert_eq!(
        house.get("jun", "presence/@jun:test/status").await.ok()["presence"],
        "offline"
    );
    house.sync("jun", None, "&set_presence=unavailable").await;
    let news = house.sync("mina", Some(&start), "").await;
    assert_eq!(told(&news), [], "they share no room yet");
    house
        .post("jun", &format!("rooms/{room}/join"), json!({}))
        .await
        .ok();
    let joined = house.sync("mina", Some(&token(&news)), "").await;
    assert_eq!(
        told(&joined),
        [("@jun:test".to_owned(), "unavailable".to_owned())]
    );
    let none = "&filter=%7B%22presence%22:%7B%22not_types%22:%5B%22*%22%5D%7D%7D";
    assert_eq!(told(&house.sync("mina", None, none).await), []);
    let one = "&filter=%7B%22presence%22:%7B%22senders%22:%5B%22@jun:test%22%5D%7D%7D";
    assert_eq!(told(&house.sync("mina", None, one).await).len(), 1);
    house
        .get("mina", "sync?set_presence=dancing")
        .await
        .refused(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn bad_filters_are_refused_and_state_is_told_as_it_is_wanted() {
    let house = House::new().await;
    house
        .get("mina", "sync?filter=%7Bodd")
        .await
        .refused(400, "M_NOT_JSON");
    house
        .get("mina", "sync?filter=%7B%22room%22:1%7D")
        .await
        .refused(400, "M_BAD_JSON");
    house
        .get("mina", "sync?filter=none")
        .await
        .refused(400, "M_INVALID_PARAM");
    let room = house.room("mina", &["jun"]).await;
    let since = token(&house.sync("jun", None, "").await);
    let name = format!("rooms/{room}/state/m.room.name");
    house.put("mina", &name, json!({"name": "Tea"})).await.ok();
    let after = house
        .sync("jun", Some(&since), "&use_state_after=true")
        .await;
    let news = &after["rooms"]["join"][&room];
    assert_eq!(types(&news["state_after"]["events"]), ["m.room.name"]);
    assert_eq!(news.get("state"), None);
    let filter = "&filter=%7B%22account_data%22:%7B%22not_types%22:%5B%22m.push_rules%22%5D%7D%7D";
    let data = &house.sync("jun", None, filter).await["account_data"];
    assert_eq!(data["events"], json!([]));
    let full = house
        .sync("jun", Some(&token(&after)), "&full_state=true")
        .await;
    let state = types(&full["rooms"]["join"][&room]["state"]["events"]);
    assert!(state.contains(&"m.room.create".to_owned()), "{state:?}");
}
