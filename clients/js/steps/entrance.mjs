// How rooms are found and entered from outside.

import assert from "node:assert/strict";
import { refused, together } from "../person.mjs";

export async function a_room_has_addresses_and_is_listed(alice, bob) {
    const made = await alice.client.createRoom({
        preset: "public_chat",
        name: "The southern hill",
        room_alias_name: "south",
        visibility: "public",
    });
    const room = made.room_id;
    assert.equal((await bob.client.getRoomIdForAlias("#south:localhost")).room_id, room);
    await alice.client.createAlias("#hill:localhost", room);
    await refused(bob.client.createAlias("#hill:localhost", room), "M_FORBIDDEN", 403);
    const local = (await alice.client.getLocalAliases(room)).aliases;
    assert.deepEqual(local.sort(), ["#hill:localhost", "#south:localhost"]);
    await alice.client.deleteAlias("#hill:localhost");
    await refused(bob.client.getRoomIdForAlias("#hill:localhost"), "M_NOT_FOUND", 404);
    const listed = await bob.client.publicRooms({ filter: { generic_search_term: "southern" }, limit: 5 });
    assert.deepEqual(listed.chunk.map((one) => one.room_id), [room]);
    const summary = await bob.client.getRoomSummary("#south:localhost");
    assert.equal(summary.name, "The southern hill");
    await alice.client.setRoomDirectoryVisibility(room, "private");
    assert.equal((await alice.client.getRoomDirectoryVisibility(room)).visibility, "private");
    assert.equal((await bob.client.publicRooms({ limit: 50 })).chunk.filter((one) => one.room_id === room).length, 0);
    await bob.client.joinRoom("#south:localhost");
    await bob.until("the room", () => bob.room(room)?.getMyMembership() === "join");
    assert.equal(bob.room(room).getCanonicalAlias(), "#south:localhost");
}

export async function whoever_knocks_is_let_in(alice, bob) {
    const { room_id: room } = await alice.client.createRoom({
        initial_state: [{ type: "m.room.join_rules", state_key: "", content: { join_rule: "knock" } }],
    });
    await refused(bob.client.joinRoom(room), "M_FORBIDDEN", 403);
    await bob.client.knockRoom(room, { reason: "may I?" });
    await alice.until("the knock", () => alice.room(room).getMember(bob.id)?.membership === "knock");
    await bob.until("his knock", () => bob.room(room)?.getMyMembership() === "knock");
    await alice.client.invite(room, bob.id);
    await bob.until("the invitation", () => bob.room(room).getMyMembership() === "invite");
    await bob.client.joinRoom(room);
    await bob.until("the room", () => bob.room(room).getMyMembership() === "join");
}

export async function a_space_opens_its_rooms(alice, bob) {
    const space = await together(alice, bob, { name: "Hills", creation_content: { type: "m.space" } });
    const { room_id: room } = await alice.client.createRoom({
        name: "North",
        initial_state: [
            {
                type: "m.room.join_rules",
                state_key: "",
                content: { join_rule: "restricted", allow: [{ type: "m.room_membership", room_id: space }] },
            },
        ],
    });
    const { room_id: other } = await alice.client.createRoom({ name: "Closed", preset: "private_chat" });
    for (const child of [room, other]) {
        await alice.client.sendStateEvent(space, "m.space.child", { via: ["localhost"], suggested: child === room }, child);
    }
    assert.ok(alice.room(space).isSpaceRoom());
    const tree = await bob.client.getRoomHierarchy(space, 10, 2, false);
    assert.deepEqual(tree.rooms.map((one) => one.name), ["Hills", "North"]);
    assert.equal(tree.rooms[0].children_state.length, 2);
    await refused(bob.client.joinRoom(other), "M_FORBIDDEN", 403);
    await bob.client.joinRoom(room);
    await bob.until("the room", () => bob.room(room)?.getMyMembership() === "join");
}
