// Who has read, who is typing, who is there, and what is unread.

import assert from "node:assert/strict";
import { NotificationCountType, PushRuleKind, ReceiptType, SetPresence } from "matrix-js-sdk";
import { together } from "../person.mjs";

export async function typing_is_seen(alice, bob) {
    const room = await together(alice, bob);
    await bob.client.sendTyping(room, true, 30_000);
    await alice.until("Bob typing", () => alice.room(room).getMember(bob.id).typing);
    await bob.client.sendTyping(room, false, 0);
    await alice.until("Bob no longer typing", () => !alice.room(room).getMember(bob.id).typing);
}

export async function receipts_tell_who_has_read(alice, bob) {
    const room = await together(alice, bob);
    const first = await alice.say(room, "one");
    const second = await alice.say(room, "two");
    await bob.client.sendReadReceipt(await bob.sees(room, first), ReceiptType.Read, true);
    await alice.until("Bob's receipt", () => alice.room(room).hasUserReadEvent(bob.id, first));
    assert.ok(!alice.room(room).hasUserReadEvent(bob.id, second));
    await bob.client.sendReadReceipt(await bob.sees(room, second), ReceiptType.ReadPrivate, true);
    await bob.until("his own", () => bob.room(room).getEventReadUpTo(bob.id) === second);
    await bob.client.setRoomReadMarkers(room, second);
    const marker = () => bob.room(room).getAccountData("m.fully_read")?.getContent().event_id;
    await bob.until("the marker", () => marker() === second);
    const third = await bob.say(room, "three");
    await alice.sees(room, third);
    assert.ok(alice.room(room).getEventReadUpTo(bob.id, true) !== second, "a private receipt is private");
}

export async function threads_are_read_by_themselves(alice, bob) {
    const room = await together(alice, bob);
    const root = await alice.say(room, "a root");
    await bob.sees(room, root);
    await bob.say(room, "a question", root);
    const thread = await alice.until("the thread", () => alice.room(room).getThread(root));
    const reply = await alice.say(room, "an answer", root);
    const count = () => bob.room(room).getThreadUnreadNotificationCount(root, NotificationCountType.Total);
    await bob.until("the unread answer", () => count() === 1);
    await bob.client.sendReadReceipt(await bob.sees(room, reply), ReceiptType.Read);
    await bob.until("nothing unread in the thread", () => count() === 0);
    await alice.until("the thread's receipt", () => {
        return thread.getReadReceiptForUserId(bob.id, true)?.eventId === reply;
    });
}

export async function what_is_unread_is_counted(alice, bob) {
    const room = await together(alice, bob);
    const count = (kind) => bob.room(room).getRoomUnreadNotificationCount(kind);
    await alice.say(room, "one");
    await alice.say(room, "two");
    await bob.until("two", () => count(NotificationCountType.Total) === 2);
    await alice.client.sendEvent(room, "m.room.message", {
        "msgtype": "m.text",
        "body": "Bob!",
        "m.mentions": { user_ids: [bob.id] },
    });
    await bob.until("a mention", () => count(NotificationCountType.Highlight) === 1);
    const list = await bob.ask("GET", "/_matrix/client/v3/notifications", undefined, { limit: 2, only: "highlight" });
    assert.equal(list.notifications[0].event.content.body, "Bob!");
    const last = bob.room(room).getLiveTimeline().getEvents().at(-1);
    await bob.client.sendReadReceipt(last, ReceiptType.Read, true);
    await bob.until("nothing", () => count(NotificationCountType.Total) === 0);
}

export async function push_rules_decide(alice, bob) {
    const room = await together(alice, bob);
    await bob.client.addPushRule("global", PushRuleKind.RoomSpecific, room, { actions: ["dont_notify"] });
    await bob.until("the rule", () => bob.client.getRoomPushRule("global", room));
    await alice.say(room, "hush");
    await bob.client.addPushRule("global", PushRuleKind.ContentSpecific, "fire", {
        pattern: "fire",
        actions: ["notify", { set_tweak: "highlight" }],
    });
    await bob.until("the keyword", () => bob.client.pushRules.global.content.some((rule) => rule.rule_id === "fire"));
    await alice.say(room, "a Fire!");
    const count = () => bob.room(room).getRoomUnreadNotificationCount(NotificationCountType.Highlight);
    await bob.until("the highlight", () => count() === 1);
    await bob.client.setPushRuleActions("global", PushRuleKind.ContentSpecific, "fire", ["notify"]);
    await bob.client.setPushRuleEnabled("global", PushRuleKind.ContentSpecific, "fire", false);
    const rules = await bob.client.getPushRules();
    const rule = rules.global.content.find((rule) => rule.rule_id === "fire");
    assert.deepEqual([rule.enabled, rule.actions], [false, ["notify"]]);
    await bob.client.deletePushRule("global", PushRuleKind.ContentSpecific, "fire");
    await bob.client.setRoomMutePushRule("global", room, true);
    await bob.client.setRoomMutePushRule("global", room, false);
    assert.equal((await bob.client.getPushRules()).global.content.filter((rule) => !rule.default).length, 0);
}

export async function presence_is_told(alice, bob) {
    await together(alice, bob);
    await bob.client.setSyncPresence(SetPresence.Unavailable);
    await bob.client.setPresence({ presence: "unavailable", status_msg: "at the beacon" });
    await alice.until("Bob's presence", () => {
        const user = alice.client.getUser(bob.id);
        return user?.presence === "unavailable" && user.presenceStatusMsg === "at the beacon";
    });
    const told = await alice.client.getPresence(bob.id);
    assert.equal(told.status_msg, "at the beacon");
    await bob.client.setSyncPresence(undefined);
    await bob.client.setPresence({ presence: "online" });
}
