//! What happens to the data centres, as data.

use anyhow::{Result, bail};
use fastrand::Rng;
use std::fmt::Write;

/// Which data centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// One drawn by chance.
    One,
    /// Another one.
    Other,
    /// The remaining one.
    Third,
    /// The one that leads most of the engine's logs.
    Leader,
}

/// A misfortune, or its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// All its processes are killed at once.
    Burn(Who),
    /// Nothing passes to or from it.
    Cut(Who),
    /// Nothing passes that it says; it goes on hearing the others.
    Mute(Who),
    /// It is held still.
    Freeze(Who),
    /// Everything to and from it takes 100 ms longer.
    Slow(Who),
    /// Its engine's disk takes 30 ms longer for each write that has to be durable.
    SlowDisk(Who),
    /// It burns, with all its data.
    Wipe(Who),
    /// It comes back with its clock five minutes ahead.
    Skew(Who),
    /// Bytes of its view change on the disk. It has to be burnt.
    DamageView(Who),
    /// Bytes of its engine's log change on the disk. It has to be burnt.
    DamageBlock(Who),
    /// Bytes of files that people uploaded change on its disk.
    DamageBlobs(Who),
    /// It gets a disk that can be full, with nothing on it, unless one has such a disk: that one is meant then.
    Bound(Who),
    /// Its disk is full.
    Fill(Who),
    /// Its disk is large again, and its processes are killed, to be started again.
    Empty(Who),
    /// It gets the usual disk again, with nothing on it.
    Unbound(Who),
    /// Its processes are asked to end, one after the other, and are started again.
    Restart(Who),
    /// Everything that was done to it is undone.
    Heal(Who),
}

/// What is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// For so many seconds nothing happens.
    Pass(u64),
    /// Something happens.
    Do(Act),
    /// Everything is waited for until it is in every data centre again.
    Whole,
    /// What follows is done for the scenarios that come after this one; the last one ends here.
    Rest,
}

/// What a scenario needs of the machine beside the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// Debian's strace, and the right to use it.
    Strace,
    /// Debian's libfaketime.
    Faketime,
    /// The right to mount a file system of limited size.
    Mount,
}

/// One misfortune from its beginning to its end.
#[derive(Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// What happens, for whoever reads the report.
    pub what: &'static str,
    /// What it needs.
    pub needs: Needs,
    /// What happens, in order.
    pub steps: &'static [Step],
}

use Act::*;
use Step::{Do, Pass, Rest, Whole};
use Who::{Leader, One, Other, Third};

/// The scenarios, in the order in which a whole drill takes them.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "kill-site",
        what: "All processes of one data centre are killed at once.",
        needs: Needs::Nothing,
        steps: &[
            Pass(3),
            Do(Burn(One)),
            Pass(11),
            Do(Heal(One)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "kill-leader",
        what: "The data centre that leads most of the logs is killed.",
        needs: Needs::Nothing,
        steps: &[
            Pass(3),
            Do(Burn(Leader)),
            Pass(11),
            Do(Heal(Leader)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "kill-two",
        what: "Two of three data centres are killed; nothing can be written until one is back.",
        needs: Needs::Nothing,
        steps: &[
            Pass(3),
            Do(Burn(One)),
            Do(Burn(Other)),
            Pass(6),
            Do(Heal(One)),
            Do(Heal(Other)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "cut",
        what: "One data centre is cut off from the others.",
        needs: Needs::Nothing,
        steps: &[
            Pass(3),
            Do(Cut(Leader)),
            Pass(11),
            Do(Heal(Leader)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "cut-one-way",
        what: "One data centre hears the others, and they do not hear it.",
        needs: Needs::Nothing,
        steps: &[
            Pass(3),
            Do(Mute(Leader)),
            Pass(11),
            Do(Heal(Leader)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "freeze",
        what: "One data centre stands still, and goes on later as if nothing had been.",
        needs: Needs::Nothing,
        steps: &[
            Pass(3),
            Do(Freeze(Leader)),
            Pass(11),
            Do(Heal(Leader)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "slow-links",
        what: "Everything to and from one data centre takes 100 ms longer.",
        needs: Needs::Nothing,
        steps: &[
            Pass(2),
            Do(Slow(Leader)),
            Pass(8),
            Do(Heal(Leader)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "slow-disk",
        what: "The disk of one data centre's log takes 30 ms longer for every write.",
        needs: Needs::Strace,
        steps: &[
            Pass(2),
            Do(SlowDisk(Leader)),
            Pass(8),
            Do(Heal(Leader)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "corrupt-view",
        what: "What one data centre made of the log is damaged on its disk.",
        needs: Needs::Nothing,
        steps: &[
            Pass(2),
            Do(Burn(One)),
            Do(DamageView(One)),
            Pass(10),
            Do(Heal(One)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "corrupt-log-block",
        what: "The log itself is damaged on the disk of one data centre.",
        needs: Needs::Nothing,
        steps: &[
            Pass(2),
            Do(Burn(One)),
            Do(DamageBlock(One)),
            Pass(10),
            Do(Heal(One)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "corrupt-blob",
        what: "Files that people uploaded are damaged on the disk of one data centre.",
        needs: Needs::Nothing,
        steps: &[
            Pass(4),
            Do(DamageBlobs(One)),
            Pass(4),
            Do(Heal(One)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "skew-clock",
        what: "The clock of one data centre's platform goes five minutes ahead.",
        needs: Needs::Faketime,
        steps: &[
            Pass(2),
            Do(Skew(Leader)),
            Pass(8),
            Do(Heal(Leader)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "rolling-restart",
        what: "Everything is restarted, one data centre after the other.",
        needs: Needs::Nothing,
        steps: &[
            Pass(2),
            Do(Restart(One)),
            Whole,
            Do(Restart(Other)),
            Whole,
            Do(Restart(Third)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "wipe",
        what: "One data centre is lost with all its disks, and begins again from nothing.",
        needs: Needs::Nothing,
        steps: &[
            Pass(3),
            Do(Wipe(One)),
            Pass(10),
            Do(Heal(One)),
            Whole,
            Pass(1),
        ],
    },
    Scenario {
        name: "full-disk",
        what: "The disk of one data centre is full.",
        needs: Needs::Mount,
        steps: &[
            Pass(1),
            Do(Bound(One)),
            Whole,
            Pass(2),
            Do(Fill(One)),
            Pass(10),
            Do(Empty(One)),
            Do(Heal(One)),
            Whole,
            Pass(1),
            Rest,
            Do(Unbound(One)),
            Do(Heal(One)),
            Whole,
            Pass(1),
        ],
    },
];

/// Scenarios that take long and are held when they are asked for by name alone.
pub const BY_NAME: &[Scenario] = &[Scenario {
    name: "kill-all",
    what: "All data centres are killed, and stay away for longer than services elsewhere rely on what they heard.",
    needs: Needs::Nothing,
    steps: &[
        Pass(12),
        Do(Burn(One)),
        Do(Burn(Other)),
        Do(Burn(Third)),
        Pass(31),
        Do(Heal(One)),
        Do(Heal(Other)),
        Do(Heal(Third)),
        Whole,
        Pass(1),
    ],
}];

/// The name that stands for scenarios drawn by chance.
pub const RANDOM: &str = "random";

/// All scenarios that there are.
fn known() -> impl Iterator<Item = &'static Scenario> {
    SCENARIOS.iter().chain(BY_NAME)
}

/// What is done, in which order.
#[derive(Debug)]
pub struct Plan {
    wanted: Vec<&'static Scenario>,
    random: bool,
    at: usize,
    /// What else is drawn: which data centres.
    pub rng: Rng,
}

impl Plan {
    /// The scenarios called `names`, or each one; what is drawn comes from `seed`.
    ///
    /// # Errors
    /// If one has no such name.
    pub fn new(names: &[String], seed: u64) -> Result<Self> {
        let mut wanted = Vec::new();
        for name in names.iter().filter(|name| *name != RANDOM) {
            match known().find(|scenario| scenario.name == name) {
                Some(scenario) => wanted.push(scenario),
                None => bail!("there is no scenario `{name}`; `--list` says which there are"),
            }
        }
        let random = names.iter().any(|name| name == RANDOM);
        if wanted.is_empty() {
            wanted = SCENARIOS.iter().collect();
        }
        Ok(Self {
            wanted,
            random,
            at: 0,
            rng: Rng::with_seed(seed),
        })
    }

    /// What comes next. Gives nothing once each was there; `on` says to begin again then.
    pub fn next(&mut self, on: bool) -> Option<&'static Scenario> {
        if self.at >= self.wanted.len() && !on {
            return None;
        }
        let place = self.at % self.wanted.len();
        if self.random && place == 0 {
            self.rng.shuffle(&mut self.wanted);
        }
        self.at += 1;
        Some(self.wanted[place])
    }

    /// What [`Self::next`] will give, unless that is drawn by chance.
    pub fn coming(&self) -> Option<&'static Scenario> {
        self.wanted.get(self.at).copied()
    }

    /// Whether each was there.
    pub fn is_over(&self) -> bool {
        self.at >= self.wanted.len()
    }

    /// Three data centres in an order of chance, from 0.
    pub fn draw(&mut self) -> [usize; 3] {
        let mut sites = [0, 1, 2];
        self.rng.shuffle(&mut sites);
        sites
    }
}

/// The scenarios, for a person.
pub fn list() -> String {
    let mut text = String::new();
    for scenario in SCENARIOS {
        writeln!(text, "{:<18} {}", scenario.name, scenario.what).expect("writes to memory");
    }
    for scenario in BY_NAME {
        let alone = "By name alone.";
        writeln!(text, "{:<18} {} {alone}", scenario.name, scenario.what)
            .expect("writes to memory");
    }
    let all = "All of these, in an order of chance, again and again with --seconds.";
    write!(text, "{RANDOM:<18} {all}").expect("writes to memory");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn names(plan: &mut Plan, count: usize) -> Vec<&'static str> {
        (0..count)
            .map_while(|_| plan.next(true))
            .map(|scenario| scenario.name)
            .collect()
    }

    #[test]
    fn everything_is_done_once_and_again_if_asked() {
        let mut plan = Plan::new(&["cut".to_owned(), "wipe".to_owned()], 1).unwrap();
        assert_eq!(plan.coming().map(|scenario| scenario.name), Some("cut"));
        assert_eq!(names(&mut plan, 3), ["cut", "wipe", "cut"]);
        assert!(plan.coming().is_none());
        let mut plan = Plan::new(&["cut".to_owned()], 1).unwrap();
        assert!(plan.next(false).is_some() && plan.next(false).is_none());
        let by_name = Plan::new(&["kill-all".to_owned()], 1).unwrap().next(false);
        assert_eq!(by_name.map(|scenario| scenario.name), Some("kill-all"));
        let mut usual = Plan::new(&[], 1).unwrap();
        assert!(!names(&mut usual, 99).contains(&"kill-all"));
        assert!(Plan::new(&["flood".to_owned()], 1).is_err());
    }

    #[test]
    fn chance_comes_from_the_seed_and_takes_each_once() {
        let drawn = |seed| {
            let mut plan = Plan::new(&[RANDOM.to_owned()], seed).unwrap();
            names(&mut plan, SCENARIOS.len())
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert_eq!(
            drawn(7).into_iter().collect::<BTreeSet<_>>().len(),
            SCENARIOS.len()
        );
    }

    #[test]
    fn every_misfortune_ends_and_everything_is_whole_after_it() {
        for scenario in known() {
            let whole = scenario.steps.iter().filter(|step| **step == Whole).count();
            assert!(whole > 0, "{}", scenario.name);
            let last = scenario.steps.len() - 1;
            assert!(matches!(scenario.steps[last], Pass(_)), "{}", scenario.name);
            assert_eq!(scenario.steps[last - 1], Whole, "{}", scenario.name);
            if let Some(rest) = scenario.steps.iter().position(|step| *step == Rest) {
                assert_eq!(scenario.steps[rest - 2], Whole, "{}", scenario.name);
            }
        }
        let names: BTreeSet<_> = known().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), known().count());
    }
}
