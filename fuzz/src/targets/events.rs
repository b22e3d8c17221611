//! Ids of events, contents, state, relations, receipts.

use crate::{Words, with_house};
use http::Method;

pub(crate) fn fuzz(data: &[u8]) {
    with_house(
        || None,
        async |house| {
            let mut words = Words::of(data);
            let (event, kind, key, content) =
                (words.piece(), words.piece(), words.piece(), words.bytes());
            let event = event.replace("%7Bevent%7D", &house.event);
            let content = String::from_utf8_lossy(content).replace("{event}", &house.event);
            let (content, room) = (content.as_bytes(), &house.room);
            let put = || Method::PUT;
            house
                .at(put(), &format!("rooms/{room}/send/{kind}/{key}"), content)
                .await;
            house
                .at(put(), &format!("rooms/{room}/state/{kind}/{key}"), content)
                .await;
            house
                .at(
                    put(),
                    &format!("rooms/{room}/redact/{event}/{key}"),
                    content,
                )
                .await;
            for path in ["event", "context", "relations"] {
                let version = if path == "relations" { "v1" } else { "v3" };
                let uri = format!(
                    "/_matrix/client/{version}/rooms/{room}/{path}/{event}?from={key}&dir=f"
                );
                house
                    .ask(Method::GET, &uri, &http::HeaderMap::new(), b"")
                    .await;
            }
            house
                .at(
                    Method::POST,
                    &format!("rooms/{room}/receipt/m.read/{event}"),
                    content,
                )
                .await;
            house
                .at(Method::POST, &format!("rooms/{room}/read_markers"), content)
                .await;
            house.at(Method::GET, "sync?timeout=0", b"").await;
        },
    );
}
