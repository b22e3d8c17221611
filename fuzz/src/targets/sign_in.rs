//! What clients and browsers send to the OpenID provider: a method, a path with its query, a header, and a form.

use crate::{Words, with_door};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

pub(crate) fn fuzz(data: &[u8]) {
    with_door(async |door| {
        let mut words = Words::of(data);
        let method = Method::from_bytes(words.bytes()).unwrap_or(Method::POST);
        let path = String::from_utf8_lossy(words.bytes()).into_owned();
        // Signing out would leave nobody to be asked.
        if ["out", "/end"].iter().any(|end| path.contains(end)) {
            return;
        }
        let mut headers = HeaderMap::new();
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, form);
        let given = (
            HeaderName::from_bytes(words.bytes()),
            HeaderValue::from_bytes(words.bytes()),
        );
        if let (Ok(name), Ok(value)) = given {
            headers.insert(name, value);
        }
        let body = String::from_utf8_lossy(words.bytes())
            .replace("{seal}", &door.seal)
            .replace("{secret}", &door.secret);
        let path = format!("/{path}");
        door.ask(method, &path, &headers, body.as_bytes()).await;
    });
}
