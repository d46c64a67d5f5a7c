// Circuit breakers for a Node service whose calls do not go through holdfast: its HTTP API, and no package but what Node
// brings. `node breakers.mjs feed profile` shows what `feed` may call, as it changes.
//
//   const breakers = new Breakers("127.0.0.1:7070", "feed");
//   if (breakers.allows("profile")) …
//
// A long poll hears of each change within a moment. What was heard last holds while the API is gone.
import http from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";

export class Breakers {
  #known = new Map();
  #tag = null;

  constructor(api, caller = "", heard = () => {}) {
    this.api = api;
    this.caller = caller;
    this.heard = heard;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    this.#listen();
  }

  /** Ours for that callee, else that of nobody in particular, else undefined. */
  breaker(callee) {
    return this.#known.get(`${this.caller}->${callee}`) ?? this.#known.get(callee);
  }

  /** Whether a call may be made now: a look into a map. Asked once for each call. */
  allows(callee) {
    const breaker = this.breaker(callee);
    return breaker === undefined || Math.random() < breaker.allowed;
  }

  async #listen() {
    for (;;) {
      try {
        const began = Date.now();
        const answer = await this.#ask();
        if (answer.status === 200) {
          this.#known = new Map(JSON.parse(answer.body).items.map((each) => [each.name, each]));
          this.#tag = answer.tag;
          this.heard();
        } else if (answer.status !== 304) {
          throw new Error(`the API answered ${answer.status}`);
        } else if (Date.now() - began < 500) {
          await pause(1000); // no place to wait there: too many do
        }
      } catch {
        await pause(500 + Math.random() * 500); // what we know goes on
      }
    }
  }

  #ask() {
    const headers = this.#tag ? { "If-None-Match": this.#tag } : {};
    const url = `http://${this.api}/v1/breakers?wait=30s&caller=${encodeURIComponent(this.caller)}`;
    return new Promise((resolve, reject) => {
      const request = http.get(url, { agent: this.agent, headers, timeout: 40_000 }, (answer) => {
        let body = "";
        answer.setEncoding("utf8");
        answer.on("data", (piece) => (body += piece));
        answer.on("end", () => resolve({ status: answer.statusCode, tag: answer.headers.etag, body }));
        answer.on("error", reject);
      });
      request.on("timeout", () => request.destroy(new Error("no answer")));
      request.on("error", reject);
    });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [caller, callee, api = "127.0.0.1:7070"] = process.argv.slice(2);
  if (!callee) {
    console.error("usage: breakers.mjs CALLER CALLEE [ADDRESS of the admin API]");
    process.exit(2);
  }
  let shown = "";
  const breakers = new Breakers(api, caller, () => {
    const breaker = breakers.breaker(callee) ?? { state: "not known", allowed: 1, reason: "" };
    const share = Math.round(breaker.allowed * 100);
    const line = `${callee}: ${breaker.state}, ${share}% may pass ${breaker.reason}`.trimEnd();
    if (line !== shown) console.log(line);
    shown = line;
  });
}
