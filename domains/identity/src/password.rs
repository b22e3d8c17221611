//! Hashing and verifying passwords with argon2id, off the runtime's threads and never too many at once.

use crate::config::HashingCost;
use crate::secret::PasswordHash;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Too many passwords wait to be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// Why the hashing cost cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("passwords cannot be hashed at the cost {cost:?}: {why}")]
pub struct CostError {
    cost: HashingCost,
    why: argon2::Error,
}

/// Computes password hashes, a bounded number at once and a bounded number waiting.
pub struct Pool {
    params: Params,
    places: Arc<Semaphore>,
    waiting: Semaphore,
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
}

/// Says nothing of the memory, which is made of passwords.
impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// A pool that computes `at_once` hashes while `waiting` requests wait.
    pub fn new(cost: HashingCost, at_once: usize, waiting: usize) -> Result<Self, CostError> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None)
            .map_err(|why| CostError { cost, why })?;
        Ok(Self {
            params,
            places: Arc::new(Semaphore::new(at_once.max(1))),
            waiting: Semaphore::new(waiting),
            memory: Arc::default(),
        })
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: String, salt: [u8; 16]) -> Result<PasswordHash, Busy> {
        let params = self.params.clone();
        self.run(move |memory| hash(memory, params, &password, &salt))
            .await
    }

    /// Verifies a password. Where there is none to verify against it takes as long and says no, so that
    /// the time does not tell whether an account exists.
    pub async fn verify(
        &self,
        password: String,
        against: Option<PasswordHash>,
    ) -> Result<bool, Busy> {
        let params = self.params.clone();
        let verify = move |memory: &mut Vec<Block>| match against {
            Some(against) => verify(memory, &password, against.as_phc()).unwrap_or(false),
            None => {
                std::hint::black_box(hash(memory, params, &password, &[0; 16]));
                false
            }
        };
        self.run(verify).await
    }

    /// Runs `work` when it is its turn, with memory that the one before it may have used: to clear as much for each takes a
    /// tenth of the time of the hash. While nobody waits none is kept.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let turn = self.waiting.try_acquire().map_err(|_| Busy)?;
        let place = self.places.clone().acquire_owned();
        let place = place.await.map_err(|_| Busy)?;
        drop(turn);
        let (places, kept) = (Arc::clone(&self.places), Arc::clone(&self.memory));
        let done = tokio::task::spawn_blocking(move || {
            let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
            let mut memory = lock().pop().unwrap_or_default();
            let done = work(&mut memory);
            lock().push(memory);
            // Given back by the work itself: a request that is given up does not make room too early.
            drop(place);
            if places.available_permits() > 0 {
                lock().clear();
            }
            done
        });
        done.await.map_err(|_| Busy)
    }
}

/// What argon2 makes of a password, as text (the PHC string format).
fn hash(memory: &mut Vec<Block>, params: Params, password: &str, salt: &[u8; 16]) -> PasswordHash {
    let text = ParamsString::try_from(&params);
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let done = fill(memory, &hasher, password, salt, &mut output);
    // The cost was checked when the pool was made, the salt has a length that argon2 takes, and a
    // password is far shorter than 4 GiB.
    let (Ok(()), Ok(params), Ok(salt), Ok(hash)) =
        (done, text, Salt::new(salt), Output::new(&output))
    else {
        unreachable!("cost, salt and length are valid");
    };
    let hash = Phc {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params,
        salt: Some(salt),
        hash: Some(hash),
    };
    PasswordHash::from_phc(hash.to_string())
}

/// Whether the password is the one that was hashed, at the cost that it was hashed at; nothing where the text is no hash.
fn verify(memory: &mut Vec<Block>, password: &str, against: &str) -> Option<bool> {
    let against = Phc::new(against).ok()?;
    let algorithm = Algorithm::try_from(against.algorithm.as_str()).ok()?;
    let version = Version::try_from(against.version?).ok()?;
    let hasher = Argon2::new(algorithm, version, Params::try_from(&against).ok()?);
    let (salt, hash) = (against.salt?, against.hash?);
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..hash.len())?;
    fill(memory, &hasher, password, &salt, output).ok()?;
    // Compared in a time that does not depend on what is the same.
    Some(Output::new(output).ok()? == hash)
}

fn fill(
    memory: &mut Vec<Block>,
    hasher: &Argon2<'_>,
    password: &str,
    salt: &[u8],
    output: &mut [u8],
) -> argon2::Result<()> {
    memory.resize(hasher.params().block_count(), Block::default());
    hasher.hash_password_into_with_memory(password.as_bytes(), salt, output, memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_opens_its_own_hash_alone() {
        let pool = Pool::new(HashingCost::LEAST, 1, 8).expect("a valid cost");
        let hash = pool.hash("dog".into(), [1; 16]).await.expect("idle");
        assert!(
            hash.as_phc().starts_with("$argon2id$v=19$m=8,t=1,p=1$"),
            "{}",
            hash.as_phc()
        );
        for (password, against, expect) in [
            ("dog", Some(hash.clone()), true),
            ("cat", Some(hash), false),
            ("dog", None, false),
        ] {
            assert_eq!(pool.verify(password.into(), against).await, Ok(expect));
        }
    }

    #[tokio::test]
    async fn more_than_may_wait_are_refused() {
        let pool = Pool::new(HashingCost::LEAST, 1, 1).expect("a valid cost");
        let busy = pool.places.clone().acquire_owned().await.expect("is open");
        let first = pool.hash("dog".into(), [1; 16]);
        let second = async {
            let refused = pool.hash("cat".into(), [1; 16]).await;
            drop(busy);
            refused
        };
        let (first, second) = tokio::join!(first, second);
        assert!(first.is_ok());
        assert_eq!(second, Err(Busy));
    }

    #[test]
    fn what_passwords_left_behind_is_not_shown() {
        let pool = Pool::new(HashingCost::LEAST, 1, 1).expect("a valid cost");
        let mut memory = Vec::new();
        hash(&mut memory, pool.params.clone(), "dog", &[1; 16]);
        assert!(!memory.is_empty());
        let before = format!("{pool:?}");
        pool.memory.lock().expect("nobody panicked").push(memory);
        assert_eq!(format!("{pool:?}"), before);
    }

    #[test]
    fn an_impossible_cost_is_refused() {
        let cost = HashingCost {
            memory_kib: 1,
            passes: 0,
        };
        assert!(Pool::new(cost, 1, 1).is_err());
    }
}
