//! Push rules, and what they make of an event.

use crate::{Words, with_house};
use http::Method;

pub(crate) fn fuzz(data: &[u8]) {
    with_house(
        || None,
        async |house| {
            let mut words = Words::of(data);
            let (kind, id, rule, content) =
                (words.piece(), words.piece(), words.bytes(), words.bytes());
            let path = format!("pushrules/global/{kind}/{id}");
            house.at(Method::PUT, &path, rule).await;
            house
                .at(Method::PUT, &format!("{path}/actions"), rule)
                .await;
            house
                .at(
                    Method::PUT,
                    "user/@mina:test/account_data/m.ignored_user_list",
                    content,
                )
                .await;
            house
                .at(
                    Method::PUT,
                    &format!("rooms/{}/send/m.room.message/{id}", house.room),
                    content,
                )
                .await;
            house.at(Method::GET, "sync?timeout=0", b"").await;
            house.at(Method::GET, "notifications?limit=5", b"").await;
            house.at(Method::DELETE, &path, b"").await;
        },
    );
}
