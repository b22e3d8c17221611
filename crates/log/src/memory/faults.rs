//! What may go wrong with a log in memory, and how its seed decides.

use bongsu_base::Seed;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How often something happens: in this many of 10,000 cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chance(pub u32);

impl Chance {
    /// It never happens.
    pub const NEVER: Self = Self(0);
    /// It always happens.
    pub const ALWAYS: Self = Self(10_000);
}

/// What may go wrong, and how slow things may be. All delays are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// From the append to the moment the entry is stored.
    pub append_delay: RangeInclusive<u64>,
    /// From that moment to the answer.
    pub answer_delay: RangeInclusive<u64>,
    /// The entry is refused.
    pub refuse: Chance,
    /// The entry is not stored, and the answer is that nobody knows.
    pub lose: Chance,
    /// The entry is stored, and the answer is that nobody knows.
    pub forget: Chance,
    /// How far readers are behind: each has its own delay in this range, and sees each entry that
    /// late at most.
    pub read_delay: RangeInclusive<u64>,
    /// A read gives only some of the entries it could.
    pub short_read: Chance,
    /// A read fails though the log is up.
    pub read_error: Chance,
}

impl Faults {
    /// Nothing goes wrong, at once.
    pub const NONE: Self = Self {
        append_delay: 0..=0,
        answer_delay: 0..=0,
        refuse: Chance::NEVER,
        lose: Chance::NEVER,
        forget: Chance::NEVER,
        read_delay: 0..=0,
        short_read: Chance::NEVER,
        read_error: Chance::NEVER,
    };

    /// A bad day: everything happens often enough to be seen within some hundred appends.
    pub const ROUGH: Self = Self {
        append_delay: 0..=200,
        answer_delay: 0..=200,
        refuse: Chance(300),
        lose: Chance(500),
        forget: Chance(500),
        read_delay: 0..=1_000,
        short_read: Chance(3_000),
        read_error: Chance(200),
    };
}

/// An endless row of numbers decided by a seed and a purpose.
pub(in crate::memory) struct Dice {
    seed: Seed,
    purpose: String,
    rolled: u64,
}

impl Dice {
    pub(in crate::memory) fn new(seed: Seed, purpose: String) -> Self {
        Self {
            seed,
            purpose,
            rolled: 0,
        }
    }

    fn roll(&mut self) -> u64 {
        self.rolled += 1;
        self.at(self.rolled)
    }

    /// The number at `index`, whatever was rolled.
    pub(in crate::memory) fn at(&self, index: u64) -> u64 {
        u64::from_le_bytes(self.seed.derive(&self.purpose, index))
    }

    pub(in crate::memory) fn happens(&mut self, chance: Chance) -> bool {
        self.roll() % u64::from(Chance::ALWAYS.0) < u64::from(chance.0)
    }

    pub(in crate::memory) fn delay(&mut self, range: &RangeInclusive<u64>) -> Duration {
        Duration::from_millis(within(self.roll(), range))
    }

    /// A number from 1 to `most`.
    pub(in crate::memory) fn up_to(&mut self, most: usize) -> usize {
        let most = most.max(1) as u64;
        usize::try_from(within(self.roll(), &(1..=most))).unwrap_or(1)
    }
}

/// The place in `range` that `number` falls on.
pub(in crate::memory) fn within(number: u64, range: &RangeInclusive<u64>) -> u64 {
    let span = range.end().saturating_sub(*range.start()).saturating_add(1);
    range.start() + number % span
}

/// What becomes of one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::memory) enum Fate {
    Stored,
    Refused,
    Lost,
    Forgotten,
}

/// What becomes of one append, and when.
pub(in crate::memory) struct Plan {
    pub fate: Fate,
    pub before: Duration,
    pub after: Duration,
    /// Whether it is stored if the log stops before its time has come.
    pub survives: bool,
}

impl Plan {
    pub(in crate::memory) fn draw(faults: &Faults, mut dice: Dice) -> Self {
        let fate = if dice.happens(faults.refuse) {
            Fate::Refused
        } else if dice.happens(faults.lose) {
            Fate::Lost
        } else if dice.happens(faults.forget) {
            Fate::Forgotten
        } else {
            Fate::Stored
        };
        Self {
            fate,
            before: dice.delay(&faults.append_delay),
            after: dice.delay(&faults.answer_delay),
            survives: dice.happens(Chance(5_000)),
        }
    }
}
