//! What a download says about itself, so that no browser runs it and none asks for it twice.

use crate::state::media::MediaItem;
use http::HeaderMap;
use http::header::{self, HeaderName, HeaderValue};
use ruma::http_headers::{ContentDisposition, ContentDispositionType};

/// Types that a browser may show rather than save, since they run no script (Matrix v1.19, content
/// repository, serving inline content).
const INLINE: [&str; 26] = [
    "text/css",
    "text/plain",
    "text/csv",
    "application/json",
    "application/ld+json",
    "image/jpeg",
    "image/gif",
    "image/png",
    "image/apng",
    "image/webp",
    "image/avif",
    "video/mp4",
    "video/webm",
    "video/ogg",
    "video/quicktime",
    "audio/mp4",
    "audio/webm",
    "audio/aac",
    "audio/mpeg",
    "audio/ogg",
    "audio/wave",
    "audio/wav",
    "audio/x-wav",
    "audio/x-pn-wav",
    "audio/flac",
    "audio/x-flac",
];

/// What is said of what nobody said anything about.
const UNKNOWN: &str = "application/octet-stream";

/// What a page that shows media may do: nothing (Matrix v1.19, content repository, security).
const POLICY: &str = "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; \
                      style-src 'unsafe-inline'; media-src 'self'; object-src 'self';";

/// Says what the media is, so that no browser runs it.
pub fn describe(headers: &mut HeaderMap, item: &MediaItem, name: Option<String>) {
    let kind = item.content_type.as_deref().unwrap_or(UNKNOWN);
    let name = name.or_else(|| item.filename.clone());
    describe_as(headers, kind, name, &tag(item, ""));
}

/// Says that what follows is of this `kind`.
pub fn describe_as(headers: &mut HeaderMap, kind: &str, name: Option<String>, tag: &str) {
    let bare = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let inline = INLINE.contains(&bare.as_str());
    let how = if inline {
        ContentDispositionType::Inline
    } else {
        ContentDispositionType::Attachment
    };
    let disposition = ContentDisposition::new(how).with_filename(name);
    let octets = HeaderValue::from_static(UNKNOWN);
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_str(kind).unwrap_or(octets),
    );
    if let Ok(value) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, value);
    }
    if let Ok(value) = HeaderValue::from_str(&disposition.to_string()) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    let cross_origin = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(cross_origin, HeaderValue::from_static("cross-origin"));
    // A blob never changes; who may read it is asked again after a day.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=86400, immutable"),
    );
}

/// The entity tag of the media, or of something that was made of it: a blob never changes.
pub fn tag(item: &MediaItem, made: &str) -> String {
    format!("\"{}{made}\"", item.blob)
}

/// Whether the client has what the tag stands for (RFC 9110, If-None-Match).
pub fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let named = headers.get_all(header::IF_NONE_MATCH);
    let mut texts = named.iter().filter_map(|value| value.to_str().ok());
    texts.any(|text| {
        text.split(',')
            .map(str::trim)
            .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
    })
}
