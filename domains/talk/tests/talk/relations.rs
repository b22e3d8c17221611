//! Edits, reactions, threads and references.

use crate::house::{House, bodies, types};
use serde_json::{Value, json};

const V1: &str = "/_matrix/client/v1";

async fn relate(house: &House, who: &str, room: &str, txn: &str, mut content: Value) -> String {
    for (text, usual) in [("msgtype", "m.text"), ("body", "")] {
        if content[text].is_null() {
            content[text] = json!(usual);
        }
    }
    let path = format!("rooms/{room}/send/m.room.message/{txn}");
    let sent = house.put(who, &path, content).await.ok();
    sent["event_id"].as_str().expect("an id").to_owned()
}

fn edit(of: &str, body: &str) -> Value {
    json!({"body": format!("* {body}"), "msgtype": "m.text",
        "m.new_content": {"body": body, "msgtype": "m.text"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": of}})
}

fn in_thread(root: &str, body: &str) -> Value {
    json!({"body": body, "msgtype": "m.text",
        "m.relates_to": {"rel_type": "m.thread", "event_id": root}})
}

fn reaction(of: &str, key: &str) -> Value {
    json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": of, "key": key}})
}

async fn shown(house: &House, who: &str, room: &str, event: &str) -> Value {
    let path = format!("rooms/{room}/event/{event}");
    house.get(who, &path).await.ok()["unsigned"]["m.relations"].clone()
}

#[tokio::test]
async fn the_latest_edit_by_its_author_is_shown_wherever_the_event_is() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let event = house.say("mina", &room, "first").await;
    relate(&house, "mina", &room, "e1", edit(&event, "second")).await;
    let last = relate(&house, "mina", &room, "e2", edit(&event, "third")).await;
    relate(&house, "jun", &room, "e3", edit(&event, "not mine")).await;
    let bare = json!({"body": "x", "m.relates_to": {"rel_type": "m.replace", "event_id": event}});
    relate(&house, "mina", &room, "e4", bare).await;
    let of = shown(&house, "jun", &room, &event).await;
    assert_eq!(of["m.replace"]["event_id"], last);
    assert_eq!(of["m.replace"]["content"]["m.new_content"]["body"], "third");
    let edits = format!("{V1}/rooms/{room}/relations/{event}/m.replace");
    let listed = house.get("jun", &edits).await.ok();
    assert_eq!(listed["chunk"].as_array().map(Vec::len), Some(4));
    let sync = house.sync("jun", None, "").await;
    let timeline = sync["rooms"]["join"][&room]["timeline"]["events"].clone();
    let page = house
        .get("jun", &format!("rooms/{room}/messages?dir=b"))
        .await
        .ok();
    let context = house
        .get("jun", &format!("rooms/{room}/context/{event}"))
        .await
        .ok();
    let lists = [timeline, page["chunk"].clone(), json!([context["event"]])];
    for list in lists {
        let events = list.as_array().expect("a list");
        let found = events.iter().find(|found| found["event_id"] == event);
        let relations = &found.expect("it is there")["unsigned"]["m.relations"];
        assert_eq!(relations["m.replace"]["event_id"], last);
    }
    let path = format!("rooms/{room}/redact/{last}/r1");
    house.put("mina", &path, json!({})).await.ok();
    let of = shown(&house, "jun", &room, &event).await;
    assert_eq!(of["m.replace"]["content"]["body"], "* second");
    let path = format!("rooms/{room}/redact/{event}/r2");
    house.put("mina", &path, json!({})).await.ok();
    assert_eq!(shown(&house, "jun", &room, &event).await, Value::Null);
    let listed = house.get("jun", &edits).await.ok();
    assert_eq!(listed["chunk"], json!([]));
}

#[tokio::test]
async fn one_reacts_once_and_relates_to_what_there_is() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let other = house.room("mina", &[]).await;
    let elsewhere = house.say("mina", &other, "there").await;
    let event = house.say("mina", &room, "hi").await;
    let path = |txn: &str| format!("rooms/{room}/send/m.reaction/{txn}");
    let first = house
        .put("jun", &path("a"), reaction(&event, "+"))
        .await
        .ok();
    let repeat = house
        .put("jun", &path("a"), reaction(&event, "+"))
        .await
        .ok();
    assert_eq!(first, repeat, "a repeat is no duplicate");
    let length = house.log.history().len();
    house
        .put("jun", &path("b"), reaction(&event, "+"))
        .await
        .refused(400, "M_DUPLICATE_ANNOTATION");
    for content in [
        reaction(&elsewhere, "+"),
        reaction("$unknown", "+"),
        reaction(&event, &"x".repeat(501)),
        json!({"m.relates_to": {"rel_type": "m.annotation", "event_id": event}}),
    ] {
        house
            .put("jun", &path("c"), content)
            .await
            .refused(400, "M_UNKNOWN");
    }
    assert_eq!(
        house.log.history().len(),
        length,
        "what is refused is not written"
    );
    house
        .put("jun", &path("d"), reaction(&event, "-"))
        .await
        .ok();
    house
        .put("mina", &path("e"), reaction(&event, "+"))
        .await
        .ok();
    let id = first["event_id"].as_str().expect("an id");
    let undo = format!("rooms/{room}/redact/{id}/r");
    house.put("jun", &undo, json!({})).await.ok();
    house
        .put("jun", &path("f"), reaction(&event, "+"))
        .await
        .ok();
}

#[tokio::test]
async fn relations_are_read_by_kind_and_in_pages() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let event = house.say("mina", &room, "root").await;
    let mut answers = Vec::new();
    for n in 0..7 {
        let content = in_thread(&event, &format!("a{n}"));
        answers.push(relate(&house, "jun", &room, &format!("t{n}"), content).await);
    }
    let react = format!("rooms/{room}/send/m.reaction/r");
    house
        .put("mina", &react, reaction(&answers[0], "+"))
        .await
        .ok();
    let base = format!("{V1}/rooms/{room}/relations/{event}");
    let mut seen = Vec::new();
    let mut from = String::new();
    loop {
        let page = house
            .get("mina", &format!("{base}?limit=3{from}"))
            .await
            .ok();
        seen.extend(bodies(&page["chunk"]));
        let Some(next) = page["next_batch"].as_str() else {
            break;
        };
        from = format!("&from={next}");
    }
    assert_eq!(seen, ["a6", "a5", "a4", "a3", "a2", "a1", "a0"]);
    let forward = house
        .get("mina", &format!("{base}/m.thread?dir=f&limit=2"))
        .await
        .ok();
    assert_eq!(bodies(&forward["chunk"]), ["a0", "a1"]);
    let none = format!("{base}/m.thread/m.sticker");
    assert_eq!(house.get("mina", &none).await.ok()["chunk"], json!([]));
    let deep = house
        .get("mina", &format!("{base}?recurse=true&limit=20&dir=f"))
        .await
        .ok();
    assert_eq!(deep["chunk"].as_array().map(Vec::len), Some(8));
    assert_eq!(deep["recursion_depth"], 3);
    house
        .get("mina", &format!("{V1}/rooms/{room}/relations/$none"))
        .await
        .refused(404, "M_NOT_FOUND");
    house.get("sora", &base).await.refused(403, "M_FORBIDDEN");
    for odd in ["?from=odd", "?limit=x", "?dir=up"] {
        house
            .get("mina", &format!("{base}{odd}"))
            .await
            .refused(400, "M_INVALID_PARAM");
    }
}

#[tokio::test]
async fn what_the_ignored_say_stands_beside_no_event() {
    let house = House::new().await;
    let room = house.room("mina", &["jun", "sora"]).await;
    let a = house.say("mina", &room, "a").await;
    let b = house.say("sora", &room, "b").await;
    let c = house.say("mina", &room, "c").await;
    let heard = relate(&house, "mina", &room, "1", in_thread(&a, "a1")).await;
    relate(&house, "sora", &room, "2", in_thread(&a, "a2")).await;
    relate(&house, "mina", &room, "3", in_thread(&b, "b1")).await;
    relate(&house, "sora", &room, "4", in_thread(&c, "c1")).await;
    let referring =
        json!({"body": "see", "m.relates_to": {"rel_type": "m.reference", "event_id": a}});
    relate(&house, "sora", &room, "5", referring).await;
    let ignored = json!({"ignored_users": {"@sora:test": {}}});
    let path = "user/@jun:test/account_data/m.ignored_user_list";
    house.put("jun", path, ignored).await.ok();
    let of = shown(&house, "jun", &room, &a).await;
    assert_eq!(of["m.thread"]["count"], 1);
    assert_eq!(of["m.thread"]["latest_event"]["event_id"], heard);
    assert_eq!(of.get("m.reference"), None);
    assert_eq!(shown(&house, "jun", &room, &c).await, Value::Null);
    assert_eq!(
        shown(&house, "mina", &room, &a).await["m.thread"]["count"],
        2
    );
    let path = format!("{V1}/rooms/{room}/threads");
    let threads = house.get("jun", &path).await.ok();
    let listed = threads["chunk"].as_array().expect("a list").iter();
    let listed: Vec<_> = listed
        .map(|root| (root["event_id"].as_str(), &root["content"]["body"]))
        .collect();
    // What began one of them is known to be there, and not told.
    let nothing = Value::Null;
    let of_a = (Some(a.as_str()), &json!("a"));
    assert_eq!(listed, [(Some(b.as_str()), &nothing), of_a]);
    let sync = house.sync("jun", None, "").await;
    let timeline = sync["rooms"]["join"][&room]["timeline"]["events"].as_array();
    let mut timeline = timeline.expect("a list").iter();
    let synced = timeline.find(|event| event["event_id"] == a).expect("a");
    assert_eq!(synced["unsigned"]["m.relations"]["m.thread"]["count"], 1);
}

#[tokio::test]
async fn threads_are_counted_listed_and_not_nested() {
    let house = House::new().await;
    let room = house.room("mina", &["jun", "sora"]).await;
    let a = house.say("mina", &room, "a").await;
    let b = house.say("sora", &room, "b").await;
    let first = relate(&house, "jun", &room, "1", in_thread(&a, "a1")).await;
    relate(&house, "jun", &room, "2", in_thread(&b, "b1")).await;
    let last = relate(&house, "jun", &room, "3", in_thread(&a, "a2")).await;
    let nested = format!("rooms/{room}/send/m.room.message/n");
    house
        .put("jun", &nested, in_thread(&first, "nested"))
        .await
        .refused(400, "M_UNKNOWN");
    let of = shown(&house, "jun", &room, &a).await;
    assert_eq!(of["m.thread"]["count"], 2);
    assert_eq!(of["m.thread"]["latest_event"]["event_id"], last);
    assert_eq!(of["m.thread"]["current_user_participated"], true);
    let of = shown(&house, "sora", &room, &a).await;
    assert_eq!(of["m.thread"]["current_user_participated"], false);
    let list = async |who: &str, rest: &str| {
        let page = house
            .get(who, &format!("{V1}/rooms/{room}/threads{rest}"))
            .await
            .ok();
        (bodies(&page["chunk"]), page["next_batch"].clone())
    };
    assert_eq!(list("sora", "").await.0, ["a", "b"]);
    assert_eq!(list("sora", "?include=participated").await.0, ["b"]);
    let (page, next) = list("jun", "?limit=1").await;
    assert_eq!(page, ["a"]);
    let next = next.as_str().expect("a token");
    assert_eq!(list("jun", &format!("?limit=1&from={next}")).await.0, ["b"]);
    house
        .get("jun", &format!("{V1}/rooms/{room}/threads?limit=0"))
        .await
        .refused(400, "M_INVALID_PARAM");
    house
        .get("jun", &format!("{V1}/rooms/{room}/threads?include=odd"))
        .await
        .refused(400, "M_INVALID_PARAM");
    for event in [&last, &first] {
        let path = format!("rooms/{room}/redact/{event}/{}", &event[1..]);
        house.put("jun", &path, json!({})).await.ok();
        let of = shown(&house, "jun", &room, &a).await;
        let count = (*event == last).then_some(json!(1)).unwrap_or_default();
        assert_eq!(of["m.thread"]["count"], count);
    }
    assert_eq!(list("sora", "").await.0, ["b"]);
}

#[tokio::test]
async fn receipts_stay_in_their_threads() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let root = house.say("mina", &room, "root").await;
    let inside = relate(&house, "mina", &room, "1", in_thread(&root, "in")).await;
    let outside = house.say("mina", &room, "out").await;
    let mark = async |event: &str, thread: &str| {
        let path = format!("rooms/{room}/receipt/m.read/{event}");
        house
            .post("jun", &path, json!({ "thread_id": thread }))
            .await
    };
    mark(&inside, &root).await.ok();
    mark(&root, &root).await.ok();
    mark(&root, "main").await.ok();
    mark(&outside, "main").await.ok();
    mark(&outside, &root).await.refused(400, "M_INVALID_PARAM");
    let no_root = mark(&outside, &outside).await;
    no_root.refused(400, "M_INVALID_PARAM");
    mark(&inside, "main").await.refused(400, "M_INVALID_PARAM");
    let path = format!("rooms/{room}/receipt/m.fully_read/{inside}");
    house
        .post("jun", &path, json!({ "thread_id": root }))
        .await
        .refused(400, "M_INVALID_PARAM");
}

#[tokio::test]
async fn references_are_listed_beside_the_event() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let event = house.say("mina", &room, "poll").await;
    let content = json!({"m.relates_to": {"rel_type": "m.reference", "event_id": event}});
    let path = format!("rooms/{room}/send/m.poll.response/p");
    let answer = house.put("mina", &path, content).await.ok();
    let of = shown(&house, "mina", &room, &event).await;
    assert_eq!(
        of["m.reference"]["chunk"],
        json!([{"event_id": answer["event_id"]}])
    );
    let page = house
        .get("mina", &format!("{V1}/rooms/{room}/relations/{event}"))
        .await
        .ok();
    assert_eq!(types(&page["chunk"]), ["m.poll.response"]);
}

#[tokio::test]
async fn what_is_unread_is_counted_thread_by_thread() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let root = house.say("mina", &room, "root").await;
    let call = json!({"body": "jun", "m.mentions": {"user_ids": ["@jun:test"]},
        "m.relates_to": {"rel_type": "m.thread", "event_id": root}});
    let inside = relate(&house, "mina", &room, "1", call).await;
    relate(&house, "mina", &room, "2", in_thread(&root, "in")).await;
    let counts = async || {
        let filter = "&filter=%7B%22room%22:%7B%22timeline%22:%7B%22unread_thread_notifications%22:true%7D%7D%7D";
        let number = |counts: &Value| {
            let number = |name: &str| counts[name].as_i64().unwrap_or(-1);
            (number("notification_count"), number("highlight_count"))
        };
        let all = house.sync("jun", None, "").await;
        let split = house.sync("jun", None, filter).await;
        let split = &split["rooms"]["join"][&room];
        (
            number(&all["rooms"]["join"][&room]["unread_notifications"]),
            number(&split["unread_notifications"]),
            number(&split["unread_thread_notifications"][&root]),
        )
    };
    let none = (-1, -1);
    assert_eq!(counts().await, ((3, 1), (1, 0), (2, 1)));
    let mark = async |event: &str, body: Value| {
        let path = format!("rooms/{room}/receipt/m.read/{event}");
        house.post("jun", &path, body).await.ok();
    };
    mark(&root, json!({"thread_id": "main"})).await;
    assert_eq!(counts().await, ((2, 1), (0, 0), (2, 1)));
    mark(&inside, json!({ "thread_id": root })).await;
    assert_eq!(counts().await, ((1, 0), (0, 0), (1, 0)));
    house.say("mina", &room, "out").await;
    relate(&house, "jun", &room, "3", in_thread(&root, "mine")).await;
    assert_eq!(counts().await, ((1, 0), (1, 0), none), "the thread is read");
    let last = relate(&house, "mina", &room, "4", in_thread(&root, "more")).await;
    assert_eq!(counts().await, ((2, 0), (1, 0), (1, 0)));
    mark(&last, json!({})).await;
    assert_eq!(counts().await, ((0, 0), (0, 0), none));
}

#[tokio::test]
async fn the_marker_of_what_was_fully_read_moves_forward() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let first = house.say("mina", &room, "1").await;
    let second = house.say("mina", &room, "2").await;
    for event in [&second, &first] {
        let path = format!("rooms/{room}/read_markers");
        house
            .post("mina", &path, json!({ "m.fully_read": event }))
            .await
            .ok();
        let path = format!("user/@mina:test/rooms/{room}/account_data/m.fully_read");
        let marker = house.get("mina", &path).await.ok();
        assert_eq!(marker["event_id"], second);
    }
}

/// The JavaScript client library sends every list of a filter, and leaves empty what it does not ask for.
#[tokio::test]
async fn an_empty_list_of_relations_asks_for_none() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    house.say("mina", &room, "tea").await;
    let filter = "%7B%22related_by_senders%22:%5B%5D,%22related_by_rel_types%22:%5B%5D%7D";
    let path = format!("rooms/{room}/messages?dir=b&limit=1&filter={filter}");
    let page = house.get("mina", &path).await.ok();
    assert_eq!(bodies(&page["chunk"]), ["tea"]);
}
