//! Which request each verb about sign-in for other services is.

use super::ask::escape;
use super::print::Columns;
use super::verbs::{act, doing, listing, showing};
use super::{Asked, Shown};
use crate::cli::{AddClient, ClientVerb, KeysVerb};
use serde_json::{Value, json};

const CLIENTS: Columns = &[
    "client_id",
    "name",
    "trusted",
    "registered",
    "has_secret",
    "created_ms",
];
const KEYS: Columns = &[
    "key_id",
    "kind",
    "created_ms",
    "signs_from_ms",
    "gone_from_ms",
];

/// What is asked of clients.
pub fn client(verb: ClientVerb) -> Asked {
    match verb {
        ClientVerb::Add(asked) => add(*asked),
        ClientVerb::List(how) => listing("/admin/v1/clients".to_owned(), CLIENTS, how),
        ClientVerb::Show(asked) => showing("clients", &asked.id, asked.how),
        ClientVerb::Rotate(asked) => {
            let path = format!("/admin/v1/clients/{}/rotate", escape(&asked.id));
            let body = json!({ "overlap_seconds": asked.overlap_seconds });
            let words = "It has a new secret, shown this once.".to_owned();
            doing(path, body, asked.how, Shown::Done(words))
        }
        ClientVerb::Remove(target) => act("clients", target, "remove", "is removed."),
    }
}

fn add(asked: AddClient) -> Asked {
    let mut metadata = json!({
        "client_name": asked.name,
        "redirect_uris": asked.redirect_uri,
        "post_logout_redirect_uris": asked.post_logout_redirect_uri,
        "grant_types": asked.grant,
        "token_endpoint_auth_method": asked.auth,
        "application_type": if asked.native { "native" } else { "web" },
    });
    let optional = [
        ("scope", asked.scope),
        ("backchannel_logout_uri", asked.backchannel_logout_uri),
        ("id_token_signed_response_alg", asked.id_token_alg),
        ("access_token_signed_response_alg", asked.access_token_alg),
        ("client_uri", asked.client_uri),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            metadata[name] = Value::from(value);
        }
    }
    if let Some(jwks) = asked.jwks {
        metadata["jwks"] = jwks.0;
    }
    let body = json!({
        "client_id": asked.id, "metadata": metadata, "trusted": asked.trusted,
    });
    let words = "It is added. What follows is shown this once.".to_owned();
    let path = "/admin/v1/clients".to_owned();
    doing(path, body, asked.how, Shown::Done(words))
}

/// What is asked of keys.
pub fn keys(verb: KeysVerb) -> Asked {
    match verb {
        KeysVerb::List(how) => listing("/admin/v1/keys".to_owned(), KEYS, how),
        KeysVerb::Rotate(how) => {
            let words =
                "New keys are shown from now on, and used once nobody can have missed them.";
            let path = "/admin/v1/keys/rotate".to_owned();
            doing(path, json!({}), how, Shown::Done(words.to_owned()))
        }
    }
}
