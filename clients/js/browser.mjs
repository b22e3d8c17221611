// A browser of a few lines: it keeps cookies, follows redirects within the provider and fills in forms.

export class Browser {
    #cookies = new Map();

    constructor(issuer) {
        this.issuer = issuer;
    }

    async #ask(url, options = {}) {
        const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
        const headers = { ...options.headers, cookie };
        const response = await fetch(url, { ...options, headers, redirect: "manual" });
        for (const line of response.headers.getSetCookie()) {
            const [pair, ...attributes] = line.split("; ");
            const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
            if (attributes.includes("Max-Age=0")) this.#cookies.delete(name);
            else this.#cookies.set(name, value);
        }
        return response;
    }

    // Goes to `url`, and on until there is a page, or it leads to somebody else.
    async go(url, options) {
        let response = await this.#ask(url, options);
        while (response.status === 303) {
            const to = new URL(response.headers.get("location"), this.issuer);
            if (to.origin !== new URL(this.issuer).origin) return { to };
            response = await this.#ask(to);
        }
        return { status: response.status, html: await response.text() };
    }

    // Sends the form of the page that leads to `action`, with these fields beside the hidden ones.
    async send(page, action, fields) {
        const form = page.html.split("<form").find((part) => part.includes(`action="${action}"`));
        if (form === undefined) throw new Error(`no form for ${action} in ${page.html}`);
        const hidden = [...form.split("</form>")[0].matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)];
        const body = new URLSearchParams();
        for (const [, name, value] of hidden) {
            body.set(name, value.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code)));
        }
        for (const [name, value] of Object.entries(fields)) body.set(name, value);
        return this.go(new URL(action, this.issuer), { method: "POST", body });
    }

    // Signs in and agrees, where that is asked; gives where the client is led.
    async grant(url, name, password) {
        let page = await this.go(url);
        if (page.html?.includes("/account/sign-in")) {
            page = await this.send(page, "/account/sign-in", { name, password });
        }
        if (page.html?.includes("/account/consent")) {
            page = await this.send(page, "/account/consent", { answer: "allow", remember: "yes" });
        }
        if (page.to === undefined) throw new Error(`the client is led nowhere: ${page.html}`);
        return page.to;
    }
}
