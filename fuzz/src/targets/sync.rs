//! Sync tokens, filters, and pages of the past.

use crate::{Words, with_house};
use http::Method;

pub(crate) fn fuzz(data: &[u8]) {
    with_house(
        || None,
        async |house| {
            let mut words = Words::of(data);
            let (token, filter, to) = (words.piece(), words.bytes(), words.piece());
            let inline = Words::of(filter).piece();
            let (room, get) = (&house.room, || Method::GET);
            let path = format!("sync?timeout=0&since={token}&filter={inline}");
            house.at(get(), &path, b"").await;
            let path = format!(
                "rooms/{room}/messages?dir=b&from={token}&to={to}&filter={inline}&limit={to}"
            );
            house.at(get(), &path, b"").await;
            let path = format!(
                "rooms/{room}/context/{}?filter={inline}&limit={to}",
                house.event
            );
            house.at(get(), &path, b"").await;
            house
                .at(
                    get(),
                    &format!("rooms/{room}/members?at={token}&membership={to}"),
                    b"",
                )
                .await;
            house
                .at(Method::POST, "user/@mina:test/filter", filter)
                .await;
        },
    );
}
