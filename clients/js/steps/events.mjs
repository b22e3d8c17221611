// Messages, and what relates to them.

import assert from "node:assert/strict";
import { M_POLL_KIND_DISCLOSED, RelationType } from "matrix-js-sdk";
import { PollEndEvent } from "matrix-js-sdk/lib/extensible_events_v1/PollEndEvent.js";
import { PollResponseEvent } from "matrix-js-sdk/lib/extensible_events_v1/PollResponseEvent.js";
import { PollStartEvent } from "matrix-js-sdk/lib/extensible_events_v1/PollStartEvent.js";
import { refused, texts, together } from "../person.mjs";

export async function a_message_arrives_once(alice, bob) {
    const room = await together(alice, bob);
    const content = { msgtype: "m.text", body: "a fire in the south" };
    const first = await alice.client.sendEvent(room, "m.room.message", content, "once");
    const again = await alice.ask("PUT", `/_matrix/client/v3/rooms/${room}/send/m.room.message/once`, content);
    assert.equal(again.event_id, first.event_id);
    const seen = await bob.sees(room, first.event_id);
    assert.equal(seen.getContent().body, "a fire in the south");
    // Before its echo has come, the library shows what it sent itself.
    const own = await alice.sees(room, first.event_id);
    await alice.until("the echo", () => own.getUnsigned().transaction_id === "once");
    const got = await bob.client.fetchRoomEvent(room, first.event_id);
    assert.deepEqual(got.content, content);
    await alice.client.sendHtmlMessage(room, "bold", "<b>bold</b>");
    await alice.client.sendEmoteMessage(room, "waves");
    await bob.client.sendNotice(room, "noted");
    await bob.client.sendStickerMessage(room, "mxc://localhost/sticker", {}, "a cat");
    await alice.until("four more", () => texts(alice.room(room).timeline).length === 5);
}

export async function an_edit_takes_the_place(alice, bob) {
    const room = await together(alice, bob);
    const event = await alice.say(room, "smoek");
    await alice.client.sendEvent(room, "m.room.message", {
        "msgtype": "m.text",
        "body": "* smoke",
        "m.new_content": { msgtype: "m.text", body: "smoke" },
        "m.relates_to": { rel_type: "m.replace", event_id: event },
    });
    await bob.until("the edit", () => bob.room(room).findEventById(event)?.replacingEvent());
    assert.equal(bob.room(room).findEventById(event).getContent().body, "smoke");
    const late = await bob.again();
    try {
        await late.start();
        const seen = await late.sees(room, event);
        assert.equal(seen.getContent().body, "smoke", "the edit comes with the event");
    } finally {
        await late.client.logout(true);
    }
}

export async function reactions_gather(alice, bob, carol) {
    const room = await together(alice, bob);
    await alice.client.invite(room, carol.id);
    await carol.client.joinRoom(room);
    const event = await alice.say(room, "tea?");
    const react = async (person, key) => {
        const content = { "m.relates_to": { rel_type: "m.annotation", event_id: event, key } };
        return (await person.client.sendEvent(room, "m.reaction", content)).event_id;
    };
    await react(bob, "👍");
    await react(carol, "👍");
    const slip = await react(carol, "👎");
    await refused(react(bob, "👍"), "M_DUPLICATE_ANNOTATION", 400);
    const count = (key) => {
        const all = alice.room(room).relations.getChildEventsForEvent(event, RelationType.Annotation, "m.reaction");
        const found = all?.getSortedAnnotationsByKey()?.find(([other]) => other === key);
        return found ? found[1].size : 0;
    };
    await alice.until("the reactions", () => count("👍") === 2 && count("👎") === 1);
    await carol.client.redactEvent(room, slip);
    await alice.until("the second thought", () => count("👎") === 0);
    const related = await bob.client.relations(room, event, "m.annotation", "m.reaction", { limit: 10 });
    assert.equal(related.events.length, 2);
}

export async function a_thread_is_a_line_of_its_own(alice, bob) {
    const room = await together(alice, bob);
    const root = await alice.say(room, "where is the smoke?");
    await bob.sees(room, root);
    const reply = await bob.say(room, "south", root);
    const last = await alice.say(room, "thank you", root);
    const thread = await bob.until("the thread", () => {
        const thread = bob.room(room).getThread(root);
        return thread?.replyToEvent?.getId() === last ? thread : null;
    });
    assert.equal(thread.length, 2);
    await bob.until("that he takes part", () => thread.hasCurrentUserParticipated);
    assert.ok(!texts(bob.room(room).getLiveTimeline().getEvents()).includes("south"));
    const late = await alice.again();
    try {
        await late.start();
        const seen = late.room(room);
        await seen.createThreadsTimelineSets();
        await seen.fetchRoomThreads();
        const found = await late.until("the list of threads", () => seen.getThread(root));
        await late.until("its events", () => texts(found.events).includes("thank you"));
        const list = await late.client.createThreadListMessagesRequest(room, null, 10);
        assert.deepEqual(list.chunk.map((event) => event.event_id), [root]);
        const related = await late.client.relations(room, root, "m.thread", null, { dir: "f" });
        assert.deepEqual(related.events.map((event) => event.getId()), [reply, last]);
    } finally {
        await late.client.logout(true);
    }
}

export async function a_poll_is_counted(alice, bob) {
    const room = await together(alice, bob);
    const start = PollStartEvent.from("Tea?", ["Green", "Black"], M_POLL_KIND_DISCLOSED.name).serialize();
    const poll = (await alice.client.sendEvent(room, start.type, start.content)).event_id;
    const model = await bob.until("the poll", () => bob.room(room).polls.get(poll));
    const answer = model.pollEvent.answers[0].id;
    const response = PollResponseEvent.from([answer], poll).serialize();
    await bob.client.sendEvent(room, response.type, response.content);
    const seen = await alice.until("the poll", () => alice.room(room).polls.get(poll));
    await seen.getResponses();
    await alice.until("the answer", () => seen.responses?.getRelations().length === 1);
    const end = PollEndEvent.from(poll, "It is over").serialize();
    await alice.client.sendEvent(room, end.type, end.content);
    await bob.until("the end", () => model.isEnded);
}

export async function a_redacted_event_has_lost_its_content(alice, bob) {
    const room = await together(alice, bob);
    const slip = await alice.say(room, "not meant for you");
    await bob.sees(room, slip);
    await refused(bob.client.redactEvent(room, slip), "M_FORBIDDEN", 403);
    await alice.client.redactEvent(room, slip, undefined, { reason: "a slip" });
    await bob.until("the redaction", () => bob.room(room).findEventById(slip).isRedacted());
    const got = await bob.client.fetchRoomEvent(room, slip);
    assert.deepEqual(got.content, {});
    assert.equal(got.unsigned.redacted_because.content.reason, "a slip");
    await bob.client.reportRoom(room, "rude");
    await bob.client.reportEvent(room, slip, -100, "rude");
}
