//! Bad input gets the right error and leaves nothing in the log.

use crate::house::House;
use http::Method;
use serde_json::json;

#[tokio::test]
async fn each_kind_of_nonsense_has_its_error() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let send = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/t");
    let put = async |path: &str, body: &[u8]| {
        house
            .raw(Method::PUT, "mina", path, "application/json", body.to_vec())
            .await
    };
    put(&send, b"{").await.refused(400, "M_NOT_JSON");
    put(&send, b"\xff\xfe").await.refused(400, "M_NOT_JSON");
    put(&send, b"[]").await.refused(400, "M_BAD_JSON");
    put(&send, br#"{"body": 1.5}"#)
        .await
        .refused(400, "M_BAD_JSON");
    put(
        &send,
        format!("{{\"body\": \"{}\"}}", "x".repeat(66_000)).as_bytes(),
    )
    .await
    .refused(413, "M_TOO_LARGE");
    put(&send, &vec![b' '; 2 << 20])
        .await
        .refused(413, "M_TOO_LARGE");
    let odd = "/_matrix/client/v3/rooms/nonsense/send/m.room.message/t";
    put(odd, b"{}").await.refused(400, "M_INVALID_PARAM");
    house
        .put("jun", &send, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .put("", &send, json!({}))
        .await
        .refused(401, "M_MISSING_TOKEN");
    house
        .put("nonsense.", &send, json!({}))
        .await
        .refused(401, "M_UNKNOWN_TOKEN");
    let unknown = "/_matrix/client/v3/rooms/!none:test/send/m.room.message/t";
    house
        .put("mina", unknown, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    let reserved = format!("rooms/{room}/send/m.room.member/t");
    house
        .put("mina", &reserved, json!({"membership": "join"}))
        .await
        .refused(400, "M_INVALID_PARAM");
    assert_eq!(house.history("mina", &room).await, Vec::<String>::new());
    house
        .delete("mina", &send)
        .await
        .refused(405, "M_UNRECOGNIZED");
    house
        .get("mina", "sync?since=nonsense")
        .await
        .refused(400, "M_INVALID_PARAM");
}
