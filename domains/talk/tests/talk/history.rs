//! Paging through a room.

use crate::house::{House, bodies, quoted};
use serde_json::json;

#[tokio::test]
async fn pages_fit_together_in_both_directions() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    for n in 0..25 {
        house.say("mina", &room, &format!("m{n}")).await;
    }
    let newest_first: Vec<String> = (0..25).rev().map(|n| format!("m{n}")).collect();
    assert_eq!(house.history("mina", &room).await, newest_first);
    let mut forward = Vec::new();
    let mut from = String::new();
    loop {
        let page = house
            .get(
                "mina",
                &format!("rooms/{room}/messages?dir=f&limit=4{from}"),
            )
            .await
            .ok();
        forward.extend(bodies(&page["chunk"]));
        let Some(end) = page["end"].as_str() else {
            break;
        };
        from = format!("&from={end}");
    }
    forward.reverse();
    assert_eq!(forward, newest_first);
}

#[tokio::test]
async fn a_sync_and_the_pages_before_it_leave_no_gap() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    for n in 0..10 {
        house.say("mina", &room, &format!("m{n}")).await;
    }
    let filter = "&filter=%7B%22room%22:%7B%22timeline%22:%7B%22limit%22:3%7D%7D%7D";
    let sync = house.sync("mina", None, filter).await;
    let timeline = &sync["rooms"]["join"][&room]["timeline"];
    assert_eq!(
        (bodies(&timeline["events"]), &timeline["limited"]),
        (
            vec!["m7".to_owned(), "m8".to_owned(), "m9".to_owned()],
            &json!(true)
        )
    );
    let before = timeline["prev_batch"].as_str().expect("a token");
    let page = house
        .get(
            "mina",
            &format!("rooms/{room}/messages?dir=b&limit=3&from={before}"),
        )
        .await
        .ok();
    assert_eq!(bodies(&page["chunk"]), ["m6", "m5", "m4"]);
    let next = sync["next_batch"].as_str().expect("a token");
    let page = house
        .get(
            "mina",
            &format!("rooms/{room}/messages?dir=b&limit=2&from={next}"),
        )
        .await
        .ok();
    assert_eq!(
        bodies(&page["chunk"]),
        ["m9", "m8"],
        "a sync's token is a place in the history too"
    );
}

#[tokio::test]
async fn filters_and_bounds_are_honoured() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    house.say("mina", &room, "a").await;
    house.say("jun", &room, "b").await;
    let get = async |rest: &str| {
        house
            .get("mina", &format!("rooms/{room}/messages?dir=b{rest}"))
            .await
            .ok()
    };
    let senders =
        "&filter=%7B%22senders%22:%5B%22@jun:test%22%5D,%22types%22:%5B%22m.room.message%22%5D%7D";
    assert_eq!(bodies(&get(senders).await["chunk"]), ["b"]);
    let lazy = get("&limit=1&filter=%7B%22lazy_load_members%22:true%7D").await;
    assert_eq!(lazy["state"][0]["state_key"], "@jun:test");
    assert_eq!(lazy["state"].as_array().map(Vec::len), Some(1));
    house
        .get(
            "mina",
            &format!("rooms/{room}/messages?dir=b&from=nonsense"),
        )
        .await
        .refused(400, "M_INVALID_PARAM");
    house
        .get("sora", &format!("rooms/{room}/messages?dir=b"))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .get("sora", "rooms/!none:test/messages?dir=b")
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn after_a_page_of_few_one_may_go_on_with_all() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    for (who, body) in [("mina", "a"), ("jun", "b"), ("mina", "c"), ("jun", "d")] {
        house.say(who, &room, body).await;
    }
    let get = async |rest: &str| {
        let path = format!("rooms/{room}/messages?{rest}");
        house.get("mina", &path).await.ok()
    };
    let few = quoted(&json!({"senders": ["@jun:test"], "types": ["m.room.message"]}));
    let page = get(&format!("dir=b&limit=2{few}")).await;
    assert_eq!(bodies(&page["chunk"]), ["d", "b"]);
    let end = page["end"].as_str().expect("there may be more");
    let rest = get(&format!("dir=b&from={end}")).await;
    assert_eq!(bodies(&rest["chunk"]), ["a"]);
    let none = get(&format!("dir=b&from={end}{few}")).await;
    assert_eq!(none["chunk"], json!([]));
    assert_eq!(none.get("end"), None, "this is where the history ends");
    let page = get(&format!("dir=f&limit=1{few}")).await;
    assert_eq!(bodies(&page["chunk"]), ["b"]);
    let end = page["end"].as_str().expect("there is more");
    let rest = get(&format!("dir=f&from={end}")).await;
    assert_eq!(bodies(&rest["chunk"]), ["c", "d"]);
}
