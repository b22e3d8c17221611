//! The page at `/`: what this is, how it is, and how to connect a client.

use crate::config::WhoMayRegister;
use crate::health::{Readiness, Watch};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use std::fmt::Write;
use std::sync::Arc;

const CSS: &str = include_str!("page/page.css");
const ENGLISH: &str = include_str!("page/page.en.html");
const KOREAN: &str = include_str!("page/page.ko.html");

/// The page needs its style and nothing else, from nowhere else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// What the page tells of the installation.
#[derive(Clone)]
pub struct Page {
    /// The name in people's ids.
    pub server_name: Arc<str>,
    /// What a client is told to connect to.
    pub base_url: Arc<str>,
    /// Who may sign up.
    pub registration: WhoMayRegister,
    /// The state of the domains.
    pub watch: Watch,
}

/// What this is, its state, and how to connect a Matrix client.
#[utoipa::path(get, path = "/", tag = "page",
    params(("Accept-Language" = Option<String>, Header, description = "Korean where that is preferred; English otherwise")),
    responses((status = 200, description = "A page for people", body = String, content_type = "text/html")))]
pub async fn page(State(page): State<Page>, headers: HeaderMap) -> Response {
    let asked = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let language = preferred(asked.unwrap_or_default());
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(language.tag()),
        ),
        (header::VARY, HeaderValue::from_static("Accept-Language")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
    ];
    (headers, render(&page, language, &page.watch.look())).into_response()
}

/// The page's style.
#[utoipa::path(get, path = "/page.css", tag = "page",
    responses((status = 200, description = "The page's style", body = String, content_type = "text/css")))]
pub async fn style() -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/css; charset=utf-8"),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    (headers, CSS).into_response()
}

/// The languages the page speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    English,
    Korean,
}

impl Language {
    const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }
}

/// The language that `Accept-Language` prefers (RFC 9110, section 12.5.4); English where it names none
/// of ours.
fn preferred(accept: &str) -> Language {
    let mut best = (0.0, Language::English);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(Ok(1.0), str::parse::<f32>);
        let language = match tag.split('-').next() {
            Some("en" | "*") => Language::English,
            Some("ko") => Language::Korean,
            _ => continue,
        };
        if let Ok(weight) = weight
            && weight > best.0
        {
            best = (weight, language);
        }
    }
    best.1
}

fn render(page: &Page, language: Language, readiness: &Readiness) -> String {
    let english = language == Language::English;
    let say = |en: &'static str, ko: &'static str| if english { en } else { ko };
    let state = match readiness.ready {
        true => say("Everything works.", "모두 정상입니다."),
        false => say(
            "Something does not work at the moment.",
            "지금 일부가 작동하지 않습니다.",
        ),
    };
    let registration = match page.registration {
        WhoMayRegister::Open => say("Choose to create an account.", "계정 만들기를 선택합니다."),
        WhoMayRegister::Token => say(
            "Choose to create an account, and enter the token that you were given.",
            "계정 만들기를 선택하고, 받은 토큰을 입력합니다.",
        ),
        WhoMayRegister::Closed => say(
            "Sign in with the name and password that you were given.",
            "받은 이름과 비밀번호로 로그인합니다.",
        ),
    };
    let mut domains = String::new();
    for domain in &readiness.domains {
        let (class, works) = if domain.ready {
            ("good", say("yes", "예"))
        } else {
            ("bad", say("no", "아니요"))
        };
        let _ = writeln!(
            domains,
            "<tr><th scope=\"row\">{}</th><td class=\"{class}\">{works}</td><td>{}</td></tr>",
            escape(&domain.domain),
            domain.applied
        );
    }
    let template = if english { ENGLISH } else { KOREAN };
    template
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace(
            "{{state_class}}",
            if readiness.ready { "good" } else { "bad" },
        )
        .replace("{{state}}", state)
        .replace("{{registration}}", registration)
        .replace("{{domains}}", &domains)
        .replace("{{base_url}}", &escape(&page.base_url))
        .replace("{{server_name}}", &escape(&page.server_name))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::DomainHealth;
    use std::time::Duration;

    #[test]
    fn the_language_is_the_one_that_is_liked_best() {
        let check =
            |accept: &str, expect: &str| assert_eq!(preferred(accept).tag(), expect, "{accept}");
        check("", "en");
        check("ko", "ko");
        check("ko-KR,ko;q=0.9,en-US;q=0.8", "ko");
        check("en-GB, ko;q=0.9", "en");
        check("fr, ko;q=0.5, en;q=0.4", "ko");
        check("fr;q=1.0, *;q=0.1", "en");
        check("ko;q=0, en;q=0.1", "en");
        check("ko;q=much", "en");
    }

    #[test]
    fn every_place_in_both_pages_is_filled_and_escaped() {
        let page = Page {
            server_name: "a<b".into(),
            base_url: "http://x/?a&\"b\"".into(),
            registration: WhoMayRegister::Token,
            watch: Watch::new(Duration::from_secs(1)),
        };
        let domain = DomainHealth {
            domain: "talk".into(),
            ready: false,
            state: "stopped".into(),
            reason: Some("the disk is full".into()),
            applied: 7,
            behaviour: 1,
            knows: 1,
            canary_age_ms: None,
            canary_took_ms: None,
        };
        let readiness = Readiness {
            ready: false,
            domains: vec![domain],
        };
        for language in [Language::English, Language::Korean] {
            let html = render(&page, language, &readiness);
            assert!(
                !html.contains("{{") && html.contains(">7<") && html.contains("class=\"bad\""),
                "{html}"
            );
            assert!(
                html.contains("a&lt;b") && html.contains("http://x/?a&amp;&quot;b&quot;"),
                "{html}"
            );
            assert!(html.contains(&format!("lang=\"{}\"", language.tag())));
            assert!(
                !html.contains("disk"),
                "what the operator reads is not everybody's"
            );
        }
    }
}
