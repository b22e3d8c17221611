//! Uploads and downloads.

use crate::house::House;
use http::{Method, StatusCode};

async fn upload(house: &House, kind: &str, name: &str, content: &[u8]) -> String {
    let path = format!("/_matrix/media/v3/upload?filename={name}");
    let answer = house
        .raw(Method::POST, "mina", &path, kind, content.to_vec())
        .await
        .ok();
    let uri = answer["content_uri"].as_str().expect("a URI");
    uri.strip_prefix("mxc://").expect("an mxc URI").to_owned()
}

#[tokio::test]
async fn what_was_uploaded_is_downloaded_by_whoever_is_signed_in() {
    let house = House::new().await;
    let id = upload(
        &house,
        "image/png",
        "%EC%B0%A8.png",
        b"not really a picture",
    )
    .await;
    let path = format!("/_matrix/client/v1/media/download/{id}");
    house.get("", &path).await.refused(401, "M_MISSING_TOKEN");
    let got = house.get("jun", &path).await;
    assert_eq!(
        (got.status, got.bytes.as_slice()),
        (StatusCode::OK, b"not really a picture".as_slice())
    );
    assert_eq!(got.headers["content-type"], "image/png");
    assert!(
        got.headers["content-disposition"]
            .to_str()
            .is_ok_and(|text| text.starts_with("inline"))
    );
    assert!(got.headers.contains_key("content-security-policy"));
    let named = house.get("jun", &format!("{path}/tea.png")).await;
    assert!(
        named.headers["content-disposition"]
            .to_str()
            .is_ok_and(|text| text.contains("tea.png"))
    );
}

#[tokio::test]
async fn what_could_run_in_a_browser_is_only_saved() {
    let house = House::new().await;
    for kind in [
        "text/html",
        "image/svg+xml",
        "application/pdf",
        "TEXT/HTML; charset=utf-8",
    ] {
        let id = upload(&house, kind, "x", b"<script>alert(1)</script>").await;
        let got = house
            .get("jun", &format!("/_matrix/client/v1/media/download/{id}"))
            .await;
        assert!(
            got.headers["content-disposition"]
                .to_str()
                .is_ok_and(|text| text.starts_with("attachment")),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn bounds_and_unknown_media_are_refused() {
    let house = House::new().await;
    let entries = house.log.history().len();
    let big = house
        .raw(
            Method::POST,
            "mina",
            "/_matrix/media/v3/upload",
            "text/plain",
            vec![0; 1_001],
        )
        .await;
    big.refused(413, "M_TOO_LARGE");
    house
        .raw(
            Method::POST,
            "",
            "/_matrix/media/v3/upload",
            "text/plain",
            vec![0],
        )
        .await
        .refused(401, "M_MISSING_TOKEN");
    for path in ["test/none", "other/none", "test/..%2F..%2Fetc%2Fpasswd"] {
        house
            .get("mina", &format!("/_matrix/client/v1/media/download/{path}"))
            .await
            .refused(404, "M_NOT_FOUND");
    }
    assert_eq!(
        house
            .get("mina", "/_matrix/client/v1/media/config")
            .await
            .ok()["m.upload.size"],
        1_000
    );
    // The canary sings now and then; nothing else was written.
    assert!(house.log.history().len() <= entries + 1);
}
