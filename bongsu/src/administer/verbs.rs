//! Which request each verb is.

use super::ask::escape;
use super::print::Columns;
use super::{Asked, Shown, password};
use crate::cli::{How, MediaVerb, ReportVerb, RoomVerb, Shown as Look, Target, UserVerb};
use anyhow::Result;
use serde_json::{Value, json};

const USERS: Columns = &[
    "user_id",
    "admin",
    "locked",
    "suspended",
    "created_ms",
    "deactivated_ms",
];
const ROOMS: Columns = &[
    "room_id",
    "name",
    "joined_members",
    "join_rule",
    "blocked",
    "last_event_ms",
];
const MEDIA: Columns = &[
    "media_id",
    "uploader",
    "bytes",
    "content_type",
    "quarantined",
    "protected",
    "created_ms",
];
const REPORTS: Columns = &[
    "report", "reporter", "room_id", "event_id", "user_id", "reason", "time_ms",
];

pub(super) fn listing(path: String, columns: Columns, how: Look) -> Asked {
    Asked {
        body: None,
        path,
        shown: Shown::List(columns),
        json: how.json,
        place: how.place,
    }
}

pub(super) fn showing(what: &str, id: &str, how: Look) -> Asked {
    Asked {
        body: None,
        path: format!("/admin/v1/{what}/{}", escape(id)),
        shown: Shown::Fields,
        json: how.json,
        place: how.place,
    }
}

/// Something is done at `path`; a reason goes into the body beside what else is there.
pub(super) fn doing(path: String, mut body: Value, how: How, shown: Shown) -> Asked {
    if let Some(reason) = how.reason {
        body["reason"] = reason.into();
    }
    Asked {
        body: Some(body),
        path,
        shown,
        json: how.json,
        place: how.place,
    }
}

/// A verb without anything but its target.
pub(super) fn act(what: &str, target: Target, verb: &str, done: &str) -> Asked {
    let Target { id, how } = target;
    let path = format!("/admin/v1/{what}/{}/{verb}", escape(&id));
    doing(path, json!({}), how, Shown::Done(format!("{id} {done}")))
}

/// What is asked of accounts.
pub fn user(verb: UserVerb) -> Result<Asked> {
    let simple = |target, verb, done| Ok(act("users", target, verb, done));
    match verb {
        UserVerb::Add(asked) => {
            let (password, made_up) = password::get(asked.password_stdin)?;
            let body = json!({
                "name": asked.name, "password": password, "admin": asked.admin,
            });
            let shown = Shown::Password("can sign in.".to_owned(), made_up);
            Ok(doing("/admin/v1/users".to_owned(), body, asked.how, shown))
        }
        UserVerb::List(asked) => {
            let name = asked.name.unwrap_or_default();
            let path = format!("/admin/v1/users?name={}", escape(&name));
            Ok(listing(path, USERS, asked.how))
        }
        UserVerb::Show(asked) => Ok(showing("users", &asked.id, asked.how)),
        UserVerb::ResetPassword(asked) => {
            let (password, made_up) = password::get(asked.password_stdin)?;
            let body = json!({ "password": password, "sign_out": !asked.keep_sessions });
            let path = format!("/admin/v1/users/{}/reset-password", escape(&asked.id));
            let words = format!("{} has a new password.", asked.id);
            Ok(doing(
                path,
                body,
                asked.how,
                Shown::Password(words, made_up),
            ))
        }
        UserVerb::Deactivate(asked) => {
            let body = json!({ "erase": asked.erase });
            let path = format!("/admin/v1/users/{}/deactivate", escape(&asked.id));
            let done = Shown::Done(format!("{} is ended.", asked.id));
            Ok(doing(path, body, asked.how, done))
        }
        UserVerb::SignOut(target) => simple(target, "sign-out", "is signed out everywhere."),
        UserVerb::Lock(target) => simple(target, "lock", "is locked."),
        UserVerb::Unlock(target) => simple(target, "unlock", "is unlocked."),
        UserVerb::Suspend(target) => simple(target, "suspend", "is suspended."),
        UserVerb::Unsuspend(target) => simple(target, "unsuspend", "is suspended no longer."),
        UserVerb::MakeAdmin(target) => simple(target, "make-admin", "may administer."),
        UserVerb::UnmakeAdmin(target) => {
            simple(target, "unmake-admin", "may administer no longer.")
        }
    }
}

/// What is asked of rooms.
pub fn room(verb: RoomVerb) -> Asked {
    match verb {
        RoomVerb::List(how) => listing("/admin/v1/rooms".to_owned(), ROOMS, how),
        RoomVerb::Show(asked) => showing("rooms", &asked.id, asked.how),
        RoomVerb::Shutdown(asked) => {
            let mut body = json!({ "replace": asked.replace });
            if let Some(notice) = asked.notice {
                body["notice"] = notice.into();
            }
            if let Some(name) = asked.name {
                body["name"] = name.into();
            }
            let path = format!("/admin/v1/rooms/{}/shutdown", escape(&asked.id));
            let done = Shown::Done(format!("{} is shut down.", asked.id));
            doing(path, body, asked.how, done)
        }
        RoomVerb::Quarantine(target) => {
            act("rooms", target, "quarantine", "has its media withheld.")
        }
        RoomVerb::Block(target) => act("rooms", target, "block", "is blocked."),
        RoomVerb::Unblock(target) => act("rooms", target, "unblock", "is blocked no longer."),
        RoomVerb::Purge(target) => act("rooms", target, "purge", "is deleted."),
    }
}

/// What is asked of media.
pub fn media(verb: MediaVerb) -> Asked {
    match verb {
        MediaVerb::List(asked) => {
            let of = asked.user.map(|user| format!("?user={}", escape(&user)));
            let path = format!("/admin/v1/media{}", of.unwrap_or_default());
            listing(path, MEDIA, asked.how)
        }
        MediaVerb::Show(asked) => showing("media", &asked.id, asked.how),
        MediaVerb::Delete(asked) => match (asked.id, asked.user) {
            (_, Some(user)) => {
                let path = format!("/admin/v1/users/{}/delete-media", escape(&user));
                let done = Shown::Done(format!("What {user} uploaded is deleted."));
                doing(path, json!({}), asked.how, done)
            }
            (id, None) => {
                let id = id.unwrap_or_default();
                let how = asked.how;
                act("media", Target { id, how }, "delete", "is deleted.")
            }
        },
        MediaVerb::Quarantine(target) => act("media", target, "quarantine", "is withheld."),
        MediaVerb::Unquarantine(target) => act("media", target, "unquarantine", "is given back."),
        MediaVerb::Protect(target) => act("media", target, "protect", "is protected."),
        MediaVerb::Unprotect(target) => {
            act("media", target, "unprotect", "is protected no longer.")
        }
    }
}

/// What is asked of reports.
pub fn report(verb: ReportVerb) -> Asked {
    match verb {
        ReportVerb::List(asked) => {
            let path = format!("/admin/v1/reports?all={}", asked.all);
            listing(path, REPORTS, asked.how)
        }
        ReportVerb::Resolve(target) => act("reports", target, "resolve", "is resolved."),
    }
}
