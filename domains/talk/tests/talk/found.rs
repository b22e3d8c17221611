//! What people share, and where they find help.

use crate::house::House;
use bongsu_talk::http::Support;
use serde_json::{Value, json};

const MUTUAL: &str = "/_matrix/client/v1/mutual_rooms";

#[tokio::test]
async fn two_people_are_told_the_rooms_that_they_share() {
    let house = House::new().await;
    let one = house.room("mina", &["jun", "sora"]).await;
    house.room("mina", &["sora"]).await;
    let two = house.room("jun", &["mina"]).await;
    let left = house.room("jun", &["mina"]).await;
    house
        .post("mina", &format!("rooms/{left}/leave"), json!({}))
        .await
        .ok();
    let path = format!("{MUTUAL}?user_id=@jun:test");
    let told = house.get("mina", &path).await.ok();
    assert_eq!(told, json!({"count": 2, "joined": [one, two]}));
    let ghost = format!("{MUTUAL}?user_id=@ghost:test");
    let none = house.get("mina", &ghost).await.ok();
    assert_eq!(none, json!({"count": 0, "joined": []}));
    let missing = house.get("mina", MUTUAL).await;
    missing.refused(400, "M_MISSING_PARAM");
    for rest in [
        "?user_id=nonsense",
        "?user_id=@mina:test",
        "?user_id=@jun:test&from=x",
    ] {
        let answer = house.get("mina", &format!("{MUTUAL}{rest}")).await;
        answer.refused(400, "M_INVALID_PARAM");
    }
    house.get("", &path).await.refused(401, "M_MISSING_TOKEN");
}

#[tokio::test]
async fn many_shared_rooms_come_in_pages() {
    let house = House::new().await;
    for _ in 0..103 {
        house.room("mina", &["jun"]).await;
    }
    let path = format!("{MUTUAL}?user_id=@jun:test");
    let first = house.get("mina", &path).await.ok();
    let from = first["next_batch"].as_str().expect("there are more");
    let second = house.get("mina", &format!("{path}&from={from}")).await.ok();
    let length = |page: &Value| page["joined"].as_array().map(Vec::len);
    assert_eq!((length(&first), length(&second)), (Some(100), Some(3)));
    assert_eq!(
        (&first["count"], &second["count"]),
        (&json!(103), &json!(103))
    );
    assert_eq!(second.get("next_batch"), None);
}

#[tokio::test]
async fn the_operator_says_where_people_find_help() {
    const PATH: &str = "/.well-known/matrix/support";
    let house = House::new().await;
    house.get("", PATH).await.refused(404, "M_NOT_FOUND");
    let house = House::with(|config| {
        config.support = Support {
            page: Some("https://help.example/".to_owned()),
            email: Some("help@example.org".to_owned()),
            user: Some("@help:elsewhere.example".to_owned()),
        };
    })
    .await;
    let expect = json!({
        "support_page": "https://help.example/",
        "contacts": [
            {"role": "m.role.admin", "email_address": "help@example.org"},
            {"role": "m.role.admin", "matrix_id": "@help:elsewhere.example"},
        ],
    });
    assert_eq!(house.get("", PATH).await.ok(), expect);
}
