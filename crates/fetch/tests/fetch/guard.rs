//! Where requests do not go.

use crate::server::{Names, fetcher, get, ok, redirect, refused, rules, serve};
use bongsu_fetch::Rules;

#[tokio::test]
async fn a_page_is_fetched_through_its_redirects() {
    let page = ok("text/html; charset=utf-8", "<p>hello</p>");
    let (address, mut told) =
        serve(&[("/old?a=1", redirect("/new?b=2#top")), ("/new?b=2", page)]).await;
    let port = address.port();
    let names = Names::default().with("tea.example", &[&["127.0.0.1"]]);
    let fetcher = fetcher(rules(&[port]), names);
    let got = get(&fetcher, &format!("http://tea.example:{port}/old?a=1#x")).await;
    let got = got.expect("it is there");
    assert_eq!(got.url.path(), "/new");
    assert_eq!(got.content_type, "text/html; charset=utf-8");
    assert_eq!(
        (got.bytes.as_slice(), got.whole),
        (&b"<p>hello</p>"[..], true)
    );
    for path in ["GET /old?a=1 HTTP/1.1", "GET /new?b=2 HTTP/1.1"] {
        let head = told.recv().await.expect("a request");
        assert!(head.starts_with(path), "{head}");
        assert!(
            head.contains(&format!("\r\nhost: tea.example:{port}\r\n")),
            "{head}"
        );
        assert!(
            !head.contains("cookie") && !head.contains("authorization"),
            "{head}"
        );
    }
}

#[tokio::test]
async fn inner_addresses_are_not_asked_in_any_spelling() {
    let names = Names::default()
        .with("inner.example", &[&["10.0.0.1", "::1", "fe80::1"]])
        .with("metadata.example", &[&["169.254.169.254"]])
        .with("none.example", &[&[]]);
    let fetcher = fetcher(Rules::default(), names);
    for url in [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://2130706433/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fe80::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://192.168.0.1/",
        "http://１２７.０.０.１/",
        "http://inner.example/",
        "http://metadata.example/",
    ] {
        refused(get(&fetcher, url).await, "AddressDenied");
    }
    refused(get(&fetcher, "http://none.example/").await, "Unresolved");
    refused(get(&fetcher, "http://other.example/").await, "Unresolved");
}

#[tokio::test]
async fn every_redirect_is_checked_anew() {
    let (address, _) = serve(&[
        ("/metadata", redirect("http://169.254.169.254/latest/")),
        ("/inner", redirect("http://inner.example/")),
        ("/denied", redirect("http://denied.example/")),
        ("/file", redirect("file:///etc/passwd")),
        ("/port", redirect("http://127.0.0.1:22/")),
        ("/user", redirect("http://a:b@tea.example/")),
        ("/nowhere", redirect("http://[/")),
        ("/loop", redirect("/loop")),
        ("/nothing", redirect("")),
    ])
    .await;
    let port = address.port();
    let rules = Rules {
        deny_hosts: vec!["denied.example".parse().expect("a name")],
        ..rules(&[port, 80])
    };
    let names = Names::default().with("inner.example", &[&["192.168.0.1"]]);
    let fetcher = fetcher(rules, names);
    for (path, why) in [
        ("metadata", "AddressDenied"),
        ("inner", "AddressDenied"),
        ("denied", "HostDenied"),
        ("file", "BadUrl"),
        ("port", "BadUrl"),
        ("user", "BadUrl"),
        ("nowhere", "Status(302)"),
        ("loop", "TooManyRedirects"),
        ("nothing", "Status(302)"),
        ("missing", "Status(404)"),
    ] {
        let url = format!("http://127.0.0.1:{port}/{path}");
        refused(get(&fetcher, &url).await, why);
    }
}

/// A name whose address changes between the check and the connection changes nothing: it is asked once
/// for a request, and the connection goes where the check looked.
#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let (address, mut told) =
        serve(&[("/", ok("text/html", "fine")), ("/again", redirect("/"))]).await;
    let port = address.port();
    let rules = Rules {
        deny_networks: vec!["127.0.0.2/32".parse().expect("a network")],
        ..rules(&[port])
    };
    let names = || Names::default().with("rebind.example", &[&["127.0.0.1"], &["127.0.0.2"]]);
    let base = format!("http://rebind.example:{port}");

    let first = fetcher(rules.clone(), names());
    let got = get(&first, &base).await.expect("the first answer counts");
    assert_eq!(got.bytes, b"fine");
    told.recv().await.expect("the request came");

    let second = fetcher(rules.clone(), names());
    refused(
        get(&second, &format!("{base}/again")).await,
        "AddressDenied",
    );

    // Of several addresses those that may not be asked are left out.
    let names = Names::default().with("rebind.example", &[&["127.0.0.2", "127.0.0.1"]]);
    let both = fetcher(rules, names);
    assert!(get(&both, &base).await.is_ok());
}
