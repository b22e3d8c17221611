// A signed-in client, as an application holds it.

import assert from "node:assert/strict";
import { ClientEvent, createClient, MatrixError, SyncState } from "matrix-js-sdk";

// What the library has to say at every turn would hide what went wrong.
for (const how of ["debug", "info", "log", "warn", "error", "trace"]) {
    console[how] = () => {};
}

const PATIENCE_MS = 60_000;
const LOOK_MS = 20;

/** Where everybody is, and what opens every account. */
export const here = { base: process.argv[2], password: process.argv[3] };

export class Person {
    constructor(name, session) {
        this.name = name;
        this.id = session.user_id;
        this.token = session.access_token;
        this.device = session.device_id;
        this.client = createClient({
            baseUrl: here.base,
            userId: session.user_id,
            deviceId: session.device_id,
            accessToken: session.access_token,
            timelineSupport: true,
        });
    }

    /** Makes an account, and follows what happens to it. */
    static async register(name) {
        const nobody = createClient({ baseUrl: here.base });
        const session = await nobody.registerRequest({
            username: name,
            password: here.password,
            initial_device_display_name: "js",
            auth: { type: "m.login.dummy" },
        });
        assert.equal(session.user_id, `@${name}:localhost`);
        const person = new Person(name, session);
        await person.start();
        return person;
    }

    /** Signs in on another device. */
    async again(more = {}) {
        const session = await createClient({ baseUrl: here.base }).loginRequest({
            ...this.passwordOf(),
            initial_device_display_name: "js again",
            ...more,
        });
        return new Person(this.name, session);
    }

    passwordOf() {
        return {
            type: "m.login.password",
            identifier: { type: "m.id.user", user: this.name },
            password: here.password,
        };
    }

    async start(options = {}) {
        await this.client.startClient({
            initialSyncLimit: 20,
            lazyLoadMembers: true,
            threadSupport: true,
            ...options,
        });
        await this.until("the first sync", () => this.client.getSyncState() === SyncState.Syncing);
    }

    stop() {
        this.client.stopClient();
    }

    room(id) {
        return this.client.getRoom(id);
    }

    /** What `find` finds, once something that arrived lets it find anything. */
    async until(what, find) {
        const found = find();
        if (found) {
            return found;
        }
        return await new Promise((resolve, reject) => {
            const done = (settle, value) => {
                clearTimeout(deadline);
                clearInterval(again);
                this.client.off(ClientEvent.Sync, look);
                settle(value);
            };
            const look = () => {
                try {
                    const found = find();
                    if (found) {
                        done(resolve, found);
                    }
                } catch (error) {
                    done(reject, error);
                }
            };
            const late = () => done(reject, new Error(`${what} did not arrive at ${this.name}`));
            const deadline = setTimeout(late, PATIENCE_MS);
            this.client.on(ClientEvent.Sync, look);
            // What the library fetches after a sync, it tells by many events of many objects.
            const again = setInterval(look, LOOK_MS);
        });
    }

    /** Sends a text, and gives its id. */
    async say(room, text, thread = null) {
        const content = { msgtype: "m.text", body: text };
        return (await this.client.sendEvent(room, thread, "m.room.message", content)).event_id;
    }

    /** The event, once it has arrived in the room or in one of its threads. */
    async sees(room, event) {
        return await this.until(event, () => this.room(room)?.findEventById(event));
    }

    /** A request as no method of the client makes it. */
    async ask(method, path, body, query) {
        return await this.client.http.authedRequest(method, path, query, body, { prefix: "" });
    }
}

/** Sees that `asked` is refused with `code`. */
export async function refused(asked, code, status) {
    try {
        await asked;
    } catch (error) {
        assert.ok(error instanceof MatrixError, String(error));
        assert.equal(error.errcode, code, error.message);
        if (status !== undefined) {
            assert.equal(error.httpStatus, status, error.message);
        }
        return error;
    }
    assert.fail(`this was not refused with ${code}`);
}

/** The texts of a list of events. */
export function texts(events) {
    return events.map((event) => event.getContent().body).filter((body) => body !== undefined);
}

/** A room of Alice's with Bob in it; gives its id. */
export async function together(alice, bob, options = {}) {
    const made = await alice.client.createRoom({ preset: "private_chat", invite: [bob.id], ...options });
    const room = made.room_id;
    await bob.until("the invitation", () => bob.room(room)?.getMyMembership() === "invite");
    await bob.client.joinRoom(room);
    await bob.until("the room", () => bob.room(room)?.getMyMembership() === "join");
    await alice.until("Bob", () => alice.room(room)?.getMember(bob.id)?.membership === "join");
    return room;
}
