//! Proofs that a client has the key to which its tokens are bound (RFC 9449).

use super::numeric_date::NumericDate;
use super::tokens::seconds;
use super::{Keys, Provider};
use bongsu_base::{LogTime, Millis};
use bongsu_jose::{Signed, VerifyingKey};
use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// How far a proof's time may be from ours, in seconds.
const WINDOW: i64 = 60;
/// What the words are sealed for that proofs repeat.
const NONCE: &str = "DPoP nonce";
/// How long such a word is good.
const NONCE_LASTS: Millis = Millis::minutes(5);
/// The longest name of a proof, in bytes.
const MAX_JTI: usize = 256;

/// What a proof says (section 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofClaims {
    /// Its name.
    pub jti: String,
    /// The method of the request.
    pub htm: String,
    /// Where the request goes, without query and fragment.
    pub htu: String,
    /// When it was made.
    pub iat: NumericDate,
    /// The hash of the access token that comes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ath: Option<String>,
    /// The word of ours that it repeats (section 8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

/// A proof is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// For this reason.
    #[error("the DPoP proof {0}")]
    Wrong(&'static str),
    /// It does not repeat the word that it was given, or that word is old.
    #[error("the DPoP proof has to repeat the nonce of this answer")]
    Nonce,
}

/// The request that a proof has to be for.
#[derive(Debug, Clone, Copy)]
pub struct Proven<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path.
    pub path: &'a str,
    /// The access token that comes with it.
    pub token: Option<&'a str>,
}

impl Provider {
    /// The thumbprint of the key that signed `proof`, which is for this request and was not seen before.
    ///
    /// # Errors
    /// Which of this is not so.
    pub(crate) fn prove_key(
        &self,
        keys: &Keys,
        proof: &str,
        request: Proven<'_>,
    ) -> Result<[u8; 32], ProofError> {
        let signed = Signed::parse(proof).map_err(|_| ProofError::Wrong("is no signed token"))?;
        if signed.header().typ.as_deref() != Some("dpop+jwt") {
            return Err(ProofError::Wrong("is no dpop+jwt"));
        }
        let jwk = signed.header().jwk.clone();
        let jwk = jwk.ok_or(ProofError::Wrong("does not bring its key"))?;
        let jkt = jwk.thumbprint();
        let key = VerifyingKey::new(&jwk)
            .map_err(|_| ProofError::Wrong("has a key that is not taken"))?;
        let trusted = signed
            .verify(&key)
            .map_err(|_| ProofError::Wrong("is not signed with its key"))?;
        let claims: ProofClaims = trusted
            .claims()
            .map_err(|_| ProofError::Wrong("lacks jti, htm, htu or iat"))?;
        self.judge(&claims, request)?;
        self.judge_nonce(keys, claims.nonce.as_deref())?;
        let until = LogTime((claims.iat.0 + WINDOW) * 1000) + Millis::seconds(1);
        let whose = BASE64URL_NOPAD.encode(&jkt);
        if !self.is_first(&whose, &claims.jti, until) {
            return Err(ProofError::Wrong("was presented before"));
        }
        Ok(jkt)
    }

    /// A word that proofs have to repeat for a while: then none was made long before it is used.
    pub(crate) fn dpop_nonce(&self, keys: &Keys) -> Option<String> {
        self.enclose(keys, (NONCE, NONCE_LASTS), &())
    }

    fn judge_nonce(&self, keys: &Keys, nonce: Option<&str>) -> Result<(), ProofError> {
        let good = match nonce {
            None => !self.config().dpop_nonce,
            Some(nonce) => self.disclose::<()>(keys, NONCE, nonce).is_some(),
        };
        good.then_some(()).ok_or(ProofError::Nonce)
    }

    fn judge(&self, claims: &ProofClaims, request: Proven<'_>) -> Result<(), ProofError> {
        if claims.jti.is_empty() || claims.jti.len() > MAX_JTI {
            return Err(ProofError::Wrong("has a jti that is empty or too long"));
        }
        if claims.htm != request.method {
            return Err(ProofError::Wrong("is for another method"));
        }
        let config = self.config();
        let mut bases = std::iter::once(&config.issuer).chain(&config.also_at);
        let wanted = |base: &String| is_same_place(&claims.htu, &format!("{base}{}", request.path));
        if !bases.any(wanted) {
            return Err(ProofError::Wrong("is for another address"));
        }
        // A time out of all proportion overflows nothing.
        let away = seconds(self.now())
            .saturating_sub(claims.iat.0)
            .saturating_abs();
        if away > WINDOW {
            return Err(ProofError::Wrong("is not of this minute"));
        }
        let expected = request
            .token
            .map(|token| BASE64URL_NOPAD.encode(digest(&SHA256, token.as_bytes()).as_ref()));
        if request.token.is_some() && claims.ath != expected {
            return Err(ProofError::Wrong("is for another access token"));
        }
        Ok(())
    }
}

/// Whether two URLs are the same place, whatever their query (section 4.3, number 9).
fn is_same_place(one: &str, other: &str) -> bool {
    let bare = |text: &str| {
        let mut url = url::Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    let one = bare(one);
    one.is_some() && one == bare(other)
}
