//! A browser: it keeps cookies and fills in forms.

use super::{Answer, Extra, Server, query};
use http::{StatusCode, header};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A browser.
#[derive(Debug, Default)]
pub struct Browser {
    pub cookies: RefCell<BTreeMap<String, String>>,
}

impl Browser {
    fn keep(&self, answer: &Answer) {
        for line in answer.headers.get_all(header::SET_COOKIE) {
            let line = line.to_str().expect("text");
            let (pair, _) = line.split_once(';').expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            let mut cookies = self.cookies.borrow_mut();
            if line.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn sent(&self) -> String {
        let cookies = self.cookies.borrow();
        let pairs = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    pub async fn get(&self, server: &Server, path: &str) -> Answer {
        let sent = self.sent();
        let extra = Extra {
            headers: vec![("cookie", &sent)],
        };
        let answer = server.get(path, &extra).await;
        self.keep(&answer);
        answer
    }

    pub async fn form(&self, server: &Server, path: &str, fields: &[(&str, &str)]) -> Answer {
        let sent = self.sent();
        let extra = Extra {
            headers: vec![("cookie", &sent), ("sec-fetch-site", "same-origin")],
        };
        let answer = server.form(path, fields, &extra).await;
        self.keep(&answer);
        answer
    }

    /// Signs mina in on the page that came; gives what comes next.
    pub async fn sign_in(&self, server: &Server, page: &Answer) -> Answer {
        let led = self.show(server, page, ("mina", "dog")).await;
        assert_eq!(led.status, StatusCode::SEE_OTHER, "{led:?}");
        self.follow(server, &led).await
    }

    /// Fills in the page that came with a name and a password; gives the answer to that alone.
    pub async fn show(&self, server: &Server, page: &Answer, who: (&str, &str)) -> Answer {
        let (seal, next) = (page.hidden("seal"), page.hidden("next"));
        let (name, password) = who;
        let fields = [
            ("seal", &*seal),
            ("next", &*next),
            ("name", name),
            ("password", password),
        ];
        self.form(server, "/account/sign-in", &fields).await
    }

    /// Goes where it is led, while that is here.
    pub async fn follow(&self, server: &Server, led: &Answer) -> Answer {
        let to = led.location();
        let path = &to[url::Position::BeforePath..];
        self.get(server, path).await
    }

    /// Agrees on the page that came.
    pub async fn agree(&self, server: &Server, page: &Answer, remember: bool) -> Answer {
        let (seal, next) = (page.hidden("seal"), page.hidden("next"));
        let mut fields = vec![("seal", &*seal), ("next", &*next), ("answer", "allow")];
        if remember {
            fields.push(("remember", "yes"));
        }
        self.form(server, "/account/consent", &fields).await
    }

    /// Signs in and agrees to a request; gives the answer to the client.
    pub async fn grant(&self, server: &Server, query: &str) -> Answer {
        let asked = self
            .get(server, &format!("/oauth2/authorize?{query}"))
            .await;
        assert_eq!(asked.status, StatusCode::OK, "{asked:?}");
        let consent = self.sign_in(server, &asked).await;
        assert_eq!(consent.status, StatusCode::OK, "{consent:?}");
        self.agree(server, &consent, false).await
    }

    /// The same, to the code.
    pub async fn code(&self, server: &Server, query: &str) -> String {
        let answer = self.grant(server, query).await;
        answer.parameter("code").expect("a code")
    }
}

impl Server {
    /// Has mina let `shop` in, with a browser that is forgotten; gives the tokens.
    pub async fn tokens(&self) -> Answer {
        let code = Browser::default().code(self, &query(&[])).await;
        self.redeem(&code, &[]).await
    }

    /// Asks who the person is to whom an access token belongs.
    pub async fn info(&self, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let extra = Extra {
            headers: vec![("authorization", &bearer)],
        };
        self.get("/oauth2/userinfo", &extra).await
    }

    /// Redeems a code as `shop`, with these fields instead of the usual ones.
    pub async fn redeem(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", "shop"),
            ("redirect_uri", super::REDIRECT),
            ("code_verifier", super::VERIFIER),
            ("code", code),
        ];
        let kept = usual
            .into_iter()
            .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        let all: Vec<_> = kept.chain(changes.iter().copied()).collect();
        self.form("/oauth2/token", &all, &Extra::default()).await
    }

    /// Refreshes as `shop`.
    pub async fn refresh(&self, token: &str) -> Answer {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", "shop"),
            ("refresh_token", token),
        ];
        self.form("/oauth2/token", &fields, &Extra::default()).await
    }
}
