// Every page of sign-in in Chromium, without JavaScript: on a phone and at a desk, in Korean and English.
//
// Run as `pages.mjs ISSUER PASSWORD CLIENTS FOLDER`; CLIENTS is JSON with the ids of `web` and `tv`. A picture of each page is left in
// FOLDER. Exit code 0 means that each showed what it has to and could be read without moving it sideways.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import puppeteer from "puppeteer-core";

const [issuer, password, json, folder] = process.argv.slice(2);
const clients = JSON.parse(json);
const sizes = {
    phone: { width: 360, height: 740, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
    desk: { width: 1280, height: 800 },
};
const languages = { ko: "ko-KR,ko;q=0.9", en: "en-GB,en;q=0.9" };
const verifier = "a-verifier-of-more-than-forty-three-characters";

function authorize(more = {}) {
    const url = new URL("/oauth2/authorize", issuer);
    const parameters = {
        client_id: clients.web.client_id, response_type: "code", redirect_uri: "https://shop.example/in",
        scope: "openid profile offline_access", state: "x", prompt: "consent",
        code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256",
        ...more,
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
}

async function device() {
    const answer = await fetch(new URL("/oauth2/device_authorization", issuer), {
        method: "POST", body: new URLSearchParams({ client_id: clients.tv.client_id, scope: "openid profile" }),
    });
    return answer.json();
}

// What is wrong with the page as somebody meets it; evaluated in the page.
function faults() {
    const found = [];
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) found.push(`it is ${scrollWidth} wide on a screen of ${clientWidth}`);
    if (document.scripts.length > 0) found.push("it has scripts");
    if (document.querySelectorAll("h1").length !== 1) found.push("it has not one heading");
    if (document.querySelectorAll("main").length !== 1) found.push("it has not one main part");
    if (document.title === "") found.push("it has no title");
    for (const input of document.querySelectorAll("input:not([type=hidden])")) {
        if (input.labels.length !== 1) found.push(`${input.name} has no label`);
        for (const id of (input.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean)) {
            if (document.getElementById(id) === null) found.push(`${input.name} is described by ${id}, which is not there`);
        }
    }
    for (const one of document.querySelectorAll("button, input:not([type=hidden]):not([type=checkbox])")) {
        const { width, height } = one.getBoundingClientRect();
        if (!one.classList.contains("link") && (height < 40 || width < 40)) {
            found.push(`${one.name || one.textContent} is ${width} by ${height}, too small for a finger`);
        }
    }
    const styled = getComputedStyle(document.querySelector("main")).maxWidth;
    if (styled === "none") found.push("it has no style");
    return found;
}

class Walk {
    constructor(page, language, size) {
        Object.assign(this, { page, language, size });
    }

    async see(name, expect) {
        const lang = await this.page.$eval("html", (html) => html.lang);
        assert.equal(lang, this.language, name);
        const text = await this.page.$eval("main", (main) => main.innerText);
        assert.match(text, expect[this.language], name);
        assert.deepEqual(await this.page.evaluate(faults), [], `${name} ${this.language} ${this.size}`);
        await this.page.screenshot({ path: `${folder}/${name}-${this.language}-${this.size}.png`, fullPage: true });
    }

    async go(url) {
        await this.page.goto(url, { waitUntil: "load" });
    }

    // Fills in the form and presses its main button, or another one.
    async press(fields, button = "button.main") {
        for (const [name, value] of Object.entries(fields)) await this.page.type(`[name=${name}]`, value);
        await Promise.all([this.page.waitForNavigation(), this.page.click(button)]);
    }
}

async function walk(page, language, size) {
    const person = new Walk(page, language, size);
    await person.go(authorize({ client_id: "nobody" }));
    await person.see("error", { ko: /문제가 발생했습니다/, en: /did not work/ });
    await person.go(authorize({ prompt: "create" }));
    await person.see("sign-up", { ko: /계정 만들기/, en: /Create account/ });
    await person.press({ name: "mina", password: "long enough" });
    await person.see("sign-up-taken", { ko: /이미 사용 중인 이름/, en: /name is taken/ });
    await person.go(authorize());
    await person.see("sign-in", { ko: /로그인/, en: /Sign in/ });
    // Another account: mina's own is not to be locked for her.
    await person.press({ name: `nobody-${language}-${size}`, password: "wrong" });
    await person.see("sign-in-wrong", { ko: /올바르지 않습니다/, en: /is wrong/ });
    await person.go(authorize());
    await person.press({ name: "mina", password });
    await person.see("consent", { ko: /접근을 허용할까요/, en: /Allow access/ });
    await person.go(new URL("/account/device", issuer).href);
    await person.see("device", { ko: /기기 연결/, en: /Connect a device/ });
    await person.press({ user_code: "BCDF-GHJK" });
    await person.see("device-unknown", { ko: /이 코드의 기기가 없/, en: /no device with this code/ });
    const asked = await device();
    await person.go(asked.verification_uri_complete);
    await person.see("device-asked", { ko: /기기가 눈앞에/, en: /in front of you/ });
    await person.press({});
    await person.see("device-done", { ko: /연결되었습니다/, en: /is connected/ });
    await person.go(new URL("/account", issuer).href);
    await person.see("account", { ko: /로그인한 곳/, en: /Where you are signed in/ });
    const one = await page.$eval("[name=device]", (input) => input.value);
    await person.go(new URL(`/account?action=org.matrix.device_delete&device_id=${one}`, issuer).href);
    await person.see("session-end", { ko: /로그아웃할까요/, en: /Sign out there/ });
    await person.go(new URL("/oauth2/logout", issuer).href);
    await person.see("sign-out", { ko: /로그아웃할까요/, en: /Sign out of this browser/ });
    await person.press({});
    await person.see("signed-out", { ko: /로그아웃되었습니다/, en: /You are signed out/ });
}

await mkdir(folder, { recursive: true });
const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
let failed = 0;
for (const [size, viewport] of Object.entries(sizes)) {
    for (const [language, accepted] of Object.entries(languages)) {
        const context = await browser.createBrowserContext();
        try {
            const page = await context.newPage();
            await page.setViewport(viewport);
            await page.setJavaScriptEnabled(false);
            await page.setExtraHTTPHeaders({ "accept-language": accepted });
            await walk(page, language, size);
        } catch (error) {
            failed += 1;
            process.stderr.write(`${language} ${size}: ${error.stack}\n`);
        }
        await context.close();
    }
}
await browser.close();
process.exit(failed === 0 ? 0 : 1);
