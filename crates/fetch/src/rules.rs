//! What may be asked: the operator's rules over the built-in ones.

use crate::address::{embedded, is_public};
use crate::error::FetchError;
use ipnet::IpNet;
use std::net::IpAddr;
use std::str::FromStr;
use url::{Host, Url};

/// What may be asked. The default is the open internet on the two usual ports.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The ports that may be asked.
    pub ports: Vec<u16>,
    /// If there are any, hosts that match none of these are not asked.
    pub allow_hosts: Vec<HostPattern>,
    /// Hosts that are not asked, whatever else is said.
    pub deny_hosts: Vec<HostPattern>,
    /// Addresses that may be asked although they are not of the open internet.
    pub allow_networks: Vec<IpNet>,
    /// Addresses that are not asked, whatever else is said.
    pub deny_networks: Vec<IpNet>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            ports: vec![80, 443],
            allow_hosts: Vec::new(),
            deny_hosts: Vec::new(),
            allow_networks: Vec::new(),
            deny_networks: Vec::new(),
        }
    }
}

impl Rules {
    /// Sees that `url` is one to ask for; its addresses are another matter.
    ///
    /// # Errors
    /// When it is not.
    pub fn check_url(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::BadUrl("it is neither http nor https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::BadUrl("it has credentials in it"));
        }
        let Some(host) = url.host() else {
            return Err(FetchError::BadUrl("it has no host"));
        };
        if !url
            .port_or_known_default()
            .is_some_and(|port| self.ports.contains(&port))
        {
            return Err(FetchError::BadUrl("its port is not asked"));
        }
        if let Host::Domain(name) = host
            && !self.may_ask(name)
        {
            return Err(FetchError::HostDenied);
        }
        if !matches!(host, Host::Domain(_)) && !self.allow_hosts.is_empty() {
            return Err(FetchError::HostDenied);
        }
        Ok(())
    }

    fn may_ask(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.');
        let among = |patterns: &[HostPattern]| patterns.iter().any(|one| one.covers(name));
        !among(&self.deny_hosts) && (self.allow_hosts.is_empty() || among(&self.allow_hosts))
    }

    /// Whether a connection to this address may be made. An address that stands for another is judged as
    /// both.
    #[must_use]
    pub fn may_connect(&self, ip: IpAddr) -> bool {
        self.permits(ip) && embedded(ip).is_none_or(|inner| self.permits(inner.into()))
    }

    fn permits(&self, ip: IpAddr) -> bool {
        let among = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&ip));
        !among(&self.deny_networks) && (is_public(ip) || among(&self.allow_networks))
    }
}

/// Whether `url` is on the machine that looks at it.
#[must_use]
pub fn is_own_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether `url` is a page or a service on the web; on the own machine without TLS too.
#[must_use]
pub fn is_service(url: &Url) -> bool {
    let plain = url.username().is_empty() && url.password().is_none();
    let fragment = url.fragment().is_some();
    let scheme = url.scheme() == "https" || url.scheme() == "http" && is_own_machine(url);
    plain && !fragment && scheme && url.has_host()
}

/// A host by its name, or with `*.` before it every host below a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    name: String,
    below: bool,
}

impl HostPattern {
    fn covers(&self, name: &str) -> bool {
        if !self.below {
            return name == self.name;
        }
        let rest = name.strip_suffix(&self.name);
        rest.is_some_and(|rest| rest.ends_with('.'))
    }
}

impl FromStr for HostPattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, below) = match text.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        // As a URL has it: in lower case, and in punycode where it is not ASCII.
        match Host::parse(name) {
            Ok(Host::Domain(name)) if !name.contains('*') => Ok(Self { name, below }),
            _ => Err("expected a host's name, or *. and a name for every host below it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str]) -> Vec<HostPattern> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn networks(texts: &[&str]) -> Vec<IpNet> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn only_plain_urls_are_asked_for() {
        let rules = Rules {
            deny_hosts: patterns(&["bad.example", "*.worse.example", "한국.example"]),
            ..Rules::default()
        };
        let check = |url: &str| rules.check_url(&url.parse().unwrap()).is_ok();
        for url in [
            "http://good.example/",
            "https://good.example:443/a?b#c",
            "https://worse.example/",
            "http://8.8.8.8/",
        ] {
            assert!(check(url), "{url}");
        }
        for url in [
            "ftp://good.example/",
            "file:///etc/passwd",
            "gopher://good.example/",
            "data:text/html,hi",
            "http://mina@good.example/",
            "http://mina:secret@good.example/",
            "http://good.example:22/",
            "http://bad.example/",
            "http://BAD.example./",
            "http://a.worse.example/",
            "http://한국.example/",
        ] {
            assert!(!check(url), "{url}");
        }
    }

    #[test]
    fn a_list_of_hosts_leaves_out_all_others() {
        let rules = Rules {
            allow_hosts: patterns(&["news.example", "*.city.example"]),
            ..Rules::default()
        };
        let check = |url: &str| rules.check_url(&url.parse().unwrap()).is_ok();
        assert!(check("http://news.example/") && check("http://a.b.city.example/"));
        for url in [
            "http://city.example/",
            "http://notcity.example/",
            "http://x.news.example/",
            "http://8.8.8.8/",
            "http://[2606:4700::1]/",
        ] {
            assert!(!check(url), "{url}");
        }
    }

    #[test]
    fn denied_networks_weigh_more_than_allowed_ones() {
        let rules = Rules {
            allow_networks: networks(&["10.1.0.0/16", "64:ff9b::/96", "::ffff:0:0/96"]),
            deny_networks: networks(&["10.1.2.0/24", "8.8.8.0/24"]),
            ..Rules::default()
        };
        let check = |ip: &str| rules.may_connect(ip.parse().unwrap());
        for ip in ["10.1.1.1", "1.1.1.1", "64:ff9b::1.1.1.1", "::ffff:10.1.1.1"] {
            assert!(check(ip), "{ip}");
        }
        for ip in [
            "10.1.2.1",
            "10.2.0.1",
            "8.8.8.8",
            "64:ff9b::127.0.0.1",
            "::ffff:8.8.8.8",
            "2002:101:101::",
        ] {
            assert!(!check(ip), "{ip}");
        }
    }

    #[test]
    fn a_pattern_is_a_name() {
        for text in ["", "*", "*.", "a b", "8.8.8.8", "*.*.example", "http://a"] {
            assert!(text.parse::<HostPattern>().is_err(), "{text}");
        }
    }
}
