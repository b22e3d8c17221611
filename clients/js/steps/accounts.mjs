// Sessions, devices, passwords; at the end an account is closed.

import assert from "node:assert/strict";
import { createClient } from "matrix-js-sdk";
import { here, Person, refused } from "../person.mjs";

/** The user-interactive stage in which a person shows that they know their password. */
async function shown(asked, person, password = here.password) {
    const challenge = await refused(asked(), undefined, 401);
    assert.deepEqual(challenge.data.flows, [{ stages: ["m.login.password"] }]);
    return {
        type: "m.login.password",
        identifier: { type: "m.id.user", user: person.name },
        password,
        session: challenge.data.session,
    };
}

export async function a_stranger_learns_what_there_is(alice) {
    const nobody = createClient({ baseUrl: here.base });
    assert.ok((await nobody.getVersions()).versions.includes("v1.13"));
    const { flows } = await nobody.loginFlows();
    assert.ok(flows.some((flow) => flow.type === "m.login.password"));
    assert.equal(await nobody.isUsernameAvailable(alice.name), false);
    assert.equal(await nobody.isUsernameAvailable("dave"), true);
    await refused(nobody.loginRequest({ ...alice.passwordOf(), password: "wrong" }), "M_FORBIDDEN", 403);
    await refused(nobody.whoami(), "M_MISSING_TOKEN", 401);
}

export async function a_session_is_refreshed(alice) {
    const nobody = createClient({ baseUrl: here.base });
    const session = await nobody.loginRequest({ ...alice.passwordOf(), refresh_token: true });
    assert.ok(session.expires_in_ms > 0);
    let refreshed = 0;
    const client = createClient({
        baseUrl: here.base,
        userId: session.user_id,
        deviceId: session.device_id,
        accessToken: "long gone",
        refreshToken: session.refresh_token,
        tokenRefreshFunction: async (token) => {
            refreshed += 1;
            const next = await nobody.refreshToken(token);
            return {
                accessToken: next.access_token,
                refreshToken: next.refresh_token,
                expiry: new Date(Date.now() + next.expires_in_ms),
            };
        },
    });
    assert.equal((await client.whoami()).device_id, session.device_id);
    assert.equal(refreshed, 1);
    await client.logout();
    await refused(nobody.refreshToken(session.refresh_token), "M_UNKNOWN_TOKEN", 401);
}

export async function devices_are_named_and_ended(alice) {
    const [second, third] = [await alice.again(), await alice.again({ device_id: "CHOSEN" })];
    assert.equal(third.device, "CHOSEN");
    await alice.client.setDeviceDetails(second.device, { display_name: "lost" });
    assert.equal((await alice.client.getDevice(second.device)).display_name, "lost");
    const ids = async () => (await alice.client.getDevices()).devices.map((one) => one.device_id).sort();
    assert.deepEqual(await ids(), [alice.device, second.device, third.device].sort());
    const wrong = await shown(() => alice.client.deleteDevice(second.device), alice, "wrong");
    const again = await refused(alice.client.deleteDevice(second.device, wrong), "M_FORBIDDEN", 401);
    assert.ok(again.data.flows);
    const auth = await shown(() => alice.client.deleteMultipleDevices([second.device, third.device]), alice);
    await alice.client.deleteMultipleDevices([second.device, third.device], auth);
    assert.deepEqual(await ids(), [alice.device]);
    await refused(second.client.whoami(), "M_UNKNOWN_TOKEN", 401);
}

export async function an_account_is_closed_for_good() {
    const dave = await Person.register("dave");
    dave.stop();
    const other = await dave.again();
    const auth = await shown(() => dave.client.setPassword(undefined, "another beacon", true), dave);
    await dave.client.setPassword(auth, "another beacon", true);
    await refused(other.client.whoami(), "M_UNKNOWN_TOKEN", 401);
    await refused(dave.again(), "M_FORBIDDEN", 403);
    const last = await shown(() => dave.client.deactivateAccount(undefined), dave, "another beacon");
    await dave.client.deactivateAccount(last, true);
    await refused(dave.client.whoami(), "M_UNKNOWN_TOKEN", 401);
    assert.equal(await createClient({ baseUrl: here.base }).isUsernameAvailable("dave"), false);
}
