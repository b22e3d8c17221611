//! Bad input gets the right error and leaves nothing in the log.

use crate::house::{Answer, House, bodies};
use axum::body::Body;
use bongsu_talk::http::operations;
use bongsu_web_kit::matrix::Operation;
use http::{Method, Request};
use serde_json::{Value, json};

/// What stands for each parameter of a path when it is a good one.
fn good(name: &str, room: &str, event: &str) -> String {
    let text = match name {
        "room_id" | "room_id_or_alias" => room,
        "event_id" => event,
        "user_id" => "@mina:test",
        "room_alias" => "%23tea:test",
        "event_type" => "m.room.topic",
        "server_name" => "test",
        "kind" => "override",
        "receipt_type" => "m.read",
        "rel_type" => "m.thread",
        _ => "x",
    };
    text.to_owned()
}

/// A path of `operation` in which each parameter is what `fill` says.
fn path(operation: &Operation, fill: impl Fn(&str) -> String) -> String {
    let pieces = operation.path.split('/').map(|piece| {
        let name = piece
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'));
        name.map_or_else(|| piece.to_owned(), &fill)
    });
    pieces.collect::<Vec<_>>().join("/")
}

fn method(operation: &Operation) -> Method {
    operation.method.parse().expect("a method")
}

/// Refused, in Matrix's form, as the client's own fault.
#[track_caller]
fn is_refused(answer: &Answer, what: &str) {
    let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
    assert!(
        answer.status.is_client_error() && body["errcode"].is_string(),
        "{what}: {} {body}",
        answer.status
    );
}

async fn ask(house: &House, who: &str, operation: &Operation, path: &str, body: &[u8]) -> Answer {
    let kind = "application/json";
    house
        .raw(method(operation), who, path, kind, body.to_vec())
        .await
}

/// What can be asked by nobody in particular.
const OPEN: [&str; 6] = [
    "/.well-known/",
    "/_matrix/client/versions",
    "/_matrix/federation/",
    "/_matrix/media/v3/download",
    "/_matrix/media/v3/thumbnail",
    "/directory/room/{room_alias}",
];

/// What nobody may ask but those whom the specification lets ask without a token as well.
const HALF_OPEN: [&str; 4] = [
    "/publicRooms",
    "/directory/list/room/",
    "/room_summary/",
    ".summary/",
];

#[tokio::test]
async fn every_endpoint_wants_a_token() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let event = house.say("mina", &room, "1").await;
    let before = house.commands();
    for operation in operations() {
        let is_among = |list: &[&str]| list.iter().any(|part| operation.path.contains(part));
        let old_media = operation.path.contains("/_matrix/media/r0/")
            && !["upload", "config", "preview"]
                .iter()
                .any(|kind| operation.path.contains(kind));
        if method(&operation) == Method::GET && (is_among(&OPEN) || old_media) {
            continue;
        }
        let path = path(&operation, |name| good(name, &room, &event));
        if method(&operation) != Method::GET || !is_among(&HALF_OPEN) {
            let nobody = ask(&house, "", &operation, &path, b"{}").await;
            nobody.refused(401, "M_MISSING_TOKEN");
        }
        let stranger = ask(&house, "nonsense.", &operation, &path, b"{}").await;
        assert!(stranger.status == 401 || is_among(&HALF_OPEN), "{path}");
    }
    assert_eq!(house.commands(), before);
}

#[tokio::test]
async fn no_endpoint_takes_a_forged_id() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let event = house.say("mina", &room, "1").await;
    let mut before = house.commands();
    let mut appended = Vec::new();
    let long = "x".repeat(300);
    let forged = |name: &str| -> Vec<String> {
        let sigil = match name {
            "room_id" | "room_id_or_alias" => "!",
            "event_id" => "$",
            "user_id" => "@",
            "room_alias" => "%23",
            "media_id" => "",
            _ => return Vec::new(),
        };
        let mut forged = vec![
            format!("{sigil}{long}:test"),
            format!("{sigil}..%2F..%2Fetc%2Fpasswd"),
            format!("{sigil}%00:test"),
            format!("{sigil}%FF%FE:test"),
            "nonsense".to_owned(),
        ];
        if name != "room_alias" {
            forged.push(format!("{sigil}none:test"));
        }
        forged
    };
    for operation in operations() {
        // An upload's own id is checked in `media_more`; nobody's presence and data are told below.
        let names = operation.path.split('/').filter_map(|piece| {
            let name = piece.strip_prefix('{')?;
            name.strip_suffix('}')
        });
        for name in names {
            for id in forged(name) {
                let path = path(&operation, |other| {
                    if other == name {
                        id.clone()
                    } else {
                        good(other, &room, &event)
                    }
                });
                let answer = ask(&house, "mina", &operation, &path, b"{}").await;
                // A room that is not there has no tags.
                if !(path.ends_with("/tags") && answer.status == 200) {
                    is_refused(&answer, &format!("{} {path}", operation.method));
                }
                if house.commands() != before {
                    before = house.commands();
                    appended.push(format!("{} {path}", operation.method));
                }
            }
        }
    }
    assert_eq!(appended, Vec::<String>::new());
}

/// What reads no body, or any.
const BODILESS: [&str; 8] = [
    "msc2246/create",
    "/upload",
    "/media/v1/create",
    "/forget",
    "/openid/request_token",
    "/receipt/",
    "/account_data/",
    "/state/",
];

#[tokio::test]
async fn no_endpoint_takes_a_body_that_is_none() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let event = house.say("mina", &room, "1").await;
    let before = house.commands();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = vec![b' '; 10 << 20];
    for operation in operations() {
        let reads = matches!(operation.method.as_str(), "PUT" | "POST");
        if !reads || BODILESS.iter().any(|part| operation.path.contains(part)) {
            continue;
        }
        let path = path(&operation, |name| good(name, &room, &event));
        for body in [
            b"{".as_slice(),
            b"\xff\xfe",
            b"{\"a\":\"\xc3\x28\"}",
            deep.as_bytes(),
            &large,
        ] {
            let answer = ask(&house, "mina", &operation, &path, body).await;
            let what = &body[..body.len().min(9)];
            is_refused(&answer, &format!("{} {path} {what:?}", operation.method));
            let is_large = body.len() > 1 << 20;
            assert!(answer.status == 413 || !is_large, "{path} {what:?}");
        }
    }
    assert_eq!(house.commands(), before);
}

/// A body and the refusal that it gets.
struct Nonsense {
    kind: String,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
}

fn is(kind: &str, body: impl AsRef<[u8]>, status: u16, code: &'static str) -> Nonsense {
    Nonsense {
        kind: kind.to_owned(),
        body: body.as_ref().to_vec(),
        status,
        code,
    }
}

fn nonsense() -> Vec<Nonsense> {
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(500), "]".repeat(500));
    let long = format!(r#"{{"a": "{}"}}"#, "x".repeat(66_000));
    let key = "k".repeat(256);
    let (send, levels) = ("send/m.room.message", "state/m.room.power_levels/");
    let (bad, not) = ("M_BAD_JSON", "M_NOT_JSON");
    let large = "M_TOO_LARGE";
    vec![
        is(send, "{", 400, not),
        is(send, "", 400, not),
        is(send, b"\xff\xfe", 400, not),
        is(send, b"{\"a\": \"\xc3\x28\"}", 400, not),
        is(send, deep, 400, bad),
        is(send, "[]", 400, bad),
        is(send, "null", 400, bad),
        is(send, r#"{"body": 1.5}"#, 400, bad),
        is(send, r#"{"body": 1e3}"#, 400, bad),
        is(send, r#"{"a": 9007199254740992}"#, 400, bad),
        is(send, r#"{"a": [-9007199254740992]}"#, 400, bad),
        is(send, r#"{"a": 99999999999999999999}"#, 400, bad),
        is(send, long, 413, large),
        is(send, " ".repeat(2 << 20), 413, large),
        is(&format!("send/{key}"), "{}", 413, large),
        is(&format!("state/{key}"), "{}", 413, large),
        is("send/m.room.member", "{}", 400, "M_INVALID_PARAM"),
        is("send/m.room.create", "{}", 400, "M_INVALID_PARAM"),
        is("state/m.room.name", r#"{"name": 1.5}"#, 400, bad),
        is(levels, r#"{"users": {"nonsense": 1}}"#, 400, bad),
        is(levels, r#"{"ban": "much"}"#, 400, bad),
    ]
}

#[tokio::test]
async fn each_kind_of_nonsense_has_its_error() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let before = house.commands();
    let path = |kind: &str| {
        let key = if kind.ends_with('/') { "" } else { "/t" };
        format!("/_matrix/client/v3/rooms/{room}/{kind}{key}")
    };
    for case in nonsense() {
        let shown = String::from_utf8_lossy(&case.body[..case.body.len().min(60)]).into_owned();
        let (path, kind) = (path(&case.kind), "application/json");
        let answer = house.raw(Method::PUT, "mina", &path, kind, case.body).await;
        let found: Value = serde_json::from_slice(&answer.bytes).expect("JSON");
        assert_eq!(
            (answer.status.as_u16(), found["errcode"].as_str()),
            (case.status, Some(case.code)),
            "{path} {shown}: {found}"
        );
    }
    let send = path("send/m.room.message");
    house
        .put("jun", &send, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .delete("mina", &send)
        .await
        .refused(405, "M_UNRECOGNIZED");
    assert_eq!(house.history("mina", &room).await, Vec::<String>::new());
    assert_eq!(house.commands(), before);
}

#[tokio::test]
async fn queries_that_mean_nothing_are_refused() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let event = house.say("mina", &room, "1").await;
    let before = house.commands();
    let huge = "9".repeat(40);
    for path in [
        "sync?since=nonsense",
        "sync?since=s",
        "sync?since=s-1",
        &format!("sync?since=s{huge}"),
        "sync?since=%FF",
        "sync?filter=none",
        "sync?filter=%7B",
        "sync?filter=%7B%22room%22:5%7D",
        "sync?filter=%7B%22event_format%22:%22bogus%22%7D",
        &format!("rooms/{room}/state/m.room.create?format=bogus"),
        "sync?timeout=soon",
        "sync?timeout=-1",
        &format!("rooms/{room}/messages"),
        &format!("rooms/{room}/messages?dir=x"),
        &format!("rooms/{room}/messages?dir=b&from=nonsense"),
        &format!("rooms/{room}/messages?dir=b&limit={huge}"),
        &format!("rooms/{room}/messages?dir=b&limit=-1"),
        &format!("rooms/{room}/messages?dir=b&filter=%5B"),
        &format!("rooms/{room}/members?at=nonsense"),
        &format!("rooms/{room}/context/{event}?limit=x"),
        &format!("/_matrix/client/v1/rooms/{room}/relations/{event}?from=nonsense"),
        &format!("/_matrix/client/v1/rooms/{room}/threads?from=nonsense"),
        &format!("/_matrix/client/v1/rooms/{room}/hierarchy?from=nonsense"),
        &format!("/_matrix/client/v1/rooms/{room}/hierarchy?max_depth=-1"),
        &format!("/_matrix/client/v1/rooms/{room}/timestamp_to_event?dir=f"),
        &format!("/_matrix/client/v1/rooms/{room}/timestamp_to_event?dir=f&ts=soon"),
        "publicRooms?limit=many",
        "publicRooms?since=nonsense",
        "notifications?from=nonsense",
        "/_matrix/client/v1/media/thumbnail/test/none?width=0&height=1",
        "/_matrix/client/v1/media/thumbnail/test/none?width=1",
        "/_matrix/client/v1/media/thumbnail/test/none?width=-1&height=1",
    ] {
        let answer = house.get("mina", path).await;
        is_refused(&answer, path);
    }
    assert_eq!(house.commands(), before);
}

#[tokio::test]
async fn rooms_that_cannot_be_are_not_made() {
    let house = House::new().await;
    let before = house.commands();
    let long = "x".repeat(300);
    let many: Vec<String> = (0..2_000).map(|n| format!("@u{n}:test")).collect();
    for body in [
        json!({"preset": "nonsense"}),
        json!({"visibility": 5}),
        json!({"room_version": "99"}),
        json!({"room_alias_name": long}),
        json!({"room_alias_name": "a:b"}),
        json!({"room_alias_name": "a\u{0}b"}),
        json!({"invite": ["nonsense"]}),
        json!({"invite": [format!("@{long}:test")]}),
        json!({"invite": many}),
        json!({"name": "n".repeat(70_000)}),
        json!({"initial_state": [{"type": "m.room.name"}]}),
        json!({"initial_state": [{"type": "m.room.topic", "content": {"topic": 1.5}}]}),
        json!({"creation_content": {"a": 9_007_199_254_740_992_i64}}),
        json!({"power_level_content_override": {"users": {"nonsense": 1}}}),
        json!({"power_level_content_override": {"ban": 1.5}}),
    ] {
        let answer = house.post("mina", "createRoom", body.clone()).await;
        let shown: String = body.to_string().chars().take(90).collect();
        is_refused(&answer, &shown);
        assert_eq!(house.commands(), before, "{shown}");
    }
    assert_eq!(house.commands(), before);
    let rooms = house.get("mina", "joined_rooms").await.ok();
    assert_eq!(rooms["joined_rooms"], json!([]));
}

#[tokio::test]
async fn media_ids_lead_nowhere_else() {
    let house = House::new().await;
    let before = house.commands();
    let get = async |id: &str| {
        let path = format!("/_matrix/client/v1/media/download/{id}");
        house.get("mina", &path).await
    };
    for id in [
        "test/..%2F..%2Fetc%2Fpasswd",
        "test/%2Fetc%2Fpasswd",
        "test/%2e%2e",
        "test/..",
        "test/a%00b",
        "test/%FF",
        "..%2F/x",
        "other.example/x",
        &format!("test/{}", "x".repeat(10_000)),
    ] {
        is_refused(&get(id).await, id);
    }
    let upload = |name: String, kind: Vec<u8>| {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("/_matrix/media/v3/upload?filename={name}"))
            .header("authorization", "Bearer mina.PHONE")
            .header("content-type", kind);
        house.send(request.body(Body::from("tea")).expect("a request"))
    };
    let too_long = upload("x".repeat(1_100), b"text/plain".to_vec()).await;
    too_long.refused(400, "M_INVALID_PARAM");
    let too_long = upload(String::new(), vec![b'x'; 1_100]).await;
    too_long.refused(400, "M_INVALID_PARAM");
    assert_eq!(house.commands(), before);
    // A name that would break a header, or lead out of a folder, is only ever a name.
    let name = "..%2F..%2Fa%22%0D%0Ax:%20y".to_owned();
    let answer = upload(name, b"text/html".to_vec()).await.ok();
    let id = answer["content_uri"].as_str().expect("a URI");
    let got = get(id.strip_prefix("mxc://").expect("an mxc URI")).await;
    assert_eq!(
        (got.status.as_u16(), got.bytes.as_slice()),
        (200, &b"tea"[..])
    );
    let told = got.headers["content-disposition"]
        .to_str()
        .unwrap_or_default();
    assert!(told.starts_with("attachment"), "{told}");
    assert_eq!(got.headers.get("x"), None);
}

#[tokio::test]
async fn of_two_equal_keys_the_last_counts() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let path = format!("/_matrix/client/v3/rooms/{room}/send/m.room.message/t");
    let body = br#"{"body": "first", "msgtype": "m.text", "body": "last"}"#;
    let sent = house
        .raw(
            Method::PUT,
            "mina",
            &path,
            "application/json",
            body.to_vec(),
        )
        .await
        .ok();
    let event = sent["event_id"].as_str().expect("an id");
    let got = house
        .get("jun", &format!("rooms/{room}/event/{event}"))
        .await;
    let text = String::from_utf8_lossy(&got.bytes).into_owned();
    assert!(text.contains("last") && !text.contains("first"), "{text}");
}

#[tokio::test]
async fn long_chains_of_relations_cost_no_more_than_they_show() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let root = house.say("mina", &room, "root").await;
    let mut last = root.clone();
    for n in 0..200 {
        let path = format!("rooms/{room}/send/m.room.message/r{n}");
        let relation = json!({"rel_type": "m.reference", "event_id": last});
        let content = json!({"body": n.to_string(), "msgtype": "m.text", "m.relates_to": relation});
        let sent = house.put("mina", &path, content).await.ok();
        last = sent["event_id"].as_str().expect("an id").to_owned();
    }
    let base = format!("/_matrix/client/v1/rooms/{room}/relations/{root}");
    let all = house
        .get("jun", &format!("{base}?recurse=true&limit=50"))
        .await
        .ok();
    assert!(
        all["chunk"]
            .as_array()
            .is_some_and(|chunk| !chunk.is_empty() && chunk.len() <= 50)
    );
    let one = house.get("jun", &base).await.ok();
    assert_eq!(bodies(&one["chunk"]), ["0"]);
    let sync = house.sync("jun", None, "").await;
    assert!(sync["rooms"]["join"][&room]["timeline"]["limited"] == true);
}

#[tokio::test]
async fn a_list_is_no_body() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let event = house.say("mina", &room, "1").await;
    let before = house.commands();
    for path in [
        "createRoom".to_owned(),
        format!("rooms/{room}/receipt/m.read/{event}"),
        format!("rooms/{room}/read_markers"),
        "user/@mina:test/filter".to_owned(),
    ] {
        let answer = house.post("mina", &path, json!([])).await;
        answer.refused(400, "M_BAD_JSON");
    }
    assert_eq!(house.commands(), before);
}

#[tokio::test]
async fn filters_are_checked_before_they_are_kept() {
    let house = House::new().await;
    for filter in [
        json!({"event_format": "bogus"}),
        json!({"event_format": 5}),
        json!({"room": {"timeline": {"related_by_senders": 5}}}),
        json!({"room": 5}),
    ] {
        let kept = house.post("mina", "user/@mina:test/filter", filter).await;
        kept.refused(400, "M_BAD_JSON");
    }
    let other = house.post("mina", "user/@jun:test/filter", json!({})).await;
    other.refused(403, "M_FORBIDDEN");
    let format = json!({"event_format": "federation"});
    house
        .post("mina", "user/@mina:test/filter", format)
        .await
        .ok();
    let room = house.room("mina", &[]).await;
    let path = format!("rooms/{room}/state/m.room.create");
    for (format, name) in [("content", "room_version"), ("event", "event_id")] {
        let state = house.get("mina", &format!("{path}?format={format}")).await;
        assert!(state.ok()[name].is_string());
    }
    let path = format!("{path}?format=bogus");
    house
        .get("mina", &path)
        .await
        .refused(400, "M_INVALID_PARAM");
}
