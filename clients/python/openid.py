"""A service that people sign in to, with Authlib.

Run as `openid.py ISSUER PASSWORD CLIENTS`, where CLIENTS is JSON with the ids and secrets of `web` and `orders`, and the id of
`signer` with the private key that it signs with; exit code 0 means that everything was as it should be.
"""

import html
import json
import re
import sys
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

issuer, password, given = sys.argv[1:]
clients = json.loads(given)
redirect_uri = "https://shop.example/in"
metadata = requests.get(f"{issuer}/.well-known/openid-configuration").json()
keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"]).json())


def hidden(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that goes to `action`."""
    form = next(part for part in page.split("<form") if f'action="{action}"' in part)
    found = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form.split("</form>")[0])
    return {name: html.unescape(value) for name, value in found}


def send(browser: requests.Session, page: requests.Response, action: str, fields: dict[str, str]) -> requests.Response:
    """Sends a form, and goes on while that leads to the provider itself."""
    answer = browser.post(
        urljoin(issuer, action), data=hidden(page.text, action) | fields, allow_redirects=False
    )
    while answer.is_redirect and answer.headers["location"].startswith("/"):
        answer = browser.get(urljoin(issuer, answer.headers["location"]), allow_redirects=False)
    return answer


def grant(url: str) -> str:
    """Signs mina in and agrees, in a browser of its own; gives where the client is led."""
    with requests.Session() as browser:
        page = browser.get(url, allow_redirects=False)
        page = send(browser, page, "/account/sign-in", {"name": "mina", "password": password})
        if not page.is_redirect:
            page = send(browser, page, "/account/consent", {"answer": "allow"})
        assert page.is_redirect, page.text
        return page.headers["location"]


def claims_of(token: str, algorithm: str) -> dict[str, object]:
    """What a token says, verified with the published keys."""
    decoded = jwt.decode(token, keys, algorithms=[algorithm])
    registry = jwt.JWTClaimsRegistry(iss={"essential": True, "value": issuer}, exp={"essential": True})
    registry.validate(decoded.claims)
    return decoded.claims


def refused(error: str, call) -> None:
    """Expects the call to be refused."""
    try:
        call()
    except OAuthError as found:
        assert found.error == error, found
    else:
        raise AssertionError(f"expected {error}")


def code() -> None:
    """A code, its tokens, and what can be done with them."""
    for name, method in (("web", "client_secret_basic"), ("posts", "client_secret_post")):
        web = OAuth2Session(
            clients[name]["client_id"],
            clients[name]["client_secret"],
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            scope="openid profile",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )
        verifier, nonce = generate_token(48), generate_token()
        url, state = web.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
        back = grant(url)
        answer = parse_qs(urlsplit(back).query)
        assert answer["state"] == [state] and answer["iss"] == [issuer]
        token = web.fetch_token(
            metadata["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state
        )
        claims = claims_of(token["id_token"], "RS256")
        assert claims["sub"] == "@mina:localhost" and claims["nonce"] == nonce
        assert claims["aud"] == clients[name]["client_id"]
        assert claims_of(token["access_token"], "EdDSA")["sub"] == claims["sub"]
        info = web.get(metadata["userinfo_endpoint"]).json()
        assert info["sub"] == claims["sub"] and info["preferred_username"] == "mina"
        told = web.introspect_token(metadata["introspection_endpoint"], token=token["access_token"]).json()
        assert told["active"] is True, told
        refused(
            "invalid_grant",
            lambda: web.fetch_token(
                metadata["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state
            ),
        )
        refused(
            "invalid_grant",
            lambda: web.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"]),
        )


def refresh() -> None:
    """Tokens are replaced, and ended."""
    web = OAuth2Session(
        clients["web"]["client_id"],
        clients["web"]["client_secret"],
        scope="openid",
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
    )
    verifier = generate_token(48)
    url, state = web.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    token = web.fetch_token(
        metadata["token_endpoint"], authorization_response=grant(url), code_verifier=verifier, state=state
    )
    first = token["refresh_token"]
    token = web.refresh_token(metadata["token_endpoint"], refresh_token=first)
    assert token["refresh_token"] != first
    ended = web.revoke_token(metadata["revocation_endpoint"], token=token["refresh_token"])
    assert ended.status_code == 200, ended.text
    refused(
        "invalid_grant",
        lambda: web.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"]),
    )


def credentials() -> None:
    """Tokens for a client itself, with a secret and with an assertion."""
    orders = OAuth2Session(clients["orders"]["client_id"], clients["orders"]["client_secret"])
    token = orders.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", scope="orders:read")
    assert token["scope"] == "orders:read"
    signer = OAuth2Session(
        clients["signer"]["client_id"],
        ECKey.import_key(clients["signer"]["key"]),
        token_endpoint_auth_method="private_key_jwt",
    )
    signer.register_client_auth_method(PrivateKeyJWT(metadata["token_endpoint"], alg="ES256"))
    token = signer.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    assert claims_of(token["access_token"], "EdDSA")["sub"] == clients["signer"]["client_id"]


for step in (code, refresh, credentials):
    step()
