// Three people walk through what a Matrix client does, with the JavaScript client library.
//
// Run as `walk.mjs BASE_URL PASSWORD [STEP…]`; exit code 0 means that everything was as it should be. With
// steps named, only those are walked.

import { MatrixError } from "matrix-js-sdk";
import { Person } from "./person.mjs";
import * as accounts from "./steps/accounts.mjs";
import * as entrance from "./steps/entrance.mjs";
import * as events from "./steps/events.mjs";
import * as history from "./steps/history.mjs";
import * as media from "./steps/media.mjs";
import * as notices from "./steps/notices.mjs";
import * as own from "./steps/own.mjs";
import * as rooms from "./steps/rooms.mjs";

const wanted = process.argv.slice(4);
const steps = [rooms, events, notices, history, own, media, entrance, accounts]
    .flatMap((theme) => Object.entries(theme))
    .filter(([name]) => wanted.length === 0 || wanted.includes(name));

// A device that signed out may have a request of its library's own under way still.
process.on("unhandledRejection", (error) => {
    if (!(error instanceof MatrixError && error.errcode === "M_UNKNOWN_TOKEN")) {
        throw error;
    }
});

const people = [];
for (const name of ["alice", "bob", "carol"]) {
    people.push(await Person.register(name));
}
let failed = 0;
for (const [name, step] of steps) {
    try {
        await step(...people);
    } catch (error) {
        failed += 1;
        process.stderr.write(`${name}: ${error.stack}\n`);
    }
}
process.stdout.write(`${steps.length - failed} of ${steps.length} steps went well\n`);
// The library leaves timers behind.
process.exit(failed === 0 ? 0 : 1);
