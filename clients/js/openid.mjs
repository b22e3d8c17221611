// A service that people sign in to, with a certified client library.
//
// Run as `openid.mjs ISSUER PASSWORD CLIENTS [STEP]`, where CLIENTS is JSON with the ids and secrets of `web`, `posts`, `orders` and `tv`, and
// the private key of `signer`; exit code 0 means that everything was as it should be.

import assert from "node:assert/strict";
import * as client from "openid-client";
import { Browser } from "./browser.mjs";

const [issuer, password, json, only] = process.argv.slice(2);
const clients = JSON.parse(json);
const redirect_uri = "https://shop.example/in";
const options = { execute: [client.allowInsecureRequests] };
const discover = (who, auth) =>
    client.discovery(new URL(issuer), who.client_id, who.client_secret, auth, options);

// Signs mina in to `config`; gives the tokens.
async function signIn(config, browser, { par = false, DPoP = undefined, scope = "openid profile" } = {}) {
    const verifier = client.randomPKCECodeVerifier();
    const [state, nonce] = [client.randomState(), client.randomNonce()];
    const parameters = {
        redirect_uri, scope, state, nonce,
        code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
    };
    const url = par
        ? await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
        : client.buildAuthorizationUrl(config, parameters);
    const back = await browser.grant(url, "mina", password);
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce };
    return client.authorizationCodeGrant(config, back, checks, undefined, { DPoP });
}

async function code() {
    const config = await discover(clients.web, client.ClientSecretBasic(clients.web.client_secret));
    const browser = new Browser(issuer);
    for (const par of [false, true]) {
        const tokens = await signIn(config, browser, { par });
        const claims = tokens.claims();
        assert.equal(claims.sub, "@mina:localhost");
        const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
        assert.equal(info.preferred_username, "mina");
        const next = await client.refreshTokenGrant(config, tokens.refresh_token);
        assert.notEqual(next.refresh_token, tokens.refresh_token);
        const again = await client.refreshTokenGrant(config, tokens.refresh_token);
        assert.deepEqual([again.access_token, again.refresh_token], [next.access_token, next.refresh_token]);
        const told = await client.tokenIntrospection(config, next.access_token);
        assert.equal(told.active, true);
        assert.equal(told.client_id, clients.web.client_id);
        await client.tokenRevocation(config, next.refresh_token);
        assert.equal((await client.tokenIntrospection(config, next.access_token)).active, false);
        await assert.rejects(client.refreshTokenGrant(config, next.refresh_token), { error: "invalid_grant" });
    }
}

async function dpop() {
    for (const algorithm of ["ES256", "Ed25519", "RS256"]) await dpopWith(algorithm);
}

async function dpopWith(algorithm) {
    const config = await discover(clients.posts, client.ClientSecretPost(clients.posts.client_secret));
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair(algorithm));
    const tokens = await signIn(config, new Browser(issuer), { par: true, DPoP });
    assert.equal(tokens.token_type, "dpop");
    const sub = tokens.claims().sub;
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP })).sub, sub);
    const next = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
    assert.equal(next.token_type, "dpop");
    await assert.rejects(client.fetchUserInfo(config, next.access_token, sub));
    // A service that was started again has another key.
    const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair(algorithm));
    const last = await client.refreshTokenGrant(config, next.refresh_token, undefined, { DPoP: other });
    assert.equal((await client.fetchUserInfo(config, last.access_token, sub, { DPoP: other })).sub, sub);
    await assert.rejects(client.fetchUserInfo(config, last.access_token, sub, { DPoP }));
}

async function device() {
    const config = await discover(clients.tv, client.None());
    const asked = await client.initiateDeviceAuthorization(config, { scope: "openid" });
    const browser = new Browser(issuer);
    let page = await browser.go(asked.verification_uri_complete);
    page = await browser.send(page, "/account/sign-in", { name: "mina", password });
    page = await browser.send(page, "/account/device", { answer: "allow" });
    assert.equal(page.status, 200);
    const tokens = await client.pollDeviceAuthorizationGrant(config, asked);
    assert.equal(tokens.claims().sub, "@mina:localhost");
}

async function credentials() {
    const config = await discover(clients.orders, client.ClientSecretBasic(clients.orders.client_secret));
    const tokens = await client.clientCredentialsGrant(config, { scope: "orders:read" });
    const told = await client.tokenIntrospection(config, tokens.access_token);
    assert.equal(told.active, true);
    assert.equal(told.scope, "orders:read");
}

// A client that shows no secret, but signs.
async function signer() {
    const { key, client_id } = clients.signer;
    const ES256 = { name: "ECDSA", namedCurve: "P-256" };
    const signing = await crypto.subtle.importKey("jwk", key, ES256, false, ["sign"]);
    const config = await discover({ client_id }, client.PrivateKeyJwt(signing));
    const tokens = await client.clientCredentialsGrant(config);
    const told = await client.tokenIntrospection(config, tokens.access_token);
    assert.equal(told.active, true);
    assert.equal(told.sub, client_id);
    await client.tokenRevocation(config, tokens.access_token);
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, false);
}

// Answers that come signed: who somebody is, what a token is, and the code itself.
async function signed() {
    const metadata = {
        redirect_uris: [redirect_uri], grant_types: ["authorization_code", "refresh_token"],
        token_endpoint_auth_method: "client_secret_basic", id_token_signed_response_alg: "ES256",
        userinfo_signed_response_alg: "ES256", introspection_signed_response_alg: "ES256",
        authorization_signed_response_alg: "ES256",
    };
    const server = new URL(issuer);
    const config = await client.dynamicClientRegistration(server, metadata, client.ClientSecretBasic(), options);
    client.useJwtResponseMode(config);
    const tokens = await signIn(config, new Browser(issuer), { par: true });
    const { sub } = tokens.claims();
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, sub)).sub, sub);
    const told = await client.tokenIntrospection(config, tokens.access_token);
    assert.equal(told.sub, sub);
}

async function logout() {
    const config = await discover(clients.web, client.ClientSecretBasic(clients.web.client_secret));
    const browser = new Browser(issuer);
    const tokens = await signIn(config, browser);
    const url = client.buildEndSessionUrl(config, {
        id_token_hint: tokens.id_token,
        post_logout_redirect_uri: "https://shop.example/out",
        state: "bye",
    });
    const { to } = await browser.go(url);
    assert.equal(to.href, "https://shop.example/out?state=bye");
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: "invalid_grant" });
}

async function registration() {
    const metadata = {
        client_name: "Self", redirect_uris: [redirect_uri], token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
    };
    const server = new URL(issuer);
    const config = await client.dynamicClientRegistration(server, metadata, client.None(), options);
    const tokens = await signIn(config, new Browser(issuer));
    assert.equal(tokens.claims().aud, config.clientMetadata().client_id);
}

let failed = 0;
const steps = [code, dpop, device, credentials, signer, signed, logout, registration];
for (const step of steps.filter((step) => only === undefined || step.name === only)) {
    try {
        await step();
    } catch (error) {
        failed += 1;
        process.stderr.write(`${step.name}: ${error.stack}\n${error.cause?.stack ?? JSON.stringify(error.cause ?? null)}\n`);
    }
}
process.exit(failed === 0 ? 0 : 1);
