//! A room with a hundred thousand people in it.

use crate::house::House;
use bongsu_lane::{Actor, Priority};
use bongsu_talk::command::{Action, Command, Membership, Profile};
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Value, json};

const PEOPLE: usize = 100_000;
/// Commands under way at once: fewer than the lane takes.
const AT_ONCE: usize = 512;

async fn join(house: &House, room: &str, n: usize) {
    let user: bongsu_base::UserId = format!("@u{n}:test").parse().expect("an id");
    let command = Command::Membership(Membership {
        room: room.parse().expect("an id"),
        user: user.clone(),
        action: Action::Join,
        reason: None,
        profile: Profile::default(),
        is_direct: false,
    });
    let device = "PHONE".parse().expect("an id");
    let actor = Actor::User { user, device };
    let request = house.api.lane.request(actor, Priority::Normal, command);
    let told = house.api.lane.submit(request).await.expect("the lane runs");
    assert!(told.outcome.is_ok());
}

/// What a client gets grows with what it asks for, not with who else is there.
#[tokio::test]
async fn a_crowd_costs_only_who_asks_for_all_of_it() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let everybody = stream::iter(0..PEOPLE).map(|n| join(&house, &room, n));
    everybody
        .buffer_unordered(AT_ONCE)
        .for_each(async |()| ())
        .await;
    house.say("u7", &room, "hello").await;

    let lazy = "%7B%22room%22:%7B%22state%22:%7B%22lazy_load_members%22:true%7D%7D%7D";
    let path = format!("sync?timeout=0&filter={lazy}");
    let first = house.get("mina", &path).await;
    assert!(first.bytes.len() < 50_000, "{} bytes", first.bytes.len());
    let first = first.ok();
    let joined = &first["rooms"]["join"][&room];
    assert_eq!(
        joined["summary"]["m.joined_member_count"],
        json!(PEOPLE + 1)
    );
    let since = first["next_batch"].as_str().expect("a token").to_owned();
    house.say("u8", &room, "again").await;
    let news = house.get("mina", &format!("{path}&since={since}")).await;
    assert!(news.bytes.len() < 5_000, "{} bytes", news.bytes.len());

    let base = format!("rooms/{room}/members?membership");
    let members = house.get("mina", &format!("{base}=join")).await.ok();
    assert_eq!(members["chunk"].as_array().map(Vec::len), Some(PEOPLE + 1));
    let none = house.get("mina", &format!("{base}=ban")).await.ok();
    assert_eq!(none["chunk"], Value::Array(Vec::new()));
}
