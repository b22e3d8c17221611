//! More people sign in at once than passwords can be verified.

use super::browser::Browser;
use super::{Extra, Server, query};
use http::StatusCode;

/// With no place for a password to wait in, nobody signs in; those who are signed in notice nothing. Whether there is such
/// an account, the way is the same: a name without one waits for a place to hash in too.
#[tokio::test]
async fn who_is_signed_in_goes_on_while_passwords_are_refused() {
    let calm = Server::with_shop().await;
    let code = Browser::default().code(&calm, &query(&[])).await;
    let tokens = calm.redeem(&code, &[]).await;
    let storm = calm.elsewhere(|config| config.hashing_waiting = 0);
    let page = storm.get("/account", &Extra::default()).await;
    let cookie = page.header("set-cookie");
    let (cookie, _) = cookie.split_once(';').expect("attributes");
    for name in ["mina", "nobody"] {
        let (seal, next) = (page.hidden("seal"), page.hidden("next"));
        let fields = [
            ("seal", &*seal),
            ("next", &*next),
            ("name", name),
            ("password", "dog"),
        ];
        let extra = Extra {
            headers: vec![("cookie", cookie)],
        };
        let refused = storm.form("/account/sign-in", &fields, &extra).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{name}");
        assert!(refused.headers.contains_key("retry-after"), "{name}");
        assert!(refused.text.contains("Many people"), "{}", refused.text);
    }
    let refresh = tokens.field("refresh_token");
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", "shop"),
        ("refresh_token", &*refresh),
    ];
    let next = storm
        .form("/oauth2/token", &fields, &Extra::default())
        .await;
    assert_eq!(next.status, StatusCode::OK, "{next:?}");
    let bearer = format!("Bearer {}", next.field("access_token"));
    let extra = Extra {
        headers: vec![("authorization", &bearer)],
    };
    let info = storm.get("/oauth2/userinfo", &extra).await;
    assert_eq!(info.status, StatusCode::OK);
    calm.close().await;
}
