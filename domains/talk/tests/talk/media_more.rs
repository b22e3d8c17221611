//! Media ids before their content, parts of downloads, thumbnails, quotas, and what the operator does.

use crate::house::{Answer, House};
use axum::body::Body;
use bongsu_talk::command::{Command, ReserveMedia};
use http::{Method, Request, StatusCode};
use image::{DynamicImage, ImageFormat, RgbaImage};
use serde_json::json;
use std::io::Cursor;
use std::time::Duration;

const DOWNLOAD: &str = "/_matrix/client/v1/media/download";
const THUMBNAIL: &str = "/_matrix/client/v1/media/thumbnail";

async fn reserve(house: &House, who: &str) -> String {
    let answer = house
        .post(who, "/_matrix/media/v1/create", json!({}))
        .await
        .ok();
    assert!(
        answer["unused_expires_at"]
            .as_i64()
            .is_some_and(|at| at > 0)
    );
    let uri = answer["content_uri"].as_str().expect("a URI");
    uri.strip_prefix("mxc://").expect("an mxc URI").to_owned()
}

async fn fill(house: &House, who: &str, id: &str, content: &[u8]) -> Answer {
    let path = format!("/_matrix/media/v3/upload/{id}?filename=tea.txt");
    house
        .raw(Method::PUT, who, &path, "text/plain", content.to_vec())
        .await
}

async fn upload(house: &House, who: &str, kind: &str, content: &[u8]) -> Answer {
    let path = "/_matrix/media/v3/upload";
    house
        .raw(Method::POST, who, path, kind, content.to_vec())
        .await
}

async fn uploaded(house: &House, kind: &str, content: &[u8]) -> String {
    let answer = upload(house, "mina", kind, content).await.ok();
    let uri = answer["content_uri"].as_str().expect("a URI");
    uri.strip_prefix("mxc://").expect("an mxc URI").to_owned()
}

/// A GET, or what else, with one more header.
async fn ask(house: &House, method: Method, path: &str, header: (&str, &str)) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", "Bearer jun.PHONE")
        .header(header.0, header.1);
    house
        .send(request.body(Body::empty()).expect("a request"))
        .await
}

#[tokio::test]
async fn an_id_is_filled_once_by_whoever_made_it() {
    let house = House::new().await;
    let id = reserve(&house, "mina").await;
    fill(&house, "jun", &id, b"tea")
        .await
        .refused(403, "M_FORBIDDEN");
    fill(&house, "mina", "test/none", b"tea")
        .await
        .refused(404, "M_NOT_FOUND");
    fill(&house, "mina", "other/none", b"tea")
        .await
        .refused(404, "M_NOT_FOUND");
    fill(&house, "", &id, b"tea")
        .await
        .refused(401, "M_MISSING_TOKEN");
    fill(&house, "mina", &id, &[0; 1_001])
        .await
        .refused(413, "M_TOO_LARGE");
    assert_eq!(fill(&house, "mina", &id, b"tea").await.ok(), json!({}));
    fill(&house, "mina", &id, b"milk")
        .await
        .refused(409, "M_CANNOT_OVERWRITE_MEDIA");
    let got = house.get("jun", &format!("{DOWNLOAD}/{id}")).await;
    assert_eq!(
        (got.status, got.bytes.as_slice()),
        (StatusCode::OK, b"tea".as_slice())
    );
}

#[tokio::test]
async fn a_download_waits_for_its_content() {
    let house = House::new().await;
    let id = reserve(&house, "mina").await;
    for kind in ["download", "thumbnail"] {
        let path = format!("/_matrix/client/v1/media/{kind}/{id}?timeout_ms=0&width=9&height=9");
        house
            .get("jun", &path)
            .await
            .refused(504, "M_NOT_YET_UPLOADED");
    }
    let path = format!("{DOWNLOAD}/{id}?timeout_ms=60000");
    let (got, filled) = tokio::join!(house.get("jun", &path), fill(&house, "mina", &id, b"tea"));
    filled.ok();
    assert_eq!(
        (got.status, got.bytes.as_slice()),
        (StatusCode::OK, b"tea".as_slice())
    );
}

#[tokio::test]
async fn only_some_ids_wait_and_not_for_ever() {
    let house = House::with(|config| {
        config.media.most_reserved = 2;
        config.media.reserved_for = Duration::from_millis(1);
    })
    .await;
    let short = reserve(&house, "mina").await;
    // An id whose time has passed is as if it had never been, once the log's time says so.
    let reserve_long = |id: &str| {
        Command::ReserveMedia(ReserveMedia {
            id: id.to_owned(),
            lifetime_ms: i64::MAX,
            most: 2,
        })
    };
    let actor = bongsu_lane::Actor::User {
        user: "@mina:test".parse().expect("an id"),
        device: "PHONE".parse().expect("an id"),
    };
    let mut accepted = 0;
    for n in 0.. {
        if accepted == 2 {
            break;
        }
        let command = reserve_long(&format!("long{n}"));
        let priority = bongsu_lane::Priority::Normal;
        let request = house.api.lane.request(actor.clone(), priority, command);
        let decision = house.api.lane.submit(request).await.expect("an outcome");
        accepted += i32::from(decision.outcome.is_ok());
    }
    let answer = house
        .post("mina", "/_matrix/media/v1/create", json!({}))
        .await;
    assert!(answer.headers.contains_key("retry-after"));
    answer.refused(429, "M_LIMIT_EXCEEDED");
    reserve(&house, "jun").await;
    fill(&house, "mina", &short, b"tea")
        .await
        .refused(404, "M_NOT_FOUND");
    house
        .get("jun", &format!("{DOWNLOAD}/{short}"))
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn a_part_is_given_and_nothing_that_is_known() {
    let house = House::new().await;
    let id = uploaded(&house, "text/plain", b"0123456789").await;
    let path = format!("{DOWNLOAD}/{id}");
    let whole = house.get("jun", &path).await;
    assert_eq!(whole.headers["accept-ranges"], "bytes");
    let tag = whole.headers["etag"].to_str().expect("text").to_owned();

    let part = ask(&house, Method::GET, &path, ("range", "bytes=2-4")).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes, b"234");
    assert_eq!(part.headers["content-range"], "bytes 2-4/10");
    assert_eq!(part.headers["content-length"], "3");
    assert_eq!(part.headers["content-type"], "text/plain");

    let outside = ask(&house, Method::GET, &path, ("range", "bytes=10-")).await;
    assert_eq!(outside.headers["content-range"], "bytes */10");
    outside.refused(416, "M_UNKNOWN");

    let known = ask(&house, Method::GET, &path, ("if-none-match", &tag)).await;
    assert_eq!(
        (known.status, known.bytes.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );
    assert_eq!(known.headers["etag"], tag.as_str());
    let other = ask(&house, Method::GET, &path, ("if-none-match", "\"other\"")).await;
    assert_eq!(other.bytes, b"0123456789");

    let head = ask(&house, Method::HEAD, &path, ("accept", "*/*")).await;
    assert_eq!((head.status, head.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(head.headers["content-length"], "10");
}

#[tokio::test]
async fn odd_uploads_come_back_as_they_were() {
    let house = House::new().await;
    let request = Request::builder()
        .method(Method::POST)
        .uri("/_matrix/media/v3/upload?filename=%22a%5C%0d%0ab%22%3B.txt")
        .header("authorization", "Bearer mina.PHONE");
    let answer = house
        .send(request.body(Body::empty()).expect("a request"))
        .await
        .ok();
    let uri = answer["content_uri"].as_str().expect("a URI").to_owned();
    let id = uri.strip_prefix("mxc://").expect("an mxc URI");
    let got = house.get("jun", &format!("{DOWNLOAD}/{id}")).await;
    assert_eq!((got.status, got.bytes.len()), (StatusCode::OK, 0));
    assert_eq!(got.headers["content-type"], "application/octet-stream");
    let told = got.headers["content-disposition"].to_str().expect("text");
    assert_eq!(told, r#"attachment; filename="\"a\\b\";.txt""#);
    let long = format!("/_matrix/media/v3/upload?filename={}", "a".repeat(2_000));
    house
        .raw(Method::POST, "mina", &long, "text/plain", vec![1])
        .await
        .refused(400, "M_INVALID_PARAM");
    for path in ["%2e%2e%2fblobs", "..%5c..", "%00", "a%2fb%2fc"] {
        let got = house.get("mina", &format!("{DOWNLOAD}/test/{path}")).await;
        got.refused(404, "M_NOT_FOUND");
        let got = fill(&house, "mina", &format!("test/{path}"), b"x").await;
        got.refused(404, "M_NOT_FOUND");
    }
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbaImage::new(width, height))
        .write_to(&mut bytes, ImageFormat::Png)
        .expect("it is written");
    bytes.into_inner()
}

#[tokio::test]
async fn a_thumbnail_is_made_and_made_again() {
    let house = House::with(|config| config.max_upload_bytes = 1 << 20).await;
    let id = uploaded(&house, "image/png", &png(400, 200)).await;
    for (query, sides) in [
        ("width=32&height=32&method=crop", (32, 32)),
        ("width=300&height=200&method=scale", (320, 160)),
        ("width=300&height=200", (320, 160)),
        ("width=5000&height=5000", (400, 200)),
        ("width=300&height=200&animated=true", (320, 160)),
    ] {
        let path = format!("{THUMBNAIL}/{id}?{query}");
        let mut tags = Vec::new();
        for _ in 0..2 {
            let got = house.get("jun", &path).await;
            assert_eq!(got.status, StatusCode::OK, "{query}");
            assert_eq!(got.headers["content-type"], "image/png");
            assert!(
                got.headers["content-disposition"]
                    .to_str()
                    .is_ok_and(|text| text.starts_with("inline"))
            );
            let picture = image::load_from_memory(&got.bytes).expect("a picture");
            assert_eq!((picture.width(), picture.height()), sides, "{query}");
            tags.push(got.headers["etag"].clone());
        }
        assert_eq!(tags[0], tags[1]);
    }
    let path = |query: &str| format!("{THUMBNAIL}/{id}?{query}");
    house
        .get("jun", &path("width=1"))
        .await
        .refused(400, "M_MISSING_PARAM");
    house
        .get("", &path("width=1&height=1"))
        .await
        .refused(401, "M_MISSING_TOKEN");
    for query in [
        "width=0&height=1",
        "width=1&height=-1",
        "width=1&height=1&method=x",
    ] {
        house
            .get("jun", &path(query))
            .await
            .refused(400, "M_INVALID_PARAM");
    }
    let text = uploaded(&house, "image/png", b"no picture at all").await;
    house
        .get("jun", &format!("{THUMBNAIL}/{text}?width=32&height=32"))
        .await
        .refused(400, "M_UNKNOWN");
    house
        .get("jun", &format!("{THUMBNAIL}/test/none?width=32&height=32"))
        .await
        .refused(404, "M_NOT_FOUND");
}

#[tokio::test]
async fn the_paths_without_a_token_are_closed_unless_opened() {
    for open in [false, true] {
        let house = House::with(|config| config.media.open_downloads = open).await;
        let id = uploaded(&house, "image/png", &png(2, 2)).await;
        for version in ["r0", "v3"] {
            for rest in [
                format!("download/{id}"),
                format!("download/{id}/name.png?allow_remote=false&allow_redirect=true"),
                format!("thumbnail/{id}?width=32&height=32&method=crop"),
            ] {
                let got = house
                    .get("", &format!("/_matrix/media/{version}/{rest}"))
                    .await;
                if open {
                    assert_eq!(got.status, StatusCode::OK, "{rest}");
                } else {
                    got.refused(404, "M_NOT_FOUND");
                }
                let path = format!("/_matrix/media/{version}/{rest}");
                let shown = house.get("jun", &path).await;
                assert_eq!(shown.status, StatusCode::OK, "{rest}");
            }
        }
    }
}

#[tokio::test]
async fn a_quota_is_kept_and_what_is_deleted_no_longer_counts() {
    let house = House::with(|config| config.media.quota_bytes = Some(10)).await;
    let first = uploaded(&house, "text/plain", b"123456").await;
    let entries = house.log.history().len();
    upload(&house, "mina", "text/plain", b"12345")
        .await
        .refused(403, "M_FORBIDDEN");
    // What was refused was neither written nor kept; the canary sings now and then.
    assert!(house.log.history().len() <= entries + 1);
    assert_eq!(house.api.media.list().await.expect("blobs").len(), 1);
    upload(&house, "jun", "text/plain", b"12345").await.ok();
    uploaded(&house, "text/plain", b"1234").await;
    let name = first.strip_prefix("test/").expect("our media");
    delete(&house, name).await.ok();
    delete(&house, name).await.problem(404);
    uploaded(&house, "text/plain", b"12345").await;
}

#[tokio::test]
async fn a_blob_goes_with_its_last_name() {
    let house = House::new().await;
    let (one, two) = (
        uploaded(&house, "text/plain", b"tea").await,
        uploaded(&house, "text/plain", b"tea").await,
    );
    let name = |id: &str| id.strip_prefix("test/").expect("our media").to_owned();
    let blobs = || async { house.api.media.list().await.expect("blobs").len() };
    assert_eq!(blobs().await, 1);
    delete(&house, &name(&one)).await.ok();
    assert_eq!(blobs().await, 1);
    let path = format!("{DOWNLOAD}/{one}");
    house.get("jun", &path).await.refused(404, "M_NOT_FOUND");
    assert_eq!(
        house.get("jun", &format!("{DOWNLOAD}/{two}")).await.bytes,
        b"tea"
    );
    delete(&house, &name(&two)).await.ok();
    assert_eq!(blobs().await, 0);
}

#[tokio::test]
async fn what_is_withheld_is_as_if_it_were_not_there() {
    let house = House::new().await;
    let id = uploaded(&house, "image/png", &png(2, 2)).await;
    let name = id.strip_prefix("test/").expect("our media");
    let paths = [
        format!("{DOWNLOAD}/{id}"),
        format!("{THUMBNAIL}/{id}?width=32&height=32"),
    ];
    for quarantined in [false, true, false] {
        let verb = if quarantined {
            "quarantine"
        } else {
            "unquarantine"
        };
        let path = format!("media/{name}/{verb}");
        house.operate(&path, json!({})).await.ok();
        for path in &paths {
            let status = house.get("jun", path).await.status;
            assert_eq!(status == StatusCode::OK, !quarantined, "{path}");
        }
    }
    let none = house.operate("media/none/quarantine", json!({})).await;
    assert!(none.problem(404).contains("no such media"));
}

async fn delete(house: &House, id: &str) -> Answer {
    house
        .operate(&format!("media/{id}/delete"), json!({}))
        .await
}
