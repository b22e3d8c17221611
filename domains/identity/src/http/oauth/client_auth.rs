//! How a client shows that it is the one (RFC 6749, section 2.3).

use super::error::OauthError;
use super::form::decoded;
use crate::command::oauth::{ClientId, Spend};
use crate::provider::Provider;
use crate::provider::assertion::said_client;
use crate::provider::client::{Authentication, Client};
use data_encoding::BASE64;
use http::{HeaderMap, header};
use serde::Deserialize;

/// The kind of assertion that is taken (RFC 7523, section 2.2).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a form says of its client.
#[derive(Debug, Default, Deserialize)]
pub struct Credentials {
    /// The client.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<String>,
    /// Its assertion.
    pub client_assertion: Option<String>,
    /// The kind of that.
    pub client_assertion_type: Option<String>,
}

/// What was presented.
enum Shown {
    Nothing,
    Basic(String),
    Post(String),
    Assertion(String),
}

/// Who asks at `path`; a client that can keep no secret only says so.
pub async fn authenticate(
    provider: &Provider,
    headers: &HeaderMap,
    credentials: Credentials,
    path: &str,
) -> Result<Client, OauthError> {
    let (client, _) = recognise(provider, headers, credentials, path).await?;
    Ok(client)
}

/// The same, with the assertion that was presented, if one was.
pub async fn recognise(
    provider: &Provider,
    headers: &HeaderMap,
    credentials: Credentials,
    path: &str,
) -> Result<(Client, Option<Spend>), OauthError> {
    let refused = |why: &str| OauthError::client(why);
    let (id, shown) = presented(basic(headers)?, credentials)?;
    let id: ClientId = id.parse().map_err(|_| refused("there is no such client"))?;
    let client = provider.client(&id).await?;
    let client = client.ok_or_else(|| refused("there is no such client"))?;
    let method = client.metadata.token_endpoint_auth_method;
    let is_secret = |secret: &str| client.is_secret(secret, provider.now());
    let good = match (&shown, method) {
        (Shown::Nothing, Authentication::None) => true,
        // Which of the two a client registered is a matter of taste, and libraries differ in which they take when nobody
        // says; that it has to show its secret is not.
        (
            Shown::Basic(secret) | Shown::Post(secret),
            Authentication::ClientSecretBasic | Authentication::ClientSecretPost,
        ) => is_secret(secret),
        (Shown::Assertion(assertion), Authentication::PrivateKeyJwt) => {
            let spend = provider
                .check_assertion(&client, assertion, path)
                .map_err(|error| refused(&error.to_string()))?;
            return Ok((client, Some(spend)));
        }
        _ => {
            return Err(refused(
                "the client registered another way to show that it is the one",
            ));
        }
    };
    if good {
        Ok((client, None))
    } else {
        Err(refused("the client's secret is wrong"))
    }
}

/// Which client it says it is, and what it presents: in one way alone.
fn presented(
    basic: Option<(String, String)>,
    credentials: Credentials,
) -> Result<(String, Shown), OauthError> {
    let Credentials {
        client_id,
        client_secret,
        client_assertion,
        client_assertion_type,
    } = credentials;
    let ways = [
        basic.is_some(),
        client_secret.is_some(),
        client_assertion.is_some(),
    ];
    if ways.into_iter().filter(|way| *way).count() > 1 {
        let why = "a client shows that it is the one in one way alone";
        return Err(OauthError::invalid(why));
    }
    let (said, shown) = match (basic, client_secret, client_assertion) {
        (Some((id, secret)), ..) => (Some(id), Shown::Basic(secret)),
        (_, Some(secret), _) => (None, Shown::Post(secret)),
        (_, _, Some(assertion)) => {
            if client_assertion_type.as_deref() != Some(ASSERTION) {
                let why = "client_assertion_type has to be that of a JWT";
                return Err(OauthError::invalid(why));
            }
            let said = said_client(&assertion);
            let said = said.map_err(|error| OauthError::client(error.to_string()))?;
            (Some(said.to_string()), Shown::Assertion(assertion))
        }
        (None, None, None) => (None, Shown::Nothing),
    };
    match (said, client_id) {
        (Some(one), Some(other)) if one != other => Err(OauthError::invalid(
            "client_id is not the client that shows itself",
        )),
        (Some(id), _) | (None, Some(id)) => Ok((id, shown)),
        (None, None) => Err(OauthError::client("client_id is missing")),
    }
}

/// The client and its secret in the header. Both are coded as in a form (RFC 6749, section 2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OauthError> {
    let malformed = || OauthError::client("the Authorization header is not of its form");
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(malformed());
    }
    let text = value.to_str().map_err(|_| malformed())?;
    let Some((scheme, coded)) = text.split_once(' ') else {
        return Err(malformed());
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(malformed());
    }
    let bytes = BASE64.decode(coded.trim().as_bytes());
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.ok_or_else(malformed)?;
    let (id, secret) = text.split_once(':').ok_or_else(malformed)?;
    // What would divide a form is taken as it stands, as from those who do not code it.
    let id = decoded(id).ok_or_else(malformed)?;
    let secret = decoded(secret).ok_or_else(malformed)?;
    Ok(Some((id, secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_is_coded() {
        for (value, expect) in [
            ("Basic c2hvcDpkb2c=", Some(("shop", "dog"))),
            ("basic c2hvcDpkb2c=", Some(("shop", "dog"))),
            // "shop:a%3Ab%2Bc+d", and "shop:a:b".
            ("Basic c2hvcDphJTNBYiUyQmMrZA==", Some(("shop", "a:b+c d"))),
            ("Basic c2hvcDphOmI=", Some(("shop", "a:b"))),
            ("Basic c2hvcA==", None),
            // "shop:%ff", which is no text.
            ("Basic c2hvcDolZmY=", None),
            ("Basic %", None),
            ("Bearer abc", None),
            ("Basic", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
            let found = basic(&headers).ok().flatten();
            let expect = expect.map(|(id, secret)| (id.to_owned(), secret.to_owned()));
            assert_eq!(found, expect, "{value}");
        }
        assert!(matches!(basic(&HeaderMap::new()), Ok(None)));
    }
}
