// The past: page by page, around an event, by time.

import assert from "node:assert/strict";
import { Direction, EventTimeline, Filter, TimelineWindow } from "matrix-js-sdk";
import { texts, together } from "../person.mjs";

const MESSAGES = 45;

/** A room with a past; gives its id and the ids of its messages. */
async function past(alice, bob) {
    const room = await together(alice, bob);
    const sent = [];
    for (let n = 0; n < MESSAGES; n += 1) {
        sent.push(await [alice, bob][n % 2].say(room, `m${n}`));
    }
    return [room, sent];
}

const NUMBERS = Array.from({ length: MESSAGES }, (_, n) => `m${n}`);

export async function the_past_comes_in_pages(alice, bob) {
    const [room, sent] = await past(alice, bob);
    const late = await bob.again();
    try {
        await late.start({ initialSyncLimit: 5 });
        const timeline = late.room(room).getLiveTimeline();
        while (await late.client.paginateEventTimeline(timeline, { backwards: true, limit: 10 })) {
            assert.ok(timeline.getEvents().length < 200);
        }
        assert.deepEqual(texts(timeline.getEvents()), NUMBERS);
        assert.equal(timeline.getEvents()[0].getType(), "m.room.create");

        const set = late.room(room).getUnfilteredTimelineSet();
        const window = new TimelineWindow(late.client, set, { windowLimit: 20 });
        await window.load(sent[20], 6);
        assert.ok(texts(window.getEvents()).includes("m20"));
        while (window.canPaginate(EventTimeline.FORWARDS)) {
            await window.paginate(EventTimeline.FORWARDS, 10);
        }
        assert.equal(texts(window.getEvents()).at(-1), `m${MESSAGES - 1}`);
        assert.ok(window.getEvents().length <= 20);
    } finally {
        await late.client.logout(true);
    }
}

export async function an_old_event_is_found_with_its_neighbours(alice, bob) {
    const [room, sent] = await past(alice, bob);
    const late = await alice.again();
    try {
        await late.start({ initialSyncLimit: 2 });
        const set = late.room(room).getUnfilteredTimelineSet();
        const timeline = await late.client.getEventTimeline(set, sent[10]);
        assert.ok(texts(timeline.getEvents()).includes("m10"));
        while (await late.client.paginateEventTimeline(timeline, { backwards: false, limit: 20 })) {
            assert.ok(timeline.getEvents().length < 200);
        }
        const time = timeline.getEvents().find((event) => event.getId() === sent[10]).getTs();
        const near = await late.client.timestampToEvent(room, time, Direction.Backward);
        assert.ok(near.origin_server_ts <= time);
    } finally {
        await late.client.logout(true);
    }
}

export async function a_filter_leaves_out(alice, bob) {
    const [room] = await past(alice, bob);
    await bob.client.sendEvent(room, "org.example.beacon", { lit: true });
    const made = await alice.client.createFilter({ room: { timeline: { types: ["org.example.beacon"] } } });
    const got = await alice.client.getFilter(alice.id, made.filterId, false);
    assert.deepEqual(got.getDefinition(), made.getDefinition());
    const filter = new Filter(alice.id);
    filter.setDefinition({ room: { timeline: { types: ["org.example.beacon"] } } });
    const page = await alice.client.createMessagesRequest(room, null, 10, Direction.Backward, filter);
    assert.deepEqual(page.chunk.map((event) => event.type), ["org.example.beacon"]);
}

export async function a_readable_room_is_looked_into(alice, bob) {
    const { room_id: room } = await alice.client.createRoom({
        preset: "public_chat",
        initial_state: [
            { type: "m.room.history_visibility", state_key: "", content: { history_visibility: "world_readable" } },
        ],
    });
    await alice.say(room, "for all to read");
    const peeked = await bob.client.peekInRoom(room, 10);
    assert.ok(texts(peeked.timeline).includes("for all to read"));
    bob.client.stopPeeking();
}
