//! Which pages that people link to are fetched, and which services are told things.

use super::Layer;
use super::list::list;
use anyhow::{Result, ensure};
use bongsu_fetch::Rules;

/// The rules, if pages are fetched at all.
pub fn rules(layer: &Layer) -> Result<Option<Rules>> {
    let ports = list("url_preview_ports", &layer.url_preview_ports)?;
    let rules = Rules {
        ports: if ports.is_empty() {
            Rules::default().ports
        } else {
            ports
        },
        allow_hosts: list("url_preview_allow_hosts", &layer.url_preview_allow_hosts)?,
        deny_hosts: list("url_preview_deny_hosts", &layer.url_preview_deny_hosts)?,
        allow_networks: list(
            "url_preview_allow_networks",
            &layer.url_preview_allow_networks,
        )?,
        deny_networks: list(
            "url_preview_deny_networks",
            &layer.url_preview_deny_networks,
        )?,
    };
    ensure!(
        !rules.ports.contains(&0),
        "url_preview_ports: there is no port 0"
    );
    Ok(layer.url_previews.unwrap_or(false).then_some(rules))
}

/// Which services may be told things: those of the open internet, and of `networks`.
pub(super) fn services(key: &str, networks: &Option<String>) -> Result<Rules> {
    Ok(Rules {
        // Services listen where they like; the ports of other protocols are left alone.
        ports: [80, 443].into_iter().chain(1024..=u16::MAX).collect(),
        allow_networks: list(key, networks)?,
        ..Rules::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(networks: &str, hosts: &str, ports: &str) -> Layer {
        Layer {
            url_previews: Some(true),
            url_preview_allow_networks: Some(networks.to_owned()),
            url_preview_deny_hosts: Some(hosts.to_owned()),
            url_preview_ports: Some(ports.to_owned()),
            ..Layer::default()
        }
    }

    #[test]
    fn nothing_is_fetched_unless_it_is_said() {
        assert!(rules(&Layer::default()).unwrap().is_none());
        let rules = rules(&layer("10.1.0.0/16, fd00::/8", "a.example,*.b.example", ""));
        let rules = rules.unwrap().unwrap();
        assert_eq!(rules.ports, [80, 443]);
        let found = (rules.allow_networks.len(), rules.deny_hosts.len());
        assert_eq!((found, rules.allow_hosts.len()), ((2, 2), 0));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |layer: Layer, expect: &str| {
            let error = rules(&layer).unwrap_err().to_string();
            assert!(error.contains(expect), "{error}");
        };
        check(
            layer("10.1.0.0", "", ""),
            "url_preview_allow_networks: `10.1.0.0`",
        );
        check(
            layer("", "http://a", ""),
            "url_preview_deny_hosts: `http://a`",
        );
        check(layer("", "", "80,http"), "url_preview_ports: `http`");
        check(layer("", "", "0"), "no port 0");
    }
}
