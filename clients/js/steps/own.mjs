// What belongs to one person alone, and how they show themselves.

import assert from "node:assert/strict";
import { refused, together } from "../person.mjs";

export async function tags_and_data_follow_the_account(alice, bob) {
    const room = await together(alice, bob);
    await alice.client.setRoomTag(room, "m.favourite", { order: 0.25 });
    await alice.until("the tag", () => alice.room(room).tags["m.favourite"]?.order === 0.25);
    assert.deepEqual((await alice.client.getRoomTags(room)).tags, { "m.favourite": { order: 0.25 } });
    await alice.client.deleteRoomTag(room, "m.favourite");
    await alice.until("no tag", () => alice.room(room).tags["m.favourite"] === undefined);

    await alice.client.setAccountData("org.example.colour", { red: 0.5 });
    assert.deepEqual(alice.client.getAccountData("org.example.colour").getContent(), { red: 0.5 });
    assert.deepEqual(await alice.client.getAccountDataFromServer("org.example.colour"), { red: 0.5 });
    assert.equal(await alice.client.getAccountDataFromServer("org.example.none"), null);
    await alice.client.setRoomAccountData(room, "org.example.colour", { blue: 1 });
    await alice.until("the room's data", () => {
        return alice.room(room).getAccountData("org.example.colour")?.getContent().blue === 1;
    });
    await alice.client.setAccountData("m.direct", { [bob.id]: [room] });
}

export async function whoever_is_ignored_is_not_heard(alice, bob, carol) {
    const room = await together(alice, bob);
    await alice.client.invite(room, carol.id);
    await carol.client.joinRoom(room);
    await alice.client.setIgnoredUsers([carol.id]);
    assert.ok(alice.client.isUserIgnored(carol.id));
    const hidden = await carol.say(room, "listen to me");
    const heard = await bob.say(room, "good evening");
    await alice.sees(room, heard);
    assert.equal(alice.room(room).findEventById(hidden), undefined);
    await alice.client.setIgnoredUsers([]);
}

export async function profiles_are_shown(alice, bob) {
    const room = await together(alice, bob);
    await alice.client.setDisplayName("Alice of the southern hill");
    await alice.client.setAvatarUrl("mxc://localhost/alice");
    await bob.until("her name", () => bob.room(room).getMember(alice.id).name === "Alice of the southern hill");
    await bob.until("her picture", () => bob.room(room).getMember(alice.id).getMxcAvatarUrl() === "mxc://localhost/alice");
    const told = await bob.client.getProfileInfo(alice.id);
    assert.equal(told.displayname, "Alice of the southern hill");
    const field = "/_matrix/client/v3/profile";
    await alice.ask("PUT", `${field}/${alice.id}/m.tz`, { "m.tz": "Asia/Seoul" });
    assert.equal((await bob.client.getProfileInfo(alice.id))["m.tz"], "Asia/Seoul");
    await alice.ask("DELETE", `${field}/${alice.id}/m.tz`);
    await refused(bob.ask("GET", `${field}/${alice.id}/m.tz`), "M_NOT_FOUND", 404);
    await refused(bob.client.getProfileInfo("@nobody:localhost"), "M_NOT_FOUND", 404);
}

export async function people_are_found(alice, bob) {
    const room = await together(alice, bob);
    await bob.client.setDisplayName("Robert");
    await alice.until("his name", () => alice.room(room).getMember(bob.id).rawDisplayName === "Robert");
    const found = await alice.client.searchUserDirectory({ term: "robe", limit: 5 });
    assert.deepEqual(found.results.map((one) => one.user_id), [bob.id]);
    const { capabilities } = await alice.ask("GET", "/_matrix/client/v3/capabilities");
    assert.equal(capabilities["m.room_versions"].default, "11");
    assert.deepEqual(await alice.client.getThirdpartyProtocols(), {});
    const token = await alice.client.getOpenIdToken();
    assert.equal(token.matrix_server_name, "localhost");
    assert.equal((await alice.client.whoami()).device_id, alice.device);
}
