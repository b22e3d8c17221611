//! What guests may do: accounts without a password, for whoever looks around (Matrix v1.19, guest access).

use http::Method;
use http::request::Parts;

/// What a guest's access token begins with. It tells the gate whom it has before it, without a look at anything.
pub const GUEST_TOKEN: &str = "bgg_";

/// Whether a guest may make this request. Whether a room lets guests in is for the room to say.
pub fn may(parts: &Parts) -> bool {
    let path = parts.uri.path();
    let mut segments = path.trim_end_matches('/').split('/').skip(1);
    let segments: Vec<&str> = match (segments.next(), segments.next(), segments.next()) {
        (Some("_matrix"), Some("client" | "media"), Some(_)) => segments.collect(),
        _ => return false,
    };
    match parts.method {
        Method::GET => may_read(&segments, parts.uri.query().unwrap_or_default()),
        Method::PUT => matches!(
            segments.as_slice(),
            ["rooms", _, "send" | "state" | "typing", ..]
                | ["rooms", _, "redact", ..]
                | ["profile", _, "displayname" | "avatar_url"]
                | ["devices", _]
                | ["user", _, "account_data", _]
                | ["user", _, "rooms", ..]
                | ["presence", _, "status"]
        ),
        Method::POST => matches!(
            segments.as_slice(),
            ["rooms", _, "join" | "leave" | "forget" | "read_markers"]
                | ["rooms", _, "receipt", ..]
                | ["rooms", _, "send" | "redact", _]
                | ["join", _]
                | ["user", _, "filter"]
                | ["logout", ..]
                | ["publicRooms"]
        ),
        Method::DELETE => matches!(segments.as_slice(), ["user", _, "rooms", _, "tags", _]),
        _ => false,
    }
}

fn may_read(segments: &[&str], query: &str) -> bool {
    match segments {
        // Of all rooms at once nothing is told in this way; a sync does it.
        ["events"] => query.split('&').any(|pair| pair.starts_with("room_id=")),
        ["admin", ..] | ["notifications" | "pushers"] | ["account", "3pid"] => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn guests_look_around_and_speak_where_they_were_let_in() {
        let check = |method: Method, path: &str, expect: bool| {
            let uri = format!("/_matrix/client/v3/{path}");
            let request = Request::builder().method(method.clone()).uri(uri);
            let (parts, ()) = request.body(()).expect("a request").into_parts();
            assert_eq!(may(&parts), expect, "{method} {path}");
        };
        check(Method::GET, "sync", true);
        check(Method::GET, "rooms/!a:b/messages?dir=b", true);
        check(Method::GET, "events", false);
        check(Method::GET, "events?room_id=!a:b", true);
        check(Method::POST, "join/!a:b", true);
        check(Method::POST, "rooms/!a:b/leave", true);
        check(Method::PUT, "rooms/!a:b/send/m.room.message/1", true);
        check(Method::PUT, "rooms/!a:b/state/m.room.name", true);
        check(Method::PUT, "profile/@a:b/displayname", true);
        check(Method::PUT, "profile/@a:b/m.tz", false);
        check(Method::POST, "createRoom", false);
        check(Method::POST, "rooms/!a:b/invite", false);
        check(Method::POST, "knock/!a:b", false);
        check(Method::POST, "account/password", false);
        check(Method::PUT, "directory/room/%23a:b", false);
        check(Method::POST, "user/@a:b/filter", true);
        check(Method::DELETE, "devices/X", false);
    }
}
