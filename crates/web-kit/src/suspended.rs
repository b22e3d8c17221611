//! What accounts that are locked or suspended may still do (Matrix v1.19, client-server API, account
//! locking, account suspension).

use http::Method;

/// Whether a request ends sessions: a locked account may do that alone.
pub fn is_leaving(path: &str) -> bool {
    matches!(segments(path).as_slice(), ["logout"] | ["logout", "all"])
}

/// Whether a request says something to others, which a suspended account may not. Reading, leaving,
/// declining invitations, redacting one's own events and looking after one's devices stay.
pub fn is_speaking(method: &Method, path: &str) -> bool {
    let segments = segments(path);
    let put = *method == Method::PUT;
    // The first versions sent with this method.
    let send = put || *method == Method::POST;
    match segments.as_slice() {
        ["rooms", _, "send", "m.room.redaction", ..] => false,
        ["rooms", _, "send", ..] => send,
        ["rooms", _, "state", ..] => put,
        ["rooms", _, "typing", ..] => put,
        ["rooms", _, what] => matches!(
            *what,
            "join" | "invite" | "kick" | "ban" | "unban" | "upgrade"
        ),
        ["join" | "knock", _] | ["createRoom"] => true,
        ["profile", _, _] => put || *method == Method::DELETE,
        ["directory", "room" | "list", ..] => put || *method == Method::DELETE,
        ["presence", _, "status"] => put,
        ["upload" | "create", ..] => true,
        _ => false,
    }
}

/// The parts of a path of Matrix's behind its prefix and version.
fn segments(path: &str) -> Vec<&str> {
    let mut parts = path.trim_end_matches('/').split('/').skip(1);
    match (parts.next(), parts.next(), parts.next()) {
        (Some("_matrix"), Some("client" | "media"), Some(_)) => parts.collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suspended_account_reads_and_leaves_and_says_nothing() {
        let check = |method: Method, path: &str, speaking: bool| {
            let path = format!("/_matrix/client/v3/{path}");
            assert_eq!(is_speaking(&method, &path), speaking, "{method} {path}");
        };
        check(Method::PUT, "rooms/!a:b/send/m.room.message/1", true);
        check(Method::POST, "rooms/!a:b/send/m.room.message", true);
        check(Method::PUT, "rooms/!a:b/send/m.room.redaction/1", false);
        check(Method::POST, "rooms/!a:b/redact/$a", false);
        check(Method::PUT, "rooms/!a:b/redact/$a/1", false);
        check(Method::PUT, "rooms/!a:b/state/m.room.name", true);
        check(Method::GET, "rooms/!a:b/state/m.room.name", false);
        check(Method::PUT, "rooms/!a:b/state/m.room.name/", true);
        check(Method::POST, "rooms/!a:b/join", true);
        check(Method::POST, "rooms/!a:b/invite", true);
        check(Method::POST, "rooms/!a:b/leave", false);
        check(Method::POST, "rooms/!a:b/receipt/m.read/$a", false);
        check(Method::POST, "join/!a:b", true);
        check(Method::POST, "createRoom", true);
        check(Method::PUT, "profile/@a:b/displayname", true);
        check(Method::GET, "profile/@a:b/displayname", false);
        check(Method::GET, "sync", false);
        check(Method::GET, "rooms/!a:b/messages", false);
        check(Method::DELETE, "devices/X", false);
        check(Method::POST, "login", false);
        assert!(is_speaking(&Method::POST, "/_matrix/media/v3/upload"));
        assert!(!is_speaking(&Method::POST, "/admin/v1/createRoom"));
    }

    #[test]
    fn a_locked_account_signs_out() {
        assert!(is_leaving("/_matrix/client/v3/logout"));
        assert!(is_leaving("/_matrix/client/r0/logout/all"));
        assert!(!is_leaving("/_matrix/client/v3/rooms/logout"));
        assert!(!is_leaving("/_matrix/client/v3/sync"));
    }
}
