//! Where everything of a cluster on one machine lies: addresses, ports and folders.

use super::relay::Relay;
use anyhow::{Result, ensure};
use bongsu_base::DataCentre;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// How many data centres there are: a majority survives the loss of one.
pub const SITES: usize = 3;
/// Ports above the first one that a cluster needs at each of its addresses.
const PORTS: u16 = 40;

/// How far above the first port the bank's is.
const BANK: u16 = 4;

/// The data centres of a cluster.
#[derive(Debug, Clone)]
pub struct Plan {
    dir: PathBuf,
    network: [u8; 2],
    port: u16,
}

/// One data centre.
#[derive(Debug, Clone)]
pub struct Site {
    /// From 1.
    pub number: usize,
    /// `dc1`, `dc2`, `dc3`.
    pub name: DataCentre,
    /// Its folder.
    pub dir: PathBuf,
}

/// What listens at a data centre's address, and a road to each other one for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The engine, for the platform.
    Engine,
    /// The engine, for the other engines.
    Routes,
    /// What data centres fetch from each other.
    Peer,
}

impl Service {
    const ALL: [Self; 3] = [Self::Engine, Self::Routes, Self::Peer];

    const fn offset(self) -> u16 {
        match self {
            Self::Engine => 1,
            Self::Routes => 2,
            Self::Peer => 3,
        }
    }
}

impl Plan {
    /// A cluster in `dir` whose data centre N is at `network`.N.1 and serves on `port` there.
    pub fn new(dir: &Path, network: [u8; 2], port: u16) -> Result<Self> {
        ensure!(
            network[0] == 127,
            "a cluster on one machine stands on loopback addresses, 127.x"
        );
        ensure!(
            port.checked_add(PORTS).is_some(),
            "the {PORTS} ports above --port are needed too; choose a lower one"
        );
        Ok(Self {
            dir: dir.to_owned(),
            network,
            port,
        })
    }

    /// The folder of the whole.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// All data centres.
    pub fn sites(&self) -> Vec<Site> {
        (1..=SITES).map(|number| self.site(number)).collect()
    }

    fn site(&self, number: usize) -> Site {
        let name = format!("dc{number}");
        Site {
            number,
            dir: self.dir.join(&name),
            name: name.parse().expect("letters and a digit"),
        }
    }

    /// The address of data centre `number`.
    pub fn ip(&self, number: usize) -> IpAddr {
        let number = u8::try_from(number).unwrap_or(u8::MAX);
        Ipv4Addr::new(self.network[0], self.network[1], number, 1).into()
    }

    /// Where people reach data centre `number`.
    pub fn public(&self, number: usize) -> SocketAddr {
        SocketAddr::new(self.ip(number), self.port)
    }

    /// Where the bank is reached, which is in no data centre.
    pub fn bank(&self) -> SocketAddr {
        SocketAddr::new(self.ip(0), self.port + BANK)
    }

    /// Where `service` of data centre `number` listens.
    pub fn own(&self, service: Service, number: usize) -> SocketAddr {
        SocketAddr::new(self.ip(number), self.port + service.offset())
    }

    /// Where data centre `from` reaches `service` of data centre `to`.
    pub fn road(&self, service: Service, from: usize, to: usize) -> SocketAddr {
        if from == to {
            return self.own(service, from);
        }
        let to = u16::try_from(to).unwrap_or(u16::MAX);
        SocketAddr::new(self.ip(from), self.port + 10 * service.offset() + to)
    }

    /// All roads between data centres.
    pub fn relays(&self) -> Vec<Relay> {
        let mut relays = Vec::new();
        for service in Service::ALL {
            for from in 1..=SITES {
                for to in (1..=SITES).filter(|to| *to != from) {
                    relays.push(Relay {
                        from,
                        to,
                        listen: self.road(service, from, to),
                        target: self.own(service, to),
                    });
                }
            }
        }
        relays
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_things_listen_at_one_address() {
        let plan = Plan::new(Path::new("/x"), [127, 0], 8008).unwrap();
        let mut all = Vec::new();
        for site in plan.sites() {
            all.push(plan.public(site.number));
            all.extend(Service::ALL.map(|service| plan.own(service, site.number)));
        }
        all.push(plan.bank());
        all.extend(plan.relays().iter().map(|relay| relay.listen));
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!((all.len(), distinct.len()), (31, 31));
        assert!(all.iter().all(|address| address.port() - 8008 <= PORTS));
        assert_eq!(plan.public(2).to_string(), "127.0.2.1:8008");
        assert_eq!(plan.bank().to_string(), "127.0.0.1:8012");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(Plan::new(Path::new("/x"), [10, 0], 8008).is_err());
        assert!(Plan::new(Path::new("/x"), [127, 0], 65_530).is_err());
    }
}
