//! What is one person's own: tags, finding people, tokens for other services, the relay.

use crate::house::House;
use serde_json::json;

#[tokio::test]
async fn tags_of_two_devices_do_not_overwrite_each_other() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let tags = format!("user/@mina:test/rooms/{room}/tags");
    assert_eq!(house.get("mina", &tags).await.ok(), json!({"tags": {}}));
    let set = |who: &'static str, tag: &'static str, body| {
        let (house, path) = (&house, format!("{tags}/{tag}"));
        async move { house.put(who, &path, body).await.ok() }
    };
    tokio::join!(
        set("mina.PHONE", "m.favourite", json!({"order": 0.25})),
        set("mina.TABLET", "u.work", json!({})),
    );
    let both = json!({"m.favourite": {"order": 0.25}, "u.work": {}});
    assert_eq!(house.get("mina", &tags).await.ok(), json!({ "tags": both }));
    house.delete("mina", &format!("{tags}/u.work")).await.ok();
    house.delete("mina", &format!("{tags}/u.none")).await.ok();
    let sync = house.sync("mina", None, "").await;
    let told = &sync["rooms"]["join"][&room]["account_data"]["events"];
    assert_eq!(
        told[0],
        json!({"type": "m.tag", "content": {"tags": {"m.favourite": {"order": 0.25}}}})
    );
    house.get("jun", &tags).await.refused(403, "M_FORBIDDEN");
    house
        .put("mina", &format!("{tags}/u.odd"), json!({"order": "first"}))
        .await
        .refused(400, "M_BAD_JSON");
}

#[tokio::test]
async fn people_are_found_where_one_may_know_them() {
    let house = House::new().await;
    house.room("jun", &[]).await;
    let hidden = json!({"preset": "private_chat"});
    house.post("junho", "createRoom", hidden).await.ok();
    let search = async |who: &str, term: &str| {
        let body = json!({"search_term": term, "limit": 5});
        house.post(who, "user_directory/search", body).await.ok()
    };
    let found = search("mina", "JU").await;
    let jun = json!({"user_id": "@jun:test", "display_name": "JUN"});
    assert_eq!(found, json!({"results": [jun], "limited": false}));
    assert_eq!(search("mina", "").await["results"], json!([]));
    let words = async |term: &str| {
        let found = search("mina", term).await["results"].clone();
        found.as_array().map(Vec::len)
    };
    assert_eq!(words("ju n").await, Some(1), "each word is looked for");
    assert_eq!(words("jun mina").await, Some(0), "and every one is found");
    let both = search("junho", "jun").await;
    assert_eq!(both["results"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        both["results"][0]["user_id"], "@jun:test",
        "the whole name comes first"
    );
    house
        .post("mina", "user_directory/search", json!({}))
        .await
        .refused(400, "M_BAD_JSON");
}

#[tokio::test]
async fn a_token_tells_another_service_who_one_is() {
    let house = House::new().await;
    let path = "user/@mina:test/openid/request_token";
    let given = house.post("mina", path, json!({})).await.ok();
    assert_eq!(
        (&given["token_type"], &given["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    assert_eq!(given["matrix_server_name"], "test");
    let token = given["access_token"].as_str().expect("a token");
    let ask = "/_matrix/federation/v1/openid/userinfo";
    let info = house
        .get("", &format!("{ask}?access_token={token}"))
        .await
        .ok();
    assert_eq!(info, json!({"sub": "@mina:test"}));
    house
        .get("", &format!("{ask}?access_token=x"))
        .await
        .refused(401, "M_UNKNOWN_TOKEN");
    house.get("", ask).await.refused(401, "M_MISSING_TOKEN");
    house
        .post("jun", path, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn without_a_relay_or_bridges_there_are_none() {
    let house = House::new().await;
    assert_eq!(house.get("mina", "voip/turnServer").await.ok(), json!({}));
    assert_eq!(
        house.get("mina", "thirdparty/protocols").await.ok(),
        json!({})
    );
}
