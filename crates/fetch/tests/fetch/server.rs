//! A web server of a few lines, and a resolver that says what it is told.

use bongsu_fetch::{Fetched, Fetcher, Limits, Resolve, RootCertStore, Rules, Wanted};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

pub const PAGE: Wanted = Wanted {
    types: &[("text/html", 100_000)],
};

/// Reads a request's head.
pub async fn head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).expect("a head is text")
}

pub fn ok(kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

pub fn redirect(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

/// Answers each path with what stands there, and tells the heads of the requests.
pub async fn serve(pages: &[(&str, Vec<u8>)]) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let pages: HashMap<String, Vec<u8>> = pages
        .iter()
        .map(|(path, page)| ((*path).to_owned(), page.clone()))
        .collect();
    let (tell, told) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let head = head(&mut stream).await;
            let path = head.split(' ').nth(1).unwrap_or_default();
            let none = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec();
            let page = pages.get(path).unwrap_or(&none);
            // Who asked may have gone once it knew enough.
            let _ = stream.write_all(page).await;
            let _ = tell.send(head);
        }
    });
    (address, told)
}

/// Hands the one connection that comes to `answer`.
pub async fn once<F>(answer: impl FnOnce(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        answer(stream).await;
    });
    address
}

/// Answers each name with what it is told, one answer after the other, and the last for ever.
#[derive(Default)]
pub struct Names {
    answers: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    pub asked: Mutex<Vec<String>>,
}

impl Names {
    pub fn with(self, name: &str, answers: &[&[&str]]) -> Self {
        let answers = answers.iter().map(|answer| {
            let answer = answer.iter().map(|ip| ip.parse().expect("an address"));
            answer.collect()
        });
        let mut all = self.answers.lock().expect("nobody panicked");
        all.insert(name.to_owned(), answers.collect());
        drop(all);
        self
    }
}

#[async_trait::async_trait]
impl Resolve for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked
            .lock()
            .expect("nobody panicked")
            .push(name.to_owned());
        let mut all = self.answers.lock().expect("nobody panicked");
        let answers = all.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        let last = answers.back().cloned().unwrap_or_default();
        let answer = answers.pop_front().unwrap_or_default();
        if answers.is_empty() {
            answers.push_back(last);
        }
        Ok(answer)
    }
}

/// Rules that allow loopback, and these ports.
pub fn rules(ports: &[u16]) -> Rules {
    Rules {
        ports: ports.to_vec(),
        allow_networks: vec!["127.0.0.0/8".parse().expect("a network")],
        ..Rules::default()
    }
}

pub fn fetcher(rules: Rules, names: Names) -> Fetcher {
    patient(rules, names, Duration::from_secs(60))
}

pub fn patient(rules: Rules, names: Names, patience: Duration) -> Fetcher {
    let limits = Limits {
        patience,
        ..Limits::default()
    };
    Fetcher::with(rules, limits, Arc::new(names), RootCertStore::empty())
}

/// Fetches `url`; in its place, says why not.
pub async fn get(fetcher: &Fetcher, url: &str) -> Result<Fetched, String> {
    let url = url.parse().expect("a URL");
    fetcher
        .get(&url, &PAGE)
        .await
        .map_err(|error| format!("{error:?}"))
}

#[track_caller]
pub fn refused(got: Result<Fetched, String>, why: &str) {
    match got {
        Ok(fetched) => panic!("fetched {}, instead of {why}", fetched.url),
        Err(error) => assert!(error.starts_with(why), "{error} instead of {why}"),
    }
}
