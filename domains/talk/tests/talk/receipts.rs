//! What is read and what is unread.

use crate::house::{House, told};
use serde_json::{Value, json};

fn counts(sync: &Value, room: &str) -> (i64, i64) {
    let unread = &sync["rooms"]["join"][room]["unread_notifications"];
    let number = |name: &str| unread[name].as_i64().expect("a count");
    (number("notification_count"), number("highlight_count"))
}

#[tokio::test]
async fn unread_counts_follow_receipts_and_ones_own_messages() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let count = async |who: &str| counts(&house.sync(who, None, "").await, &room);
    let first = house.say("mina", &room, "1").await;
    house.say("mina", &room, "2").await;
    let mention =
        json!({"body": "jun!", "msgtype": "m.text", "m.mentions": {"user_ids": ["@jun:test"]}});
    let mention = house
        .put(
            "mina",
            &format!("rooms/{room}/send/m.room.message/3"),
            mention,
        )
        .await
        .ok();
    house
        .put(
            "mina",
            &format!("rooms/{room}/send/org.example.quiet/4"),
            json!({}),
        )
        .await
        .ok();
    assert_eq!(count("jun").await, (3, 1));
    assert_eq!(
        count("mina").await,
        (0, 0),
        "what one sends oneself is read"
    );
    house
        .post(
            "jun",
            &format!("rooms/{room}/receipt/m.read/{first}"),
            json!({}),
        )
        .await
        .ok();
    assert_eq!(count("jun").await, (2, 1));
    let mention = mention["event_id"].as_str().expect("an id");
    house
        .post(
            "jun",
            &format!("rooms/{room}/receipt/m.read.private/{mention}"),
            json!({}),
        )
        .await
        .ok();
    assert_eq!(count("jun").await, (0, 0));
    house
        .post(
            "jun",
            &format!("rooms/{room}/receipt/m.read/{first}"),
            json!({}),
        )
        .await
        .ok();
    assert_eq!(
        count("jun").await,
        (0, 0),
        "a receipt does not move backwards"
    );
    house.say("mina", &room, "5").await;
    assert_eq!(count("jun").await, (1, 0));
    house.say("jun", &room, "answer").await;
    assert_eq!(count("jun").await, (0, 0), "who answers has read");
    assert_eq!(count("mina").await, (1, 0));
}

#[tokio::test]
async fn public_receipts_are_seen_and_private_ones_are_not() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let event = house.say("mina", &room, "1").await;
    let since = house.sync("mina", None, "").await["next_batch"]
        .as_str()
        .expect("a token")
        .to_owned();
    let own = house.sync("jun.TABLET", None, "").await["next_batch"]
        .as_str()
        .expect("a token")
        .to_owned();
    let markers = json!({"m.read.private": event, "m.fully_read": event});
    house
        .post("jun", &format!("rooms/{room}/read_markers"), markers)
        .await
        .ok();
    assert!(told(&house.sync("mina", Some(&since), "").await).is_empty());
    let seen = house.sync("jun.TABLET", Some(&own), "").await;
    let seen = &seen["rooms"]["join"][&room];
    assert!(
        seen["ephemeral"]["events"][0]["content"][&event]["m.read.private"]["@jun:test"]["ts"]
            .is_i64()
    );
    assert_eq!(
        seen["account_data"]["events"][0],
        json!({"type": "m.fully_read", "content": {"event_id": event}})
    );
    house
        .post(
            "jun",
            &format!("rooms/{room}/receipt/m.read/{event}"),
            json!({"thread_id": "main"}),
        )
        .await
        .ok();
    let seen = house.sync("mina", Some(&since), "").await;
    let receipt = &seen["rooms"]["join"][&room]["ephemeral"]["events"][0];
    assert_eq!(receipt["type"], "m.receipt");
    assert_eq!(
        receipt["content"][&event]["m.read"]["@jun:test"]["thread_id"],
        "main"
    );
    house
        .post(
            "jun",
            &format!("rooms/{room}/receipt/m.read/$none"),
            json!({}),
        )
        .await
        .refused(404, "M_NOT_FOUND");
    house
        .post(
            "jun",
            &format!("rooms/{room}/receipt/m.odd/{event}"),
            json!({}),
        )
        .await
        .refused(400, "M_INVALID_PARAM");
    house
        .post(
            "sora",
            &format!("rooms/{room}/receipt/m.read/{event}"),
            json!({}),
        )
        .await
        .refused(403, "M_FORBIDDEN");
}
