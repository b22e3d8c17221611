//! Where people come from who come through a proxy.

use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

const FORWARDED: &str = "x-forwarded-for";

/// The proxies that are believed.
#[derive(Debug)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Believes whoever is in one of `networks`.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who asks, if the connection comes from `peer`: the last one in `X-Forwarded-For` who is no proxy of ours. What
    /// stands before that is whatever the client wrote there.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        let lines = headers.get_all(FORWARDED).iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for hop in hops {
            if !self.trusts(client) {
                break;
            }
            let Some(address) = address(hop.trim()) else {
                break;
            };
            client = address;
        }
        client
    }
}

/// An address as proxies write it, some of them with a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bracketed = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let parsed = bracketed.unwrap_or(text).parse().ok();
    parsed.or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[&str]) -> String {
        let networks = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"];
        let networks = networks.map(|network| network.parse().expect("a network"));
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED, line.parse().expect("a header"));
        }
        let peer = peer.parse().expect("an address");
        Proxies::new(networks.to_vec())
            .client(peer, &headers)
            .to_string()
    }

    #[test]
    fn a_proxy_says_who_asks() {
        for (peer, lines, expect) in [
            ("192.0.2.1", &["203.0.113.9"][..], "192.0.2.1"),
            ("127.0.0.1", &[], "127.0.0.1"),
            ("127.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("fd00::1", &["[2001:db8::7]:443"], "2001:db8::7"),
            ("fd00::1", &["[2001:db8::7]"], "2001:db8::7"),
            // What the client itself wrote counts for nothing.
            ("127.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ("127.0.0.1", &["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
            ("127.0.0.1", &["203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            ("127.0.0.1", &["nonsense, 10.0.0.2"], "10.0.0.2"),
            ("127.0.0.1", &["unknown"], "127.0.0.1"),
        ] {
            assert_eq!(client(peer, lines), expect, "{peer} {lines:?}");
        }
    }
}
