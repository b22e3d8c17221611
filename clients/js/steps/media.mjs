// Files and pictures.

import assert from "node:assert/strict";
import { deflateSync } from "node:zlib";
import { here, refused } from "../person.mjs";

async function fetched(person, url) {
    return await fetch(url, { headers: { authorization: `Bearer ${person.token}` } });
}

export async function what_one_uploads_the_other_downloads(alice, bob) {
    const data = Buffer.alloc(128_000, "beacon ");
    const upload = await alice.client.uploadContent(data, { name: "map.bin", type: "application/octet-stream" });
    const url = bob.client.mxcUrlToHttp(upload.content_uri, undefined, undefined, undefined, false, true, true);
    const got = await fetched(bob, url);
    assert.equal(got.status, 200);
    assert.deepEqual(Buffer.from(await got.arrayBuffer()), data);
    assert.match(got.headers.get("content-disposition"), /^attachment; filename="?map\.bin"?$/);
    assert.equal((await fetch(url)).status, 401);
    const config = await alice.client.getMediaConfig(true);
    assert.ok(config["m.upload.size"] > 1_000_000);
}

/** A grey square as PNG. */
function png(side) {
    const chunk = (kind, data) => {
        const body = Buffer.concat([Buffer.from(kind), data]);
        const length = Buffer.alloc(4);
        length.writeUInt32BE(data.length);
        const sum = Buffer.alloc(4);
        sum.writeUInt32BE(crc(body));
        return Buffer.concat([length, body, sum]);
    };
    const head = Buffer.alloc(13);
    head.writeUInt32BE(side, 0);
    head.writeUInt32BE(side, 4);
    head.set([8, 0, 0, 0, 0], 8);
    const rows = Buffer.alloc(side * (side + 1), 0);
    return Buffer.concat([
        Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
        chunk("IHDR", head),
        chunk("IDAT", deflateSync(rows)),
        chunk("IEND", Buffer.alloc(0)),
    ]);
}

function crc(bytes) {
    let sum = 0xffffffff;
    for (const byte of bytes) {
        sum ^= byte;
        for (let bit = 0; bit < 8; bit += 1) {
            sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
        }
    }
    return (sum ^ 0xffffffff) >>> 0;
}

export async function a_picture_has_a_thumbnail(alice, bob) {
    const upload = await alice.client.uploadContent(png(400), { name: "grey.png", type: "image/png" });
    const url = bob.client.mxcUrlToHttp(upload.content_uri, 64, 64, "crop", false, true, true);
    const got = await fetched(bob, url);
    assert.equal(got.status, 200);
    assert.equal(got.headers.get("content-type"), "image/png");
    const small = Buffer.from(await got.arrayBuffer());
    assert.equal(small.readUInt32BE(16), 96);
}

export async function a_link_is_previewed_only_if_the_operator_wants_it(alice) {
    await refused(alice.client.getUrlPreview("http://localhost/", 60_000), "M_UNRECOGNIZED", 404);
    assert.ok(here.base.startsWith("http://127.0.0.1:"));
}
