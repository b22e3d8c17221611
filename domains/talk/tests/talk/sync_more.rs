//! What a sync tells of rooms that people come into, go from, and load lazily.

use crate::house::{House, bodies, quoted, types};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn token(sync: &Value) -> String {
    sync["next_batch"].as_str().expect("a token").to_owned()
}

async fn restrict(house: &House, room: &str) {
    let path = format!("rooms/{room}/state/m.room.history_visibility");
    house
        .put("mina", &path, json!({"history_visibility": "joined"}))
        .await
        .ok();
}

async fn act(house: &House, who: &str, room: &str, verb: &str, body: Value) {
    house
        .post(who, &format!("rooms/{room}/{verb}"), body)
        .await
        .ok();
}

#[tokio::test]
async fn state_that_was_set_while_one_was_away_is_told_on_coming_back() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    restrict(&house, &room).await;
    act(
        &house,
        "mina",
        &room,
        "invite",
        json!({"user_id": "@sora:test"}),
    )
    .await;
    let since = token(&house.sync("jun", None, "").await);
    act(&house, "jun", &room, "leave", json!({})).await;
    act(&house, "sora", &room, "join", json!({})).await;
    house.say("mina", &room, "hidden").await;
    act(&house, "jun", &room, "join", json!({})).await;
    let news = house.sync("jun", Some(&since), "").await;
    let timeline = &news["rooms"]["join"][&room]["timeline"];
    let joined = |event: &Value| {
        event["state_key"] == "@sora:test" && event["content"]["membership"] == "join"
    };
    assert!(
        timeline["events"]
            .as_array()
            .is_some_and(|events| events.iter().any(joined)),
        "{timeline}"
    );
    assert!(bodies(&timeline["events"]).is_empty());
    assert_eq!(
        timeline["limited"], true,
        "there is a gap before whoever comes in"
    );
}

#[tokio::test]
async fn who_came_and_went_between_two_syncs_is_told_the_state() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    house
        .put(
            "mina",
            &format!("rooms/{room}/state/a.state"),
            json!({"a": 1}),
        )
        .await
        .ok();
    let since = token(&house.sync("jun", None, "").await);
    act(&house, "jun", &room, "join", json!({})).await;
    act(&house, "jun", &room, "leave", json!({})).await;
    let filter = "&filter=%7B%22room%22:%7B%22timeline%22:%7B%22types%22:%5B%5D%7D,%22state%22:%7B%22types%22:%5B%22a.state%22%5D%7D%7D%7D";
    let news = house.sync("jun", Some(&since), filter).await;
    let left = &news["rooms"]["leave"][&room];
    assert_eq!(types(&left["state"]["events"]), ["a.state"]);
    let again = house.sync("jun", Some(&token(&news)), filter).await;
    assert_eq!(again["rooms"]["leave"], json!({}));
}

#[tokio::test]
async fn what_lets_people_read_is_read_by_those_whom_it_lets() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let path = format!("rooms/{room}/state/m.room.history_visibility");
    for word in ["joined", "world_readable", "joined"] {
        house
            .put("mina", &path, json!({"history_visibility": word}))
            .await
            .ok();
        house.say("mina", &room, word).await;
    }
    house
        .put(
            "mina",
            &path,
            json!({"history_visibility": "world_readable"}),
        )
        .await
        .ok();
    let page = house
        .get("jun", &format!("rooms/{room}/messages?dir=f"))
        .await
        .ok();
    let told = types(&page["chunk"]);
    let change = "m.room.history_visibility";
    assert_eq!(told, [change, "m.room.message", change, change]);
    assert_eq!(bodies(&page["chunk"]), ["world_readable"]);
}

#[tokio::test]
async fn a_forgotten_room_is_not_read_any_more() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let event = house.say("mina", &room, "hello").await;
    act(&house, "jun", &room, "leave", json!({})).await;
    assert_eq!(house.history("jun", &room).await, ["hello"]);
    act(&house, "jun", &room, "forget", json!({})).await;
    for path in [
        "messages?dir=b".to_owned(),
        format!("context/{event}"),
        "state".to_owned(),
    ] {
        house
            .get("jun", &format!("rooms/{room}/{path}"))
            .await
            .refused(403, "M_FORBIDDEN");
    }
    house
        .get("jun", &format!("rooms/{room}/event/{event}"))
        .await
        .refused(404, "M_NOT_FOUND");
    house
        .get("sora", &format!("rooms/{room}/context/{event}"))
        .await
        .refused(403, "M_FORBIDDEN");
    act(&house, "jun", &room, "join", json!({})).await;
    assert_eq!(house.history("jun", &room).await, ["hello"]);
    house
        .get("jun", &format!("rooms/{room}/context/$none"))
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn before_a_rooms_beginning_are_its_creation_and_its_creator() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    house.say("mina", &room, "hello").await;
    let first = house.sync("mina", None, "").await;
    let timeline = &first["rooms"]["join"][&room]["timeline"];
    assert_eq!(
        (&timeline["events"][0]["type"], &timeline["limited"]),
        (&json!("m.room.create"), &json!(false))
    );
    let from = timeline["prev_batch"].as_str().expect("a token");
    let lazy = "&filter=%7B%22lazy_load_members%22:true%7D";
    let page = house
        .get(
            "mina",
            &format!("rooms/{room}/messages?dir=b&from={from}{lazy}"),
        )
        .await
        .ok();
    assert_eq!(types(&page["chunk"]), ["m.room.member", "m.room.create"]);
    assert_eq!(page["state"][0]["state_key"], "@mina:test");
    let end = page["end"].as_str().expect("a page with events has an end");
    let page = house
        .get("mina", &format!("rooms/{room}/messages?dir=b&from={end}"))
        .await
        .ok();
    assert_eq!((&page["chunk"], page.get("end")), (&json!([]), None));
    let members = house
        .get("mina", &format!("rooms/{room}/members?at={from}"))
        .await
        .ok();
    assert_eq!(members["chunk"][0]["state_key"], "@mina:test");
}

#[tokio::test]
async fn lazily_loaded_members_are_told_once() {
    let house = House::new().await;
    let room = house.room("mina", &["jun", "sora"]).await;
    // It is not called after its members, who would be told for that.
    let name = format!("rooms/{room}/state/m.room.name");
    house.put("mina", &name, json!({"name": "tea"})).await.ok();
    for n in 0..12 {
        house.say("jun", &room, &format!("{n}")).await;
    }
    let filter = |again: bool| {
        format!(
            "&filter=%7B%22room%22:%7B%22timeline%22:%7B%22limit%22:10%7D,%22state%22:%7B%22lazy_load_members%22:true,%22include_redundant_members%22:{again}%7D%7D%7D"
        )
    };
    let members = |sync: &Value| -> BTreeSet<String> {
        let state = sync["rooms"]["join"][&room]["state"]["events"]
            .as_array()
            .expect("a list");
        let members = state
            .iter()
            .filter(|event| event["type"] == "m.room.member");
        members
            .map(|event| event["state_key"].as_str().expect("a key").to_owned())
            .collect()
    };
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| format!("@{name}:test"))
            .collect::<BTreeSet<_>>()
    };
    let first = house.sync("mina", None, &filter(false)).await;
    assert_eq!(members(&first), names(&["mina", "jun"]));
    house.say("jun", &room, "more").await;
    house.say("sora", &room, "hello").await;
    let second = house
        .sync("mina", Some(&token(&first)), &filter(false))
        .await;
    assert_eq!(members(&second), names(&["sora"]));
    let repeat = house
        .sync("mina", Some(&token(&first)), &filter(false))
        .await;
    assert_eq!(
        members(&repeat),
        names(&["sora"]),
        "the answer did not arrive"
    );
    house.say("sora", &room, "again").await;
    let third = house
        .sync("mina", Some(&token(&second)), &filter(false))
        .await;
    assert_eq!(members(&third), names(&[]));
    let all = house
        .sync("mina", Some(&token(&second)), &filter(true))
        .await;
    assert_eq!(members(&all), names(&["sora"]));
    let other = house
        .sync("mina.TABLET", Some(&token(&second)), &filter(false))
        .await;
    assert_eq!(
        members(&other),
        names(&["mina", "sora"]),
        "another device knows nobody"
    );
}

#[tokio::test]
async fn who_came_and_went_in_a_gap_is_told_lazily_too() {
    let house = House::new().await;
    let room = house.room("mina", &["jun", "sora"]).await;
    let name = format!("rooms/{room}/state/m.room.name");
    house.put("mina", &name, json!({"name": "tea"})).await.ok();
    let lazily = json!({"lazy_load_members": true});
    let query = quoted(&json!({"room": {"state": lazily, "timeline": {"limit": 2}}}));
    let since = token(&house.sync("mina", None, &query).await);
    act(&house, "sora", &room, "leave", json!({})).await;
    let shown = json!({"membership": "join", "displayname": "Jun of tea"});
    let own = format!("rooms/{room}/state/m.room.member/@jun:test");
    house.put("jun", &own, shown.clone()).await.ok();
    for n in 0..3 {
        house.say("mina", &room, &n.to_string()).await;
    }
    for (query, section) in [
        (query.clone(), "state"),
        (format!("{query}&use_state_after=true"), "state_after"),
    ] {
        let sync = house.sync("mina", Some(&since), &query).await;
        let news = &sync["rooms"]["join"][&room];
        assert_eq!(news["timeline"]["limited"], true);
        let told = news[section]["events"].as_array().expect("a list").iter();
        let told: Vec<_> = told
            .filter(|event| event["type"] == "m.room.member" && event["sender"] != "@mina:test")
            .map(|event| (&event["state_key"], &event["content"]))
            .collect();
        let gone = (&json!("@sora:test"), &json!({"membership": "leave"}));
        assert_eq!(told, [gone, (&json!("@jun:test"), &shown)], "{section}");
    }
}

#[tokio::test]
async fn lazily_loaded_members_after_whom_the_room_is_called_are_told() {
    let house = House::new().await;
    let room = house.room("mina", &["jun", "sora"]).await;
    house.say("mina", &room, "hello").await;
    let lazily = json!({"lazy_load_members": true});
    let query = quoted(&json!({"room": {"state": lazily, "timeline": {"limit": 1}}}));
    let look = async |who: &str, since: Option<&str>| {
        let sync = house.sync(who, since, &query).await;
        let news = &sync["rooms"]["join"][&room];
        let told = news["state"]["events"].as_array().into_iter().flatten();
        let told = told.filter(|event| event["type"] == "m.room.member");
        let told: BTreeSet<String> = told.map(|event| event["state_key"].to_string()).collect();
        let told: Vec<String> = told.into_iter().collect();
        (
            token(&sync),
            news["summary"]["m.heroes"].clone(),
            told.join(" "),
        )
    };
    let (since, heroes, told) = look("mina", None).await;
    assert_eq!(heroes, json!(["@jun:test", "@sora:test"]));
    assert_eq!(told, r#""@jun:test" "@mina:test" "@sora:test""#);
    house.say("mina", &room, "again").await;
    let (since, heroes, told) = look("mina", Some(&since)).await;
    assert_eq!((heroes, &*told), (Value::Null, ""), "nothing changed");
    act(&house, "sora", &room, "leave", json!({})).await;
    let (_, heroes, told) = look("mina", Some(&since)).await;
    assert_eq!(
        (heroes, &*told),
        (json!(["@jun:test"]), ""),
        "she knows jun"
    );
    let (_, heroes, told) = look("mina.TABLET", Some(&since)).await;
    let own = r#""@jun:test" "@mina:test""#;
    assert_eq!(
        (heroes, &*told),
        (json!(["@jun:test"]), own),
        "another device does not"
    );
    let all = format!("{query}&full_state=true");
    let all = house.sync("mina", Some(&since), &all).await;
    let all = all["rooms"]["join"][&room]["state"]["events"].to_string();
    assert!(all.contains(r#""state_key":"@jun:test""#), "{all}");
    let name = format!("rooms/{room}/state/m.room.name");
    house.put("mina", &name, json!({"name": "tea"})).await.ok();
    let (_, heroes, told) = look("mina", None).await;
    assert_eq!(
        (heroes, &*told),
        (Value::Null, r#""@mina:test""#),
        "it has a name of its own"
    );
    house.put("mina", &name, json!({"name": ""})).await.ok();
    let (_, heroes, _) = look("mina", None).await;
    assert_eq!(heroes, json!(["@jun:test"]), "its name is empty");
    let alone = house.room("jun", &[]).await;
    let sync = house.sync("jun", None, &query).await;
    let heroes = &sync["rooms"]["join"][&alone]["summary"]["m.heroes"];
    assert_eq!(heroes, &json!([]), "nobody else was ever there");
}

#[tokio::test]
async fn a_room_that_was_left_and_forgotten_between_two_syncs_is_told_as_gone() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let since = token(&house.sync("jun", None, "").await);
    act(&house, "jun", &room, "leave", json!({})).await;
    act(&house, "jun", &room, "forget", json!({})).await;
    let news = house.sync("jun", Some(&since), "").await;
    let gone = &news["rooms"]["leave"][&room];
    let events = gone["timeline"]["events"].as_array().expect("a list");
    assert_eq!(events.len(), 1, "{gone}");
    assert_eq!(events[0]["content"]["membership"], "leave");
    assert_eq!(gone["state"]["events"], json!([]));
    let all = quoted(&json!({"room": {"include_leave": true}}));
    let fresh = house.sync("jun", None, &all).await;
    assert_eq!(
        fresh["rooms"]["leave"],
        json!({}),
        "who begins never knew it"
    );
}

#[tokio::test]
async fn state_that_the_filter_keeps_out_of_the_timeline_is_told_beside_it() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let only = quoted(&json!({"room": {"timeline": {"types": ["m.room.message"]}}}));
    let since = token(&house.sync("jun", None, &only).await);
    house.say("mina", &room, "one").await;
    for name in ["First", "Second"] {
        let path = format!("rooms/{room}/state/m.room.name");
        house.put("mina", &path, json!({ "name": name })).await.ok();
    }
    house.say("mina", &room, "two").await;
    let news = house.sync("jun", Some(&since), &only).await;
    let told = &news["rooms"]["join"][&room];
    assert_eq!(bodies(&told["timeline"]["events"]), ["one", "two"]);
    let state = told["state"]["events"].as_array().expect("a list");
    let names: Vec<&Value> = state
        .iter()
        .map(|event| &event["content"]["name"])
        .collect();
    assert_eq!(names, ["Second"]);
}

#[tokio::test]
async fn of_events_nothing_is_told_but_the_fields_that_the_filter_names() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    house.say("mina", &room, "one").await;
    let fields = quoted(&json!({
        "event_fields": ["type", "content.body"],
        "room": { "timeline": { "types": ["m.room.message"] } },
    }));
    let news = house.sync("jun", None, &fields).await;
    let told = &news["rooms"]["join"][&room];
    assert_eq!(
        told["timeline"]["events"],
        json!([{ "type": "m.room.message", "content": { "body": "one" } }])
    );
    let create = &told["state"]["events"][0];
    assert_eq!(create, &json!({ "type": "m.room.create" }));
}

#[tokio::test]
async fn a_timeline_is_told_by_what_relates_to_its_events() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let liked = house.say("mina", &room, "liked").await;
    house.say("mina", &room, "plain").await;
    let to = json!({"rel_type": "m.annotation", "event_id": liked, "key": "+"});
    let reaction = json!({ "m.relates_to": to });
    let path = format!("rooms/{room}/send/m.reaction/r");
    house.put("jun", &path, reaction).await.ok();
    for (rel, who, expect) in [
        ("m.annotation", "@jun:test", vec!["liked"]),
        ("m.annotation", "@mina:test", vec![]),
        ("m.thread", "@jun:test", vec![]),
    ] {
        let related = json!({"related_by_rel_types": [rel], "related_by_senders": [who]});
        let filter = json!({ "room": { "timeline": related } });
        let path = "user/@mina:test/filter";
        let saved = house.post("mina", path, filter.clone()).await.ok();
        let id = saved["filter_id"].as_str().expect("an id");
        let kept = house.get("mina", &format!("{path}/{id}")).await.ok();
        assert_eq!(kept, filter);
        for query in [quoted(&filter), format!("&filter={id}")] {
            let sync = house.sync("mina", None, &query).await;
            let timeline = &sync["rooms"]["join"][&room]["timeline"];
            assert_eq!(bodies(&timeline["events"]), expect, "{filter}");
        }
    }
}

#[tokio::test]
async fn an_invitation_alone_does_not_recall_what_was_forgotten() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let event = house.say("mina", &room, "hello").await;
    act(&house, "jun", &room, "leave", json!({})).await;
    act(&house, "jun", &room, "forget", json!({})).await;
    let jun = json!({"user_id": "@jun:test"});
    let unread = async || {
        for path in ["messages?dir=b".to_owned(), format!("context/{event}")] {
            house
                .get("jun", &format!("rooms/{room}/{path}"))
                .await
                .refused(403, "M_FORBIDDEN");
        }
        house
            .get("jun", &format!("rooms/{room}/event/{event}"))
            .await
            .refused(404, "M_NOT_FOUND");
    };
    act(&house, "mina", &room, "invite", jun.clone()).await;
    unread().await;
    act(&house, "jun", &room, "leave", json!({})).await;
    unread().await;
    act(&house, "mina", &room, "invite", jun).await;
    act(&house, "jun", &room, "join", json!({})).await;
    assert_eq!(house.history("jun", &room).await, ["hello"]);
    act(&house, "jun", &room, "leave", json!({})).await;
    assert_eq!(house.history("jun", &room).await, ["hello"]);
}

#[tokio::test]
async fn receipts_and_typing_and_data_of_rooms_are_told_as_the_filter_wants() {
    let house = House::new().await;
    let room = house.room("mina", &["jun", "sol"]).await;
    let event = house.say("mina", &room, "a").await;
    let since = token(&house.sync("mina", None, "").await);
    let receipt = format!("rooms/{room}/receipt/m.read/{event}");
    for who in ["jun", "sol"] {
        house.post(who, &receipt, json!({})).await.ok();
    }
    let typing = format!("rooms/{room}/typing/@jun:test");
    let is_typing = json!({"typing": true, "timeout": 30_000});
    house.put("jun", &typing, is_typing).await.ok();
    let data = format!("user/@mina:test/rooms/{room}/account_data/note");
    house.put("mina", &data, json!({"a": 1})).await.ok();
    let read_by = |news: &Value| -> Vec<String> {
        let told = news["ephemeral"]["events"].as_array();
        let told = told.into_iter().flatten();
        let who = told.filter_map(|told| told["content"][&event]["m.read"].as_object());
        who.flat_map(|who| who.keys().cloned()).collect()
    };
    let (receipt, both) = ("m.receipt", "m.receipt m.typing");
    let (jun, everybody) = ("@jun:test", "@jun:test @sol:test");
    let no_data = json!({"account_data": {"not_rooms": [room]}, "ephemeral": {"types": []}});
    for (filter, readers, kinds, notes) in [
        (json!({}), everybody, both, "note"),
        (json!({"ephemeral": {"senders": []}}), "", "", "note"),
        (
            json!({"ephemeral": {"senders": [jun]}}),
            jun,
            receipt,
            "note",
        ),
        (
            json!({"ephemeral": {"not_senders": ["@sol:test"]}}),
            jun,
            both,
            "note",
        ),
        (json!({"ephemeral": {"not_rooms": [room]}}), "", "", "note"),
        (
            json!({"ephemeral": {"types": ["m.typing"]}}),
            "",
            "m.typing",
            "note",
        ),
        (no_data, "", "", ""),
    ] {
        let query = quoted(&json!({ "room": filter }));
        let sync = house.sync("mina", Some(&since), &query).await;
        let news = &sync["rooms"]["join"][&room];
        let told = |part: &str| types(&news[part]["events"]).join(" ");
        assert_eq!(read_by(news).join(" "), readers, "{filter}");
        assert_eq!(told("ephemeral"), kinds, "{filter}");
        assert_eq!(told("account_data"), notes, "{filter}");
    }
    act(&house, "mina", &room, "leave", json!({})).await;
    for (filter, notes) in [(json!({}), "note"), (json!({"not_rooms": [room]}), "")] {
        let query = quoted(&json!({"room": {"account_data": filter}}));
        let sync = house.sync("mina", Some(&since), &query).await;
        let gone = &sync["rooms"]["leave"][&room]["account_data"]["events"];
        assert_eq!(types(gone).join(" "), notes, "of a room that was left");
    }
}
