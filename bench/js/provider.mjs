// The peer of `bench-identity`: `oidc-provider` with its in-memory adapter. Run as `provider.mjs PORT`.
//
// Whoever comes is signed in at once and has agreed to everything: what is measured is the provider, and not pages that each
// installation makes for itself.

import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const port = Number(process.argv[2]);
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const redirect_uris = ["https://shop.example/in"];
const grant_types = ["authorization_code", "refresh_token"];
const response_types = ["code"];
const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [
        { client_id: "shop", token_endpoint_auth_method: "none", redirect_uris, grant_types, response_types },
        { client_id: "web", client_secret: "a-secret-of-the-benchmark", redirect_uris, grant_types, response_types },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "a" }] },
    cookies: { keys: ["a-key-of-the-benchmark"] },
    claims: { openid: ["sub"], profile: ["preferred_username"] },
    features: {
        devInteractions: { enabled: false },
        introspection: { enabled: true },
        revocation: { enabled: true },
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    findAccount: async (_, id) => ({
        accountId: id,
        claims: async () => ({ sub: id, preferred_username: id }),
    }),
    loadExistingGrant: async (ctx) => {
        const known = ctx.oidc.session.grantIdFor(ctx.oidc.client.clientId);
        const found = known && (await ctx.oidc.provider.Grant.find(known));
        if (found) return found;
        const grant = new ctx.oidc.provider.Grant({
            clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
        });
        grant.addOIDCScope("openid profile offline_access");
        await grant.save();
        return grant;
    },
});
provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith("/interaction/")) return next();
    const result = { login: { accountId: "mina" } };
    await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
    ctx.respond = false;
});
const { createServer } = await import("node:http");
createServer(provider.callback()).listen(port, "127.0.0.1");
