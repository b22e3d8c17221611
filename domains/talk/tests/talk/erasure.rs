//! Somebody who is erased.

use crate::house::{House, bodies};
use bongsu_lane::{Actor, Priority};
use bongsu_talk::Command;
use serde_json::json;

async fn platform(house: &House, command: Command) {
    let request = house
        .api
        .lane
        .request(Actor::Platform, Priority::Normal, command);
    let decision = house.api.lane.submit(request).await.expect("an answer");
    decision.outcome.expect("it is accepted");
}

#[tokio::test]
async fn what_an_erased_person_wrote_is_shown_to_nobody_at_once_and_then_gone() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let said = house.say("jun", &room, "tea?").await;
    house.say("mina", &room, "yes").await;
    let body = b"a picture".to_vec();
    let path = "/_matrix/media/v3/upload";
    let uploaded = house
        .raw(http::Method::POST, "jun", path, "text/plain", body)
        .await;
    let uri = uploaded.ok()["content_uri"]
        .as_str()
        .expect("a URI")
        .to_owned();
    let user = || "@jun:test".parse().expect("a user");
    platform(&house, Command::LeaveAll { user: user() }).await;
    platform(&house, Command::Erase { user: user() }).await;
    for swept in [false, true] {
        if swept {
            house.api.sweep().await.expect("it is swept");
        }
        assert_eq!(house.history("mina", &room).await, ["yes"], "{swept}");
        let event = house
            .get("mina", &format!("rooms/{room}/event/{said}"))
            .await
            .ok();
        assert_eq!(event["content"], json!({}));
        let because = &event["unsigned"]["redacted_because"];
        assert_eq!(because["type"], "m.room.redaction");
        // Also to whoever comes later.
        let late = if swept { "bora" } else { "yuna" };
        house
            .post(late, &format!("rooms/{room}/join"), json!({}))
            .await
            .ok();
        let sync = house.sync(late, None, "").await;
        let timeline = &sync["rooms"]["join"][&room]["timeline"]["events"];
        assert_eq!(bodies(timeline), ["yes"]);
        let names = timeline.to_string().contains("\"JUN\"");
        assert!(!names, "their name is gone with the rest");
    }
    let look = house.api.lane.read(|view| {
        let sql = "SELECT count(*) FROM event WHERE content LIKE '%tea?%' OR content LIKE '%JUN%'";
        view.db().query_row(sql, (), |row| row.get::<_, i64>(0))
    });
    assert_eq!(look.await.expect("it is read"), 0);
    let id = uri.trim_start_matches("mxc://");
    let path = format!("/_matrix/client/v1/media/download/{id}");
    house.get("mina", &path).await.refused(404, "M_NOT_FOUND");
    assert_eq!(house.api.media.list().await.expect("blobs"), []);
}
