//! Hashing and verifying passwords with argon2id, off the runtime's threads and never too many at once.

use crate::config::HashingCost;
use crate::secret::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
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
#[derive(Debug)]
pub struct Pool {
    hasher: Argon2<'static>,
    places: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Pool {
    /// A pool that computes `at_once` hashes while `waiting` requests wait.
    pub fn new(cost: HashingCost, at_once: usize, waiting: usize) -> Result<Self, CostError> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None)
            .map_err(|why| CostError { cost, why })?;
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let places = Arc::new(Semaphore::new(at_once.max(1)));
        Ok(Self {
            hasher,
            places,
            waiting: Semaphore::new(waiting),
        })
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: String, salt: [u8; 16]) -> Result<PasswordHash, Busy> {
        self.run(move |hasher| hash(hasher, &password, &salt)).await
    }

    /// Verifies a password. Where there is none to verify against it takes as long and says no, so that
    /// the time does not tell whether an account exists.
    pub async fn verify(
        &self,
        password: String,
        against: Option<PasswordHash>,
    ) -> Result<bool, Busy> {
        let verify = move |hasher: &Argon2<'_>| match against {
            Some(against) => hasher
                .verify_password(password.as_bytes(), against.as_phc())
                .is_ok(),
            None => {
                std::hint::black_box(hash(hasher, &password, &[0; 16]));
                false
            }
        };
        self.run(verify).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'_>) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let turn = self.waiting.try_acquire().map_err(|_| Busy)?;
        let place = self
            .places
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Busy)?;
        drop(turn);
        let hasher = self.hasher.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&hasher);
            // Given back by the work itself: a request that is given up does not make room too early.
            drop(place);
            done
        });
        done.await.map_err(|_| Busy)
    }
}

fn hash(hasher: &Argon2<'_>, password: &str, salt: &[u8; 16]) -> PasswordHash {
    let hash = hasher.hash_password_with_salt(password.as_bytes(), salt);
    // The cost was checked when the pool was made, the salt has a length that argon2 takes, and a
    // password is far shorter than 4 GiB.
    PasswordHash::from_phc(hash.expect("cost, salt and length are valid").to_string())
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
    fn an_impossible_cost_is_refused() {
        let cost = HashingCost {
            memory_kib: 1,
            passes: 0,
        };
        assert!(Pool::new(cost, 1, 1).is_err());
    }
}
