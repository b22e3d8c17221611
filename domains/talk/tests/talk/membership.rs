//! Coming and going.

use crate::house::House;
use serde_json::json;

#[tokio::test]
async fn who_has_no_account_yet_may_be_invited_and_other_servers_may_not() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let invite = format!("rooms/{room}/invite");
    let ghost = json!({"user_id": "@ghost:test"});
    house.post("mina", &invite, ghost).await.ok();
    let stranger = json!({"user_id": "@jun:else"});
    let refused = house.post("mina", &invite, stranger).await;
    refused.refused(403, "M_FORBIDDEN");
    let leave = "rooms/!none:test/leave";
    let refused = house.post("jun", leave, json!({})).await;
    refused.refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_private_room_is_entered_by_invitation() {
    let house = House::new().await;
    let made = house
        .post("mina", "createRoom", json!({"preset": "private_chat"}))
        .await
        .ok();
    let room = made["room_id"].as_str().expect("an id");
    let join = format!("rooms/{room}/join");
    house
        .post("jun", &join, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .post(
            "jun",
            &format!("rooms/{room}/invite"),
            json!({"user_id": "@sora:test"}),
        )
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .post(
            "mina",
            &format!("rooms/{room}/invite"),
            json!({"user_id": "@jun:test"}),
        )
        .await
        .ok();
    house.post("jun", &join, json!({})).await.ok();
    house
        .post(
            "mina",
            &format!("rooms/{room}/invite"),
            json!({"user_id": "@jun:test"}),
        )
        .await
        .refused(403, "M_FORBIDDEN");
    let members = house
        .get("mina", &format!("rooms/{room}/joined_members"))
        .await
        .ok();
    assert_eq!(members["joined"]["@jun:test"]["display_name"], "JUN");
    house
        .post(
            "jun",
            &format!("rooms/{room}/leave"),
            json!({"reason": "bye"}),
        )
        .await
        .ok();
    house
        .post("jun", &join, json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn who_takes_no_invitations_gets_none() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let before = house.room("mina", &[]).await;
    let invite = |room: &str| format!("rooms/{room}/invite");
    let about = || json!({"user_id": "@jun:test"});
    house.post("mina", &invite(&before), about()).await.ok();
    let since = house.sync("jun", None, "").await;
    assert!(since["rooms"]["invite"][&before].is_object());
    let wish = "user/@jun:test/account_data/m.invite_permission_config";
    let block = json!({"default_action": "block"});
    house.put("jun", wish, block).await.ok();
    let length = house.commands();
    let member = format!("rooms/{room}/state/m.room.member/@jun:test");
    let blocked = "M_INVITE_BLOCKED";
    house
        .post("mina", &invite(&room), about())
        .await
        .refused(403, blocked);
    house
        .put("mina", &member, json!({"membership": "invite"}))
        .await
        .refused(403, blocked);
    house
        .post("mina", "createRoom", json!({"invite": ["@jun:test"]}))
        .await
        .refused(403, blocked);
    assert_eq!(house.commands(), length);
    let sync = house.sync("jun", None, "").await;
    assert_eq!(sync["rooms"]["invite"].get(&before), None);
    house
        .put("jun", wish, json!({"default_action": 1}))
        .await
        .ok();
    house.post("mina", &invite(&room), about()).await.ok();
    let sync = house.sync("jun", None, "").await;
    assert!(sync["rooms"]["invite"][&room].is_object());
}

#[tokio::test]
async fn whoever_may_speak_no_longer_is_refused_before_anything_is_written() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    house.say("jun", &room, "hi").await;
    let levels = format!("rooms/{room}/state/m.room.power_levels");
    let power = house.get("mina", &levels).await.ok();
    let mut raised = power.clone();
    raised["events"]["m.room.message"] = json!(50);
    let send = format!("rooms/{room}/send/m.room.message/again");
    let message = || json!({"msgtype": "m.text", "body": "hi"});
    let refused = async || {
        let length = house.commands();
        house
            .put("jun", &send, message())
            .await
            .refused(403, "M_FORBIDDEN");
        assert_eq!(house.commands(), length);
    };
    house.put("mina", &levels, raised).await.ok();
    refused().await;
    house.put("mina", &levels, power).await.ok();
    house.say("jun", &room, "back").await;
    for (what, back) in [("kick", "join"), ("ban", "unban")] {
        let about = json!({"user_id": "@jun:test"});
        let path = format!("rooms/{room}/{what}");
        house.post("mina", &path, about.clone()).await.ok();
        refused().await;
        let who = if back == "join" { "jun" } else { "mina" };
        let path = format!("rooms/{room}/{back}");
        house.post(who, &path, about).await.ok();
        if back == "join" {
            house.say("jun", &room, what).await;
        }
    }
    refused().await;
}

#[tokio::test]
async fn a_banned_person_stays_out_until_unbanned() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let about = json!({"user_id": "@jun:test", "reason": "noise"});
    house
        .post(
            "jun",
            &format!("rooms/{room}/ban"),
            json!({"user_id": "@mina:test"}),
        )
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .post("mina", &format!("rooms/{room}/ban"), about.clone())
        .await
        .ok();
    house
        .post("jun", &format!("rooms/{room}/join"), json!({}))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .post("mina", &format!("rooms/{room}/invite"), about.clone())
        .await
        .refused(403, "M_FORBIDDEN");
    let v1 = "/_matrix/client/v1";
    for path in [
        format!("rooms/{room}/state"),
        format!("rooms/{room}/state/m.room.create"),
        format!("rooms/{room}/members"),
        format!("rooms/{room}/messages?dir=b"),
        format!("rooms/{room}/initialSync"),
        format!("{v1}/rooms/{room}/threads"),
        format!("{v1}/rooms/{room}/relations/$x"),
    ] {
        house.get("jun", &path).await.refused(403, "M_FORBIDDEN");
    }
    let members = house
        .get("mina", &format!("rooms/{room}/members?membership=ban"))
        .await
        .ok();
    assert_eq!(
        members["chunk"][0]["content"],
        json!({"membership": "ban", "reason": "noise"})
    );
    house
        .post("mina", &format!("rooms/{room}/unban"), about.clone())
        .await
        .ok();
    house
        .post("mina", &format!("rooms/{room}/unban"), about)
        .await
        .refused(403, "M_BAD_STATE");
    house
        .post("jun", &format!("rooms/{room}/join"), json!({}))
        .await
        .ok();
}

#[tokio::test]
async fn who_left_sees_what_was_before_and_can_forget() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    house.say("mina", &room, "before").await;
    house
        .post("jun", &format!("rooms/{room}/forget"), json!({}))
        .await
        .refused(400, "M_UNKNOWN");
    house
        .post("jun", &format!("rooms/{room}/leave"), json!({}))
        .await
        .ok();
    house.say("mina", &room, "after").await;
    assert_eq!(house.history("jun", &room).await, ["before"]);
    house
        .put(
            "jun",
            &format!("rooms/{room}/send/m.room.message/t"),
            json!({"body": "x"}),
        )
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .post("jun", &format!("rooms/{room}/forget"), json!({}))
        .await
        .ok();
    house
        .get("jun", &format!("rooms/{room}/members"))
        .await
        .refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn history_is_visible_as_the_room_says() {
    let house = House::new().await;
    let check = async |visibility: &str, expect: &[&str]| {
        let room = house.room("mina", &[]).await;
        let state = format!("rooms/{room}/state/m.room.history_visibility");
        house
            .put("mina", &state, json!({"history_visibility": visibility}))
            .await
            .ok();
        house.say("mina", &room, "early").await;
        house
            .post(
                "mina",
                &format!("rooms/{room}/invite"),
                json!({"user_id": "@jun:test"}),
            )
            .await
            .ok();
        house.say("mina", &room, "invited").await;
        if visibility == "world_readable" {
            assert_eq!(
                house.history("sora", &room).await.len(),
                2,
                "the whole world reads it"
            );
        } else {
            house
                .get("jun", &format!("rooms/{room}/messages?dir=b"))
                .await
                .refused(403, "M_FORBIDDEN");
        }
        house
            .post("jun", &format!("rooms/{room}/join"), json!({}))
            .await
            .ok();
        house.say("mina", &room, "joined").await;
        assert_eq!(house.history("jun", &room).await, expect, "{visibility}");
    };
    check("world_readable", &["joined", "invited", "early"]).await;
    check("shared", &["joined", "invited", "early"]).await;
    check("invited", &["joined", "invited"]).await;
    check("joined", &["joined"]).await;
}

#[tokio::test]
async fn a_membership_set_as_state_obeys_the_same_rules() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let of = |user: &str| format!("rooms/{room}/state/m.room.member/{user}");
    house
        .put("jun", &of("@mina:test"), json!({"membership": "ban"}))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .put("mina", &of("@sora:test"), json!({"membership": "join"}))
        .await
        .refused(403, "M_FORBIDDEN");
    house
        .put(
            "jun",
            &of("@jun:test"),
            json!({"membership": "join", "displayname": "Juni"}),
        )
        .await
        .ok();
    let shown = house.get("mina", &of("@jun:test")).await.ok();
    assert_eq!(shown, json!({"membership": "join", "displayname": "Juni"}));
    house
        .put("mina", &of("@jun:test"), json!({"membership": "leave"}))
        .await
        .ok();
    house
        .put("mina", &of("@jun:test"), json!({"membership": "hello"}))
        .await
        .refused(400, "M_BAD_JSON");
}

#[tokio::test]
async fn to_leave_or_invite_once_more_changes_nothing() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let path = format!("rooms/{room}/leave");
    house.post("jun", &path, json!({})).await.ok();
    let before = house.commands();
    house.post("jun", &path, json!({})).await.ok();
    assert_eq!(house.commands(), before);
    let invite = format!("rooms/{room}/invite");
    let jun = json!({"user_id": "@jun:test"});
    house.post("mina", &invite, jun.clone()).await.ok();
    let before = house.commands();
    house.post("mina", &invite, jun.clone()).await.ok();
    assert_eq!(house.commands(), before);
    house
        .post("sora", &invite, jun)
        .await
        .refused(403, "M_FORBIDDEN");
    let stranger = house.post("sora", &path, json!({})).await;
    stranger.refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn how_somebody_shows_themselves_is_a_text() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    let path = format!("rooms/{room}/state/m.room.member/@mina:test");
    for wrong in [json!(5), json!({}), json!(["Mina"])] {
        let body = json!({"membership": "join", "displayname": wrong});
        house
            .put("mina", &path, body)
            .await
            .refused(400, "M_BAD_JSON");
    }
}

#[tokio::test]
async fn whoever_may_invite_may_invite_third_parties() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let levels = format!("rooms/{room}/state/m.room.power_levels");
    let path = format!("rooms/{room}/state/m.room.third_party_invite/token");
    let invite = json!({"display_name": "S.", "key_validity_url": "https://a", "public_key": "k"});
    for (needed, may) in [(50, false), (0, true)] {
        let mut power = house.get("mina", &levels).await.ok();
        power["invite"] = json!(needed);
        // What the event's type would need counts for nothing.
        power["events"]["m.room.third_party_invite"] = json!(50 - needed);
        house.put("mina", &levels, power).await.ok();
        let invited = house.put("jun", &path, invite.clone()).await;
        if may {
            let id = invited.ok();
            let again = house.put("jun", &path, invite.clone()).await.ok();
            assert_eq!(id, again, "nothing changed");
        } else {
            invited.refused(403, "M_FORBIDDEN");
        }
    }
    assert_eq!(house.get("mina", &path).await.ok(), invite);
    let stranger = house.put("sora", &path, invite).await;
    stranger.refused(403, "M_FORBIDDEN");
}

#[tokio::test]
async fn a_membership_set_as_state_shows_the_person_all_the_same() {
    let house = House::new().await;
    let room = house.room("mina", &[]).await;
    for (who, content, expect) in [
        ("jun", json!({"membership": "invite"}), json!("JUN")),
        ("mina", json!({"membership": "join"}), json!("MINA")),
        (
            "mina",
            json!({"membership": "join", "displayname": "M"}),
            json!("M"),
        ),
        (
            "mina",
            json!({"membership": "join", "displayname": null}),
            json!(null),
        ),
    ] {
        let path = format!("rooms/{room}/state/m.room.member/@{who}:test");
        house.put("mina", &path, content).await.ok();
        let shown = house.get("mina", &path).await.ok();
        assert_eq!(shown["displayname"], expect);
    }
    let name = "join_authorised_via_users_server";
    let let_in = json!({"membership": "join", "own": 1, name: "@mina:test"});
    let path = format!("rooms/{room}/state/m.room.member/@mina:test");
    house.put("mina", &path, let_in.clone()).await.ok();
    let shown = house.get("mina", &path).await.ok();
    assert_eq!((&shown["own"], shown.get(name)), (&json!(1), None));
    let join = format!("rooms/{room}/join");
    house.post("jun", &join, let_in).await.ok();
    let path = format!("rooms/{room}/state/m.room.member/@jun:test");
    let shown = house.get("mina", &path).await.ok();
    assert_eq!((&shown["own"], shown.get(name)), (&json!(1), None));
    let gone = json!({"membership": "leave"});
    house.put("mina", &path, gone.clone()).await.ok();
    assert_eq!(house.get("mina", &path).await.ok(), gone);
}

#[tokio::test]
async fn who_joins_again_after_a_redaction_shows_themselves_again() {
    let house = House::new().await;
    let room = house.room("mina", &["jun"]).await;
    let path = format!("rooms/{room}/state/m.room.member/@jun:test");
    let shown = async || house.get("mina", &path).await.ok()["displayname"].clone();
    for own in [json!({}), json!({"town.badge": 1})] {
        assert_eq!(shown().await, "JUN");
        let whole = house.get("jun", &format!("{path}?format=event")).await.ok();
        let event = whole["event_id"].as_str().expect("an id");
        let redact = format!("rooms/{room}/redact/{event}/{event}");
        house.put("jun", &redact, json!({})).await.ok();
        assert_eq!(shown().await, json!(null));
        let join = format!("rooms/{room}/join");
        house.post("jun", &join, own).await.ok();
        assert_eq!(shown().await, "JUN");
    }
    let members = house
        .get("mina", &format!("rooms/{room}/joined_members"))
        .await
        .ok();
    assert_eq!(members["joined"]["@jun:test"]["display_name"], "JUN");
}
