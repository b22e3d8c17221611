//! How an account's movements are found without an index.
//!
//! Each movement knows the one before it in its account, and one further back to jump to. The distances
//! of the jumps are those of a random-access list in skew binary (E. W. Myers, "An applicative
//! random-access stack", 1983), so that any movement is found over a number of steps that grows with the
//! logarithm of how many there are. What the next movement has to know is kept with the account.

/// The heads of the trees of an account's movements, oldest first. The number of movements says how
/// large each tree is: 2^k - 1, falling, where only the two newest may be equal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trail {
    pub count: i64,
    pub heads: Vec<i64>,
}

/// Where a movement's account can be followed back; 0 is nowhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Back {
    pub before: i64,
    pub jump: i64,
}

impl Trail {
    /// The newest movement; 0 when there is none.
    pub fn newest(&self) -> i64 {
        self.heads.last().copied().unwrap_or(0)
    }

    /// Takes the movement `n` in, and says where it can be followed back.
    pub fn push(&mut self, n: i64) -> Back {
        let before = self.newest();
        if newest_two_are_equal(self.count) {
            self.heads.truncate(self.heads.len() - 2);
        }
        let jump = self.newest();
        self.heads.push(n);
        self.count += 1;
        Back { before, jump }
    }
}

/// Whether the two newest trees of `count` movements are of one size.
fn newest_two_are_equal(count: i64) -> bool {
    let (mut rest, mut last) = (count, 0);
    while rest > 0 {
        // The largest 2^k - 1 that is not above `rest`.
        let size = i64::MAX >> (rest + 1).leading_zeros();
        if rest == size {
            return size == last;
        }
        rest -= size;
        last = size;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_movement_is_found_over_few_steps() {
        let mut trail = Trail::default();
        let mut back = vec![Back::default()];
        for n in 1..=5_000 {
            back.push(trail.push(n));
            assert!(trail.heads.len() <= 13, "{n}: {trail:?}");
        }
        for wanted in 0..=5_000 {
            let (mut at, mut steps) = (trail.newest(), 0);
            while at > wanted {
                let Back { before, jump } = back[at as usize];
                assert_eq!(before, at - 1);
                at = if jump >= wanted { jump } else { before };
                steps += 1;
            }
            assert_eq!(at, wanted);
            assert!(steps <= 3 * 13, "{wanted} took {steps} steps");
        }
    }
}
