//! Push rules: the tree, changing it, and what it makes of what is unread.

use crate::house::{House, quoted, types};
use bongsu_lane::{Actor, Priority};
use bongsu_talk::command::{Command, SetAccountData};
use serde_json::{Value, json};

fn counts(sync: &Value, room: &str) -> (i64, i64) {
    let unread = &sync["rooms"]["join"][room]["unread_notifications"];
    let number = |name: &str| unread[name].as_i64().expect("a count");
    (number("notification_count"), number("highlight_count"))
}

async fn count(house: &House, who: &str, room: &str) -> (i64, i64) {
    counts(&house.sync(who, None, "").await, room)
}

async fn send(house: &House, who: &str, room: &str, txn: &str, content: Value) -> String {
    let path = format!("rooms/{room}/send/m.room.message/{txn}");
    let sent = house.put(who, &path, content).await.ok();
    sent["event_id"].as_str().expect("an id").to_owned()
}

fn ids(rules: &Value) -> Vec<&str> {
    let rules = rules.as_array().expect("a list").iter();
    rules
        .filter_map(|rule| rule["rule_id"].as_str())
        .filter(|id| !id.starts_with('.'))
        .collect()
}

#[tokio::test]
async fn the_tree_has_its_defaults_and_takes_rules_of_ones_own() {
    let house = House::new().await;
    let all = house.get("mina", "pushrules/").await.ok();
    assert_eq!(all["global"]["override"][0]["rule_id"], ".m.rule.master");
    assert_eq!(all["global"]["override"][0]["enabled"], false);
    assert_eq!(all["global"]["content"][0]["pattern"], "mina");
    assert!(all["device"].is_object());
    for (kind, id, body) in [
        ("room", "%23spam:example.com", json!({})),
        ("sender", "@bob:example.com", json!({})),
        ("content", "cake", json!({"pattern": "cake"})),
        (
            "override",
            "o",
            json!({"conditions": [{"kind": "event_match", "key": "type", "pattern": "x"}]}),
        ),
        ("underride", "u", json!({"conditions": []})),
    ] {
        let mut body = body;
        body["actions"] = json!(["notify"]);
        let path = format!("pushrules/global/{kind}/{id}");
        house.put("mina", &path, body).await.ok();
        let rule = house.get("mina", &path).await.ok();
        assert_eq!(
            (&rule["default"], &rule["enabled"]),
            (&json!(false), &json!(true))
        );
        let enabled = format!("{path}/enabled");
        house
            .put("mina", &enabled, json!({"enabled": false}))
            .await
            .ok();
        assert_eq!(
            house.get("mina", &enabled).await.ok(),
            json!({"enabled": false})
        );
        let actions = format!("{path}/actions");
        house
            .put("mina", &actions, json!({"actions": []}))
            .await
            .ok();
        assert_eq!(
            house.get("mina", &actions).await.ok(),
            json!({"actions": []})
        );
        house.delete("mina", &path).await.ok();
        house.get("mina", &path).await.refused(404, "M_NOT_FOUND");
        house
            .delete("mina", &path)
            .await
            .refused(404, "M_NOT_FOUND");
    }
    let mine = house.get("mina", "pushrules/global/").await.ok();
    assert_eq!(mine, all["global"], "all is as it was");
    assert_eq!(
        house.get("mina", "pushrules/global/underride/").await.ok(),
        all["global"]["underride"]
    );
    let default = "pushrules/global/underride/.m.rule.message";
    house
        .delete("mina", default)
        .await
        .refused(404, "M_NOT_FOUND");
    let enabled = format!("{default}/enabled");
    house
        .put("mina", &enabled, json!({"enabled": false}))
        .await
        .ok();
    assert_eq!(house.get("mina", default).await.ok()["enabled"], false);
    assert_eq!(house.get("jun", default).await.ok()["enabled"], true);
}

#[tokio::test]
async fn rules_stand_beside_others_and_bad_ones_are_refused() {
    let house = House::new().await;
    let put = async |path: &str, body: Value| {
        house
            .put("mina", &format!("pushrules/global/{path}"), body)
            .await
    };
    let notify = || json!({"actions": ["notify"]});
    put("room/a", notify()).await.ok();
    put("room/b", notify()).await.ok();
    put("room/c?after=b", notify()).await.ok();
    put("room/d?before=a", notify()).await.ok();
    let all = house.get("mina", "pushrules/").await.ok();
    assert_eq!(ids(&all["global"]["room"]), ["b", "c", "d", "a"]);
    let records = house.log.history().len();
    for (path, body, code) in [
        ("room/e?before=none", notify(), "M_INVALID_PARAM"),
        ("room/e?after=.m.rule.master", notify(), "M_INVALID_PARAM"),
        ("room/.mine", notify(), "M_INVALID_PARAM"),
        ("room/a%2Fb", notify(), "M_INVALID_PARAM"),
        ("room/a%5Cb", notify(), "M_INVALID_PARAM"),
        ("odd/a", notify(), "M_INVALID_PARAM"),
        ("room/a", json!({}), "M_BAD_JSON"),
        ("room/a", json!({"actions": ["stop"]}), "M_BAD_JSON"),
        ("room/a", json!([]), "M_BAD_JSON"),
        ("content/a", notify(), "M_BAD_JSON"),
        ("override/a", notify(), "M_BAD_JSON"),
        (
            "underride/a",
            json!({"actions": [], "conditions": [{}]}),
            "M_BAD_JSON",
        ),
        ("room/a/enabled", json!({"enabled": "yes"}), "M_BAD_JSON"),
        ("room/a/actions", json!({"actions": 1}), "M_BAD_JSON"),
    ] {
        put(path, body).await.refused(400, code);
    }
    put("override/.none/enabled", json!({"enabled": true}))
        .await
        .refused(404, "M_NOT_FOUND");
    let path = "/_matrix/client/v3/pushrules/global/room/a";
    let empty = house
        .raw(http::Method::PUT, "mina", path, "application/json", vec![])
        .await;
    empty.refused(400, "M_NOT_JSON");
    assert_eq!(
        house.log.history().len(),
        records,
        "what is refused is not written"
    );
}

#[tokio::test]
async fn sync_tells_the_rules_first_and_when_they_change() {
    let house = House::new().await;
    let first = house.sync("mina", None, "").await;
    assert_eq!(types(&first["account_data"]["events"]), ["m.push_rules"]);
    let since = first["next_batch"].as_str().expect("a token").to_owned();
    let quiet = house.sync("mina", Some(&since), "").await;
    assert_eq!(quiet["account_data"]["events"], json!([]));
    let waiting = async {
        let path = format!("sync?timeout=60000&since={since}");
        house.get("mina", &path).await.ok()
    };
    let change = async {
        let rule = json!({"actions": ["notify"]});
        house
            .put("mina.TABLET", "pushrules/global/room/a", rule)
            .await
            .ok()
    };
    let (news, _) = tokio::join!(waiting, change);
    let told = &news["account_data"]["events"][0];
    assert_eq!(told["type"], "m.push_rules");
    assert_eq!(ids(&told["content"]["global"]["room"]), ["a"]);
    let kept = house
        .get("mina", "user/@mina:test/account_data/m.push_rules")
        .await
        .ok();
    assert_eq!(kept, told["content"]);
}

#[tokio::test]
async fn names_and_mentions_are_highlights() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let text = |body: &str| json!({"msgtype": "m.text", "body": body});
    for (n, (content, expect)) in [
        (text("hello"), (1, 0)),
        (text("jun: tea?"), (2, 1)),
        (text("in june"), (3, 1)),
        (text("@room come"), (4, 2)),
        (json!({"msgtype": "m.text", "body": "jun", "m.mentions": {}}), (5, 2)),
        (json!({"msgtype": "m.notice", "body": "jun"}), (5, 2)),
        (json!({"msgtype": "m.text", "body": "* jun", "m.relates_to": {"rel_type": "m.replace"}}), (6, 3)),
        (json!({"msgtype": "m.text", "body": "* tea", "m.relates_to": {"rel_type": "m.replace"}}), (6, 3)),
        (json!({"msgtype": "m.text", "body": "* jun", "m.relates_to": {"rel_type": "m.replace"}, "m.mentions": {}}), (6, 3)),
        (json!({"msgtype": "m.text", "body": "* you", "m.relates_to": {"rel_type": "m.replace"},
                "m.mentions": {"user_ids": ["@jun:test"]}}), (7, 4)),
        (json!({"msgtype": "m.text", "body": "all", "m.mentions": {"room": true}}), (8, 5)),
        (json!({"msgtype": "m.text", "body": "you", "m.mentions": {"user_ids": ["@jun:test"]}}), (9, 6)),
    ]
    .into_iter()
    .enumerate()
    {
        send(&house, "mina", &room, &n.to_string(), content.clone()).await;
        assert_eq!(count(&house, "jun", &room).await, expect, "{content}");
    }
    // Who has a rule of their own is counted event by event, to the same result.
    let rule = json!({"actions": ["notify"]});
    house
        .put("jun", "pushrules/global/sender/@nobody:test", rule)
        .await
        .ok();
    assert_eq!(count(&house, "jun", &room).await, (9, 6));
    // Not everybody may call everybody.
    send(&house, "jun", &room, "a", text("@room here")).await;
    assert_eq!(count(&house, "mina", &room).await, (1, 0));
    house
        .put(
            "mina",
            "pushrules/global/sender/@nobody:test",
            json!({"actions": []}),
        )
        .await
        .ok();
    assert_eq!(count(&house, "mina", &room).await, (1, 0));
}

#[tokio::test]
async fn a_name_counts_where_it_stands_and_no_longer_than_it_does() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let root = house.say("mina", &room, "root").await;
    let path = format!("rooms/{room}/receipt/m.read/{root}");
    house.post("jun", &path, json!({})).await.ok();
    let named = json!({ "msgtype": "m.text", "body": "where is jun?" });
    let mut in_thread = named.clone();
    in_thread["m.relates_to"] = json!({ "rel_type": "m.thread", "event_id": root });
    send(&house, "mina", &room, "1", in_thread).await;
    let filter = quoted(&json!({"room": {"timeline": {"unread_thread_notifications": true}}}));
    let counts = async || {
        let sync = house.sync("jun", None, &filter).await;
        let room = &sync["rooms"]["join"][&room];
        let highlights = |counts: &Value| counts["highlight_count"].as_i64();
        let threads = &room["unread_thread_notifications"];
        let main = highlights(&room["unread_notifications"]);
        (main.unwrap_or(0), highlights(&threads[&root]).unwrap_or(0))
    };
    assert_eq!(counts().await, (0, 1));
    let said = send(&house, "mina", &room, "2", named).await;
    assert_eq!(counts().await, (1, 1));
    let path = format!("rooms/{room}/redact/{said}/3");
    house.put("mina", &path, json!({})).await.ok();
    assert_eq!(counts().await, (0, 1));
}

#[tokio::test]
async fn rules_of_ones_own_decide_what_is_counted() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    house.say("mina", &room, "1").await;
    assert_eq!(count(&house, "jun", &room).await, (1, 0));
    let loud =
        json!({"pattern": "*", "actions": ["notify", {"set_tweak": "highlight", "value": true}]});
    house
        .put("jun", "pushrules/global/content/anything", loud)
        .await
        .ok();
    let event = house.say("mina", &room, "2").await;
    assert_eq!(count(&house, "jun", &room).await, (2, 2));
    let read = format!("rooms/{room}/receipt/m.read/{event}");
    house.post("jun", &read, json!({})).await.ok();
    assert_eq!(count(&house, "jun", &room).await, (0, 0));
    let mute = json!({"conditions": [{"kind": "event_match", "key": "room_id", "pattern": room}], "actions": []});
    house
        .put("jun", "pushrules/global/override/mute", mute)
        .await
        .ok();
    house.say("mina", &room, "3").await;
    assert_eq!(
        count(&house, "jun", &room).await,
        (0, 0),
        "the room is muted"
    );
    house
        .delete("jun", "pushrules/global/override/mute")
        .await
        .ok();
    assert_eq!(count(&house, "jun", &room).await, (1, 1));
    let master = "pushrules/global/override/.m.rule.master/enabled";
    house
        .put("jun", master, json!({"enabled": true}))
        .await
        .ok();
    assert_eq!(count(&house, "jun", &room).await, (0, 0), "all is off");
}

#[tokio::test]
async fn notifications_are_paged_and_say_whether_they_were_read() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let mut last = String::new();
    for n in 0..5 {
        let body = if n == 2 { "jun!" } else { "tea" };
        let content = json!({"msgtype": "m.text", "body": body});
        last = send(&house, "mina", &room, &n.to_string(), content).await;
    }
    let page = house.get("jun", "notifications?limit=3").await.ok();
    let told = page["notifications"].as_array().expect("a list");
    assert_eq!(told.len(), 3);
    assert_eq!(told[0]["event"]["event_id"], last.as_str());
    assert_eq!(told[0]["room_id"], room.as_str());
    assert_eq!(told[0]["read"], false);
    let next = page["next_token"].as_str().expect("a token");
    let rest = house
        .get("jun", &format!("notifications?from={next}"))
        .await
        .ok();
    assert_eq!(rest["notifications"].as_array().map(Vec::len), Some(2));
    assert_eq!(rest.get("next_token"), None);
    let loud = house.get("jun", "notifications?only=highlight").await.ok();
    assert_eq!(loud["notifications"].as_array().map(Vec::len), Some(1));
    let read = format!("rooms/{room}/receipt/m.read/{last}");
    house.post("jun", &read, json!({})).await.ok();
    let later = json!({"msgtype": "m.text", "body": "more"});
    send(&house, "mina", &room, "later", later).await;
    let all = house.get("jun", "notifications").await.ok();
    let told = all["notifications"].as_array().expect("a list");
    let read: Vec<&Value> = told.iter().map(|one| &one["read"]).collect();
    assert_eq!(read, [false, true, true, true, true, true]);
    let nothing = house.get("jun", "notifications?limit=0").await.ok();
    assert_eq!(nothing, json!({"notifications": []}));
    // Nothing is told of what was said before one came or after one went.
    let path = format!("rooms/{room}/leave");
    house.post("jun", &path, json!({})).await.ok();
    house.say("mina", &room, "alone").await;
    let after = house.get("jun", "notifications").await.ok();
    assert_eq!(after["notifications"].as_array().map(Vec::len), Some(6));
    house
        .post("sora", &format!("rooms/{room}/join"), json!({}))
        .await
        .ok();
    let new = house.get("sora", "notifications").await.ok();
    assert_eq!(new, json!({"notifications": []}));
    assert_eq!(
        house.get("jun", "pushers").await.ok(),
        json!({"pushers": []})
    );
}

#[tokio::test]
async fn invitations_are_notified_and_read_with_coming() {
    let house = House::new().await;
    let invite = json!({"invite": ["@jun:test"]});
    let made = house.post("mina", "createRoom", invite).await.ok();
    let room = made["room_id"].as_str().expect("an id");
    let told = async || {
        let all = house.get("jun", "notifications").await.ok();
        let one = all["notifications"][0].clone();
        assert_eq!(all["notifications"].as_array().map(Vec::len), Some(1));
        assert_eq!(one["event"]["type"], "m.room.member");
        assert_eq!(one["event"]["state_key"], "@jun:test");
        one["read"].clone()
    };
    assert_eq!(told().await, false);
    house
        .post("jun", &format!("rooms/{room}/join"), json!({}))
        .await
        .ok();
    assert_eq!(told().await, true);
    let ignored = json!({"ignored_users": {"@mina:test": {}}});
    let path = "user/@jun:test/account_data/m.ignored_user_list";
    house.put("jun", path, ignored).await.ok();
    let none = house.get("jun", "notifications").await.ok();
    assert_eq!(none, json!({"notifications": []}));
}

#[tokio::test]
async fn nobody_ignores_themselves() {
    let house = House::new().await;
    let ignored = json!({"ignored_users": {"@jun:test": {}}});
    let path = "user/@jun:test/account_data/m.ignored_user_list";
    let kept = house.put("jun", path, ignored.clone()).await;
    kept.refused(400, "M_INVALID_PARAM");
    // Lists that are older than this may name their owners.
    let command = Command::SetAccountData(SetAccountData {
        room: None,
        kind: "m.ignored_user_list".to_owned(),
        content: ignored.to_string(),
    });
    let actor = Actor::User {
        user: "@jun:test".parse().expect("a user"),
        device: "PHONE".parse().expect("a device"),
    };
    let lane = &house.api.lane;
    let request = lane.request(actor, Priority::Normal, command);
    let decided = lane.submit(request).await.expect("an answer");
    decided.outcome.expect("it is kept");
    let room = house.room("jun", &[]).await;
    house.say("jun", &room, "hello").await;
    assert_eq!(house.history("jun", &room).await, ["hello"]);
}

#[tokio::test]
async fn what_the_ignored_say_stands_in_no_history() {
    let house = House::new().await;
    let room = house.room("mina", &["jun", "sora"]).await;
    let unheard = house.say("mina", &room, "unheard").await;
    let heard = house.say("sora", &room, "heard").await;
    let ignored = json!({"ignored_users": {"@mina:test": {}}});
    let path = "user/@jun:test/account_data/m.ignored_user_list";
    house.put("jun", path, ignored).await.ok();
    let path = format!("rooms/{room}/messages?dir=b");
    let page = house.get("jun", &path).await.ok();
    assert_eq!(crate::house::bodies(&page["chunk"]), ["heard"]);
    assert!(types(&page["chunk"]).contains(&"m.room.create".to_owned()));
    for path in ["event", "context"] {
        let path = format!("rooms/{room}/{path}/{unheard}");
        house.get("jun", &path).await.refused(404, "M_NOT_FOUND");
        house.get("sora", &path).await.ok();
    }
    let path = format!("rooms/{room}/context/{heard}");
    let around = house.get("jun", &path).await.ok();
    assert_eq!(crate::house::bodies(&around["events_before"]).len(), 0);
    // Who is ignored may be reported all the same.
    let path = format!("rooms/{room}/report/{unheard}");
    house.post("jun", &path, json!({})).await.ok();
}

#[tokio::test]
async fn who_is_ignored_is_not_heard() {
    let house = House::new().await;
    let room = house.room("mina", &["jun", "sora"]).await;
    let ignored = json!({"ignored_users": {"@mina:test": {}}});
    let path = "user/@jun:test/account_data/m.ignored_user_list";
    house.put("jun", path, ignored).await.ok();
    house.say("mina", &room, "unheard").await;
    house.say("sora", &room, "heard").await;
    let name = format!("rooms/{room}/state/m.room.name");
    house.put("mina", &name, json!({"name": "Tea"})).await.ok();
    house
        .post("mina", "createRoom", json!({"invite": ["@jun:test"]}))
        .await
        .ok();
    let sync = house.sync("jun", None, "").await;
    let events = &sync["rooms"]["join"][&room]["timeline"]["events"];
    assert_eq!(crate::house::bodies(events), ["heard"]);
    assert!(
        types(events).contains(&"m.room.name".to_owned()),
        "state is everybody's"
    );
    assert_eq!(counts(&sync, &room), (1, 0));
    assert_eq!(sync["rooms"]["invite"], json!({}));
}

#[tokio::test]
async fn tombstones_are_for_everybody_and_two_devices_change_rules_at_once() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let path = format!("rooms/{room}/state/m.room.tombstone");
    let body = json!({"body": "moved", "replacement_room": "!new:test"});
    house.put("mina", &path, body).await.ok();
    assert_eq!(count(&house, "jun", &room).await, (1, 1));
    let put = async |who: &str, id: &str| {
        let path = format!("pushrules/global/room/{id}");
        house.put(who, &path, json!({"actions": []})).await.ok()
    };
    tokio::join!(put("jun.A", "a"), put("jun.B", "b"), put("jun.C", "c"));
    let rules = house.get("jun", "pushrules/global/room/").await.ok();
    let mut kept = ids(&rules);
    kept.sort_unstable();
    assert_eq!(kept, ["a", "b", "c"]);
    assert_eq!(count(&house, "jun", &room).await, (1, 1));
}
