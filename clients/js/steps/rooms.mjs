// Rooms and who is in them.

import assert from "node:assert/strict";
import { refused, together } from "../person.mjs";

export async function a_room_is_made_as_it_was_wished(alice, bob) {
    const room = await together(alice, bob, {
        name: "The watch",
        topic: "Fires",
        is_direct: true,
        initial_state: [{ type: "m.room.guest_access", state_key: "", content: { guest_access: "forbidden" } }],
        power_level_content_override: { events: { "m.room.topic": 0 } },
    });
    const seen = bob.room(room);
    assert.equal(seen.name, "The watch");
    assert.equal(seen.currentState.getStateEvents("m.room.topic", "").getContent().topic, "Fires");
    assert.equal(seen.getVersion(), "11");
    assert.ok(seen.getMember(bob.id).events.member.getPrevContent().is_direct);
    await bob.client.sendStateEvent(room, "m.room.topic", { topic: "Smoke" }, "");
    await alice.until("the topic", () => {
        return alice.room(room).currentState.getStateEvents("m.room.topic", "").getContent().topic === "Smoke";
    });
    await refused(bob.client.sendStateEvent(room, "m.room.name", { name: "Mine" }, ""), "M_FORBIDDEN", 403);
    assert.deepEqual(await bob.client.getStateEvent(room, "m.room.name", ""), { name: "The watch" });
    const state = await bob.client.roomState(room);
    assert.ok(state.some((event) => event.type === "m.room.create"));
    const members = (await alice.client.getJoinedRoomMembers(room)).joined;
    assert.deepEqual(Object.keys(members).sort(), [alice.id, bob.id]);
    assert.ok((await alice.client.getJoinedRooms()).joined_rooms.includes(room));
}

export async function people_come_and_go(alice, bob, carol) {
    const room = await together(alice, bob);
    const is = (membership) => () => alice.room(room).getMember(carol.id)?.membership === membership;
    await refused(carol.client.joinRoom(room), "M_FORBIDDEN", 403);
    await bob.client.invite(room, carol.id, "come in");
    await alice.until("the invitation", is("invite"));
    await carol.until("the invitation", () => carol.room(room)?.getMyMembership() === "invite");
    await carol.client.leave(room);
    await alice.until("the refusal", is("leave"));
    await alice.client.invite(room, carol.id);
    await carol.client.joinRoom(room);
    await alice.until("Carol", is("join"));
    await refused(bob.client.kick(room, carol.id, "no"), "M_FORBIDDEN", 403);
    await alice.client.kick(room, carol.id, "yes");
    await carol.until("the kick", () => carol.room(room)?.getMyMembership() === "leave");
    assert.equal(carol.room(room).getMember(carol.id).events.member.getContent().reason, "yes");
    await alice.client.ban(room, carol.id, "for good");
    await alice.until("the ban", is("ban"));
    await refused(alice.client.invite(room, carol.id), "M_FORBIDDEN", 403);
    await refused(carol.client.joinRoom(room), "M_FORBIDDEN", 403);
    await alice.client.unban(room, carol.id);
    await alice.until("the pardon", is("leave"));
    await carol.client.forget(room);
    await bob.client.leave(room);
    await alice.until("Bob going", () => alice.room(room).getMember(bob.id).membership === "leave");
    await refused(bob.say(room, "too late"), "M_FORBIDDEN", 403);
}

export async function power_is_given(alice, bob) {
    const room = await together(alice, bob);
    await alice.client.setPowerLevel(room, bob.id, 50);
    await bob.until("the power", () => bob.room(room).getMember(bob.id).powerLevel === 50);
    await bob.client.sendStateEvent(room, "m.room.name", { name: "Bob's" }, "");
    await alice.until("the name", () => alice.room(room).name === "Bob's");
    await refused(bob.client.setPowerLevel(room, bob.id, 100), "M_FORBIDDEN", 403);
}

export async function members_are_loaded_when_they_are_needed(alice, bob, carol) {
    // After its members it is not called, or they would be told for that.
    const made = await alice.client.createRoom({ preset: "public_chat", name: "Crowd" });
    const room = made.room_id;
    for (const person of [bob, carol]) {
        await person.client.joinRoom(room);
    }
    for (let n = 0; n < 25; n += 1) {
        await alice.say(room, `m${n}`);
    }
    const late = await bob.again();
    try {
        await late.start();
        const seen = late.room(room);
        assert.equal(seen.getJoinedMemberCount(), 3);
        assert.equal(seen.getMember(carol.id), null, "nobody asked for Carol yet");
        assert.equal(seen.getMember(alice.id).membership, "join");
        await seen.loadMembersIfNeeded();
        assert.equal(seen.getMember(carol.id).membership, "join");
        const left = await late.client.members(room, "join", undefined, undefined);
        assert.equal(left.chunk.length, 3);
    } finally {
        await late.client.logout(true);
    }
}

export async function an_upgraded_room_leads_on(alice, bob) {
    const room = await together(alice, bob, { room_version: "10", name: "Old" });
    const { replacement_room: next } = await alice.client.upgradeRoom(room, "12");
    const tombstone = await bob.until("the tombstone", () => {
        return bob.room(room).currentState.getStateEvents("m.room.tombstone", "");
    });
    assert.equal(tombstone.getContent().replacement_room, next);
    await alice.until("the new room", () => alice.room(next));
    assert.equal(alice.room(next).getVersion(), "12");
    assert.equal(alice.room(next).findPredecessor().roomId, room);
    assert.deepEqual(
        alice.client.getRoomUpgradeHistory(next, true).map((one) => one.roomId),
        [room, next],
    );
}
