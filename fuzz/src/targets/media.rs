//! Media ids, types of content, names of files, ranges; and pictures, of which thumbnails are made.

use crate::{Words, with_house};
use http::{HeaderMap, HeaderValue, Method, header};

pub(crate) fn fuzz(data: &[u8]) {
    with_house(
        || None,
        async |house| {
            // A picture has zeros in it: it is all that follows the first three parts.
            let mut words = Words::of(data);
            let (kind, name, range) = (words.bytes(), words.piece(), words.bytes());
            let before = kind.len() + range.len() + 3;
            let picture = data.get(before + name.len()..).unwrap_or_default();
            let mut headers = HeaderMap::new();
            if let Ok(kind) = HeaderValue::from_bytes(kind) {
                headers.insert(header::CONTENT_TYPE, kind);
            }
            let uri = format!("/_matrix/media/v3/upload?filename={name}");
            let Some((status, answer)) = house.ask(Method::POST, &uri, &headers, picture).await
            else {
                return;
            };
            let mut headers = HeaderMap::new();
            if let Ok(range) = HeaderValue::from_bytes(range) {
                headers.insert(header::RANGE, range.clone());
                headers.insert(header::IF_NONE_MATCH, range);
            }
            let base = "/_matrix/client/v1/media";
            let get = async |path: &str| {
                house
                    .ask(Method::GET, &format!("{base}/{path}"), &headers, b"")
                    .await
            };
            get(&format!("download/test/{name}")).await;
            if status.is_success() {
                let answer: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
                let uri = answer["content_uri"].as_str().expect("a URI");
                let id = uri.strip_prefix("mxc://").expect("an mxc URI");
                get(&format!("download/{id}")).await;
                get(&format!("download/{id}/{name}")).await;
                get(&format!(
                    "thumbnail/{id}?width=32&height=32&method=crop&animated=true"
                ))
                .await;
                get(&format!("thumbnail/{id}?width=640&height=1&method=scale")).await;
            }
        },
    );
}
