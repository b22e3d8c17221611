//! Operators, over HTTP and as through the control socket.

use crate::house::{House, bodies};
use serde_json::{Value, json};

/// Somebody with an account of the machine.
fn root() -> bongsu_lane::SystemAccount {
    bongsu_lane::SystemAccount {
        uid: 0,
        name: Some("root".to_owned()),
    }
}

/// The acts in the audit log with who did them, oldest first.
async fn acts(house: &House) -> Vec<(String, String)> {
    let lines = house.inspect("audit/talk").await.ok();
    let lines = lines["items"].as_array().expect("a list").iter().rev();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    lines
        .map(|line| (text(&line["who"]), text(&line["act"])))
        .collect()
}

#[tokio::test]
async fn administration_is_for_administrators() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let path = format!("/admin/v1/rooms/{room}");
    let none = house.get("", &path).await;
    assert_eq!(none.headers["www-authenticate"], "Bearer");
    none.problem(401);
    house.get("nonsense", &path).await.problem(403);
    house.get("mina", &path).await.problem(403);
    let seen = house.get("root", &path).await.ok();
    assert_eq!(
        (&seen["room_id"], &seen["joined_members"]),
        (&json!(room), &json!(1))
    );
    let block = format!("{path}/block");
    house.post("mina", &block, json!({})).await.problem(403);
    house
        .post("root", &block, json!({ "reason": "spam" }))
        .await
        .ok();
    house
        .operate(&format!("rooms/{room}/unblock"), json!({}))
        .await
        .ok();
    let odd = house.post("root", &block, json!({ "cause": "spam" })).await;
    assert!(odd.problem(400).contains("cause"));
    let block = format!("rooms/{room}/block");
    house.operate_as(root(), &block, json!({})).await.ok();
    let expect = [
        ("@root:test", "room.block"),
        ("operator", "room.unblock"),
        ("operator root (uid 0)", "room.block"),
    ];
    let expect = expect.map(|(who, act)| (who.to_owned(), act.to_owned()));
    assert_eq!(acts(&house).await, expect);
    let check = house.inspect("audit/talk/check").await.ok();
    assert_eq!(check, json!({ "intact": true, "line": 3 }));
}

#[tokio::test]
async fn lists_are_read_a_page_at_a_time() {
    let house = House::new().await;
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(house.room("mina", &[]).await);
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = house.inspect(&format!("rooms?limit=2{cursor}")).await.ok();
        let items = page["items"].as_array().expect("a list");
        assert!(items.len() <= 2);
        found.extend(
            items
                .iter()
                .map(|room| room["room_id"].as_str().expect("an id").to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(found, rooms);
    house.inspect("rooms?cursor=x").await.problem(400);
    house.inspect("rooms/!none:test").await.problem(404);
}

#[tokio::test]
async fn nobody_enters_a_blocked_room() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    house
        .operate(&format!("rooms/{room}/block"), json!({}))
        .await
        .ok();
    let join = format!("rooms/{room}/join");
    house
        .post("bora", &join, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    let invite = format!("rooms/{room}/invite");
    let bora = json!({ "user_id": "@bora:test" });
    house
        .post("mina", &invite, bora)
        .await
        .refused(403, "M_FORBIDDEN");
    house.say("jun", &room, "still-here").await;
    house
        .operate(&format!("rooms/{room}/unblock"), json!({}))
        .await
        .ok();
    house.post("bora", &join, json!({})).await.ok();
}

#[tokio::test]
async fn a_room_that_is_shut_down_moves_everybody_to_a_new_one() {
    let house = House::new().await;
    let room = house.room("mina", &["jun", "bora"]).await;
    house.say("jun", &room, "hello").await;
    let path = format!("rooms/{room}/shutdown");
    let how = json!({ "notice": "We moved.", "replace": true, "name": "New" });
    let done = house.operate(&path, how).await.ok();
    let new = done["replacement"].as_str().expect("a room").to_owned();
    for who in ["mina", "jun", "bora"] {
        let sync = house
            .sync(
                who,
                None,
                "&filter=%7B%22room%22:%7B%22include_leave%22:true%7D%7D",
            )
            .await;
        let left = &sync["rooms"]["leave"][&room]["timeline"]["events"];
        assert!(
            bodies(left).contains(&"We moved.".to_owned()),
            "{who}: {left}"
        );
        let own = left
            .as_array()
            .and_then(|events| events.last())
            .expect("an event");
        assert_eq!(own["content"]["reason"], "We moved.");
        assert!(
            sync["rooms"]["invite"][&new].is_object(),
            "{who} is invited"
        );
        house
            .post(who, &format!("rooms/{room}/join"), json!({}))
            .await
            .refused(403, "M_FORBIDDEN");
        house
            .post(who, &format!("rooms/{new}/join"), json!({}))
            .await
            .ok();
    }
    let seen = house.inspect(&format!("rooms/{room}")).await.ok();
    assert_eq!(
        (&seen["joined_members"], &seen["blocked"], &seen["closing"]),
        (&json!(0), &json!(true), &json!(false))
    );
    house
        .operate("rooms/!none:test/shutdown", json!({}))
        .await
        .problem(404);
}

#[tokio::test]
async fn a_room_that_is_purged_leaves_nothing() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    for n in 0..250 {
        house.say("mina", &room, &format!("@room-m{n}")).await;
    }
    house
        .put(
            "jun",
            &format!("user/@jun:test/rooms/{room}/account_data/x"),
            json!({}),
        )
        .await
        .ok();
    let purge = format!("rooms/{room}/purge");
    assert!(
        house
            .operate(&purge, json!({}))
            .await
            .problem(409)
            .contains("shut it down")
    );
    house
        .operate(&format!("rooms/{room}/shutdown"), json!({}))
        .await
        .ok();
    house.operate(&purge, json!({})).await.ok();
    house.inspect(&format!("rooms/{room}")).await.problem(404);
    for table in [
        "event",
        "state",
        "member",
        "stay",
        "receipt",
        "mention",
        "power_user",
        "room",
        "account_data",
        "doomed_room",
        "closing_room",
    ] {
        let sql = format!("SELECT count(*) FROM {table}");
        let look = house
            .api
            .lane
            .read(|view| view.db().query_row(&sql, (), |row| row.get::<_, i64>(0)));
        assert_eq!(look.await.expect("it is read"), 0, "{table}");
    }
    let sync = house.sync("jun", None, "").await;
    assert!(
        sync["rooms"]["join"]
            .as_object()
            .is_none_or(serde_json::Map::is_empty)
    );
    house
        .post("jun", &format!("rooms/{room}/join"), json!({}))
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_rooms_media_is_withheld_but_for_what_is_protected() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let mut ids = Vec::new();
    for text in ["one", "two"] {
        let path = "/_matrix/media/v3/upload";
        let body = text.as_bytes().to_vec();
        let answer = house
            .raw(http::Method::POST, "mina", path, "text/plain", body)
            .await;
        let uri = answer.ok()["content_uri"]
            .as_str()
            .expect("a URI")
            .to_owned();
        let content = json!({ "msgtype": "m.file", "body": text, "url": uri });
        house
            .put(
                "mina",
                &format!("rooms/{room}/send/m.room.message/{text}"),
                content,
            )
            .await
            .ok();
        ids.push(uri.trim_start_matches("mxc://test/").to_owned());
    }
    house
        .operate(&format!("media/{}/protect", ids[1]), json!({}))
        .await
        .ok();
    let done = house
        .operate(&format!("rooms/{room}/quarantine"), json!({}))
        .await
        .ok();
    assert_eq!(done["media"], 2);
    let there = async |id: &str| {
        let path = format!("/_matrix/client/v1/media/download/test/{id}");
        house.get("mina", &path).await.status.as_u16()
    };
    assert_eq!([there(&ids[0]).await, there(&ids[1]).await], [404, 200]);
    let listed = house.inspect("media?user=mina").await.ok();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2));
    let one = house.inspect(&format!("media/{}", ids[0])).await.ok();
    assert_eq!(
        (&one["quarantined"], &one["protected"]),
        (&json!(true), &json!(false))
    );
    let deleted = house
        .operate("users/mina/delete-media", json!({}))
        .await
        .ok();
    assert_eq!(deleted["media"], 2);
    assert_eq!(house.api.media.list().await.expect("blobs"), []);
}

#[tokio::test]
async fn reports_are_listed_until_they_are_resolved() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let event = house.say("jun", &room, "rude").await;
    let path = format!("rooms/{room}/report/{event}");
    house
        .post("mina", &path, json!({ "reason": "rude" }))
        .await
        .ok();
    let open = house.inspect("reports").await.ok();
    let report = &open["items"][0];
    assert_eq!(
        (&report["reporter"], &report["event_id"], &report["reason"]),
        (&json!("@mina:test"), &json!(event), &json!("rude"))
    );
    let resolve = format!("reports/{}/resolve", report["report"]);
    house
        .operate(&resolve, json!({ "reason": "spoke to Jun" }))
        .await
        .ok();
    house.operate(&resolve, json!({})).await.problem(404);
    house
        .operate("reports/x/resolve", json!({}))
        .await
        .problem(404);
    assert_eq!(house.inspect("reports").await.ok()["items"], json!([]));
    let all = house.inspect("reports?all=true").await.ok();
    let resolved = &all["items"][0]["resolved"];
    assert_eq!(
        (&resolved["who"], &resolved["note"]),
        (&json!("operator"), &json!("spoke to Jun"))
    );
}

#[tokio::test]
async fn a_suspended_account_reads_leaves_and_redacts_its_own() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let said = house.say("mina", &room, "hello").await;
    let send = format!("rooms/{room}/send/m.room.message/1");
    let text = json!({ "msgtype": "m.text", "body": "x" });
    house
        .put("mute", &send, text)
        .await
        .refused(403, "M_USER_SUSPENDED");
    let join = format!("rooms/{room}/join");
    house
        .post("mute", &join, json!({}))
        .await
        .refused(403, "M_USER_SUSPENDED");
    house
        .post("mute", "createRoom", json!({}))
        .await
        .refused(403, "M_USER_SUSPENDED");
    house.sync("mute", None, "").await;
    let redact = format!("rooms/{room}/redact/{said}/1");
    house
        .put("mute", &redact, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    let capable = async |who: &str| {
        let found = house.get(who, "capabilities").await.ok();
        found["capabilities"]["m.account_moderation"].clone()
    };
    assert_eq!(
        capable("root").await,
        json!({ "lock": true, "suspend": true })
    );
    assert_ne!(capable("mina").await["lock"], json!(true));
}

#[tokio::test]
async fn media_is_named_by_its_id_or_its_uri() {
    let house = House::new().await;
    let path = "/_matrix/media/v3/upload";
    let body = b"one".to_vec();
    let answer = house.raw(http::Method::POST, "mina", path, "text/plain", body);
    let uri = answer.await.ok()["content_uri"].clone();
    let id = uri.as_str().and_then(|uri| uri.strip_prefix("mxc://test/"));
    let id = id.expect("a URI of ours");
    let named = |server: &str| format!("media/mxc%3A%2F%2F{server}%2F{id}");
    let own = named("test");
    for (verb, quarantined, protected) in [
        ("quarantine", true, false),
        ("unquarantine", false, false),
        ("protect", false, true),
        ("unprotect", false, false),
    ] {
        house
            .operate(&format!("{own}/{verb}"), json!({}))
            .await
            .ok();
        let shown = house.inspect(&own).await.ok();
        assert_eq!(shown["media_id"], id);
        let is = (&shown["quarantined"], &shown["protected"]);
        assert_eq!(is, (&json!(quarantined), &json!(protected)), "{verb}");
    }
    let other = house.inspect(&named("other.test")).await.problem(404);
    assert_eq!(
        other,
        "media of `other.test` is not kept here; this is `test`"
    );
    let odd = house.inspect("media/mxc%3A%2F%2Ftest").await.problem(400);
    assert!(odd.contains("expected mxc://test/ID"), "{odd}");
    house
        .operate(&format!("{own}/delete"), json!({}))
        .await
        .ok();
    house.inspect(&own).await.problem(404);
}
