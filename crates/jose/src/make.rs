//! Making keys.

use crate::{Algorithm, JoseError};
use rand_core::{TryCryptoRng, TryRng};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use rsa::PrivateKey;
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// How long the keys of RSA are, in bits.
const RSA_BITS: usize = 2048;

/// An RSA key's parts, big-endian.
#[derive(Serialize, Deserialize)]
pub(crate) struct RsaParts {
    pub n: Vec<u8>,
    pub e: Vec<u8>,
    pub d: Vec<u8>,
    pub p: Vec<u8>,
    pub q: Vec<u8>,
    pub dp: Vec<u8>,
    pub dq: Vec<u8>,
    pub qinv: Vec<u8>,
}

/// Makes a key with bytes from `random`; P-256 takes the operating system's. What comes back is secret: it is kept
/// sealed, and given to [`crate::SigningKey::open`]. An RSA key takes a good part of a second.
///
/// # Errors
/// When there is no chance to be had.
pub fn make(algorithm: Algorithm, random: impl Fn(&mut [u8])) -> Result<Vec<u8>, JoseError> {
    match algorithm {
        Algorithm::EdDsa => {
            let mut seed = vec![0; 32];
            random(&mut seed);
            Ok(seed)
        }
        Algorithm::Es256 => {
            let made = EcdsaKeyPair::generate_pkcs8(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                &SystemRandom::new(),
            );
            made.map(|pkcs8| pkcs8.as_ref().to_vec())
                .map_err(|_| JoseError::Key)
        }
        Algorithm::Rs256 => rsa(&mut Source(random)),
    }
}

fn rsa(random: &mut Source<impl Fn(&mut [u8])>) -> Result<Vec<u8>, JoseError> {
    let key = PrivateKey::new(random, RSA_BITS).map_err(|_| JoseError::Key)?;
    let bytes = |number: &rsa::BoxedUint| number.to_be_bytes_trimmed_vartime().to_vec();
    let (dp, dq) = (key.dp(), key.dq());
    let (Some(dp), Some(dq), Some(qinv), [p, q]) = (dp, dq, key.qinv(), key.primes()) else {
        return Err(JoseError::Key);
    };
    let parts = RsaParts {
        n: key.n_bytes().to_vec(),
        e: key.e_bytes().to_vec(),
        d: bytes(key.d()),
        p: bytes(p),
        q: bytes(q),
        dp: bytes(dp),
        dq: bytes(dq),
        qinv: bytes(&qinv.retrieve()),
    };
    serde_json::to_vec(&parts).map_err(|_| JoseError::Key)
}

/// The caller's random bytes, as the library wants them.
struct Source<F>(F);

impl<F: Fn(&mut [u8])> TryRng for Source<F> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        (self.0)(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        (self.0)(bytes);
        Ok(())
    }
}

impl<F: Fn(&mut [u8])> TryCryptoRng for Source<F> {}
