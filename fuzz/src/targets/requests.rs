//! Whole requests: a method, a path with its query, a header, and a body.

use crate::{Words, with_house};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

pub(crate) fn fuzz(data: &[u8]) {
    with_house(
        || None,
        async |house| {
            let mut words = Words::of(data);
            let method = Method::from_bytes(words.bytes()).unwrap_or(Method::GET);
            let path = String::from_utf8_lossy(words.bytes());
            // Signing out and closing the account would end this house.
            if ["logout", "deactivate", "delete_devices", "devices/"]
                .iter()
                .any(|end| path.contains(end))
            {
                return;
            }
            let path = path
                .replace("{room}", &house.room)
                .replace("{event}", &house.event)
                .replace("timeout=", "timeout=0&x=");
            let mut headers = HeaderMap::new();
            let header = (
                HeaderName::from_bytes(words.bytes()),
                HeaderValue::from_bytes(words.bytes()),
            );
            if let (Ok(name), Ok(value)) = header {
                headers.insert(name, value);
            }
            house
                .ask(method, &format!("/_matrix/{path}"), &headers, words.bytes())
                .await;
        },
    );
}
