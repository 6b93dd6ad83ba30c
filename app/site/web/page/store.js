// The state of the page: the current query, kept in the address bar.

import { DEFAULTS, pageQueryString, randomSeed, readQuery } from "./query.js";

/** @typedef {import("./query.js").Query} Query */

const LIGHT = { ink: "24407a", paper: "fffdf8" };
const DARK = { ink: "ebe6da", paper: "1c1f26" };
const START = "?spacing=tight&gap=3&variation=0.3&temperature=0.8"; // looks like ordinary handwriting

/** Fires "change" after each change of the query. */
export class Store extends EventTarget {
  constructor() {
    super();
    const colours = matchMedia("(prefers-color-scheme: dark)").matches ? DARK : LIGHT;
    const fallback = { ...DEFAULTS, ...colours, scale: 8, seed: randomSeed() };
    // A link leaves out defaults of the API, so START applies only without a link.
    const { query, ignored } = readQuery(location.search || START, fallback);
    /** @type {Query} */
    this.query = query;
    this.ignored = ignored;
    this.seedLocked = new URLSearchParams(location.search).has("seed") && !ignored.includes("seed");
    addEventListener("popstate", () => {
      this.query = readQuery(location.search, this.query).query;
      this.dispatchEvent(new Event("change"));
    });
  }

  /** @param {Partial<Query>} changed */
  change(changed) {
    this.query = { ...this.query, ...changed };
    this.writeAddress();
    this.dispatchEvent(new Event("change"));
  }

  /** Choose a new seed, unless the seed is locked. */
  newSeed() {
    if (!this.seedLocked) this.change({ seed: randomSeed() });
  }

  /** Write the query to the address bar. */
  writeAddress() {
    const search = this.query.digits ? `?${pageQueryString(this.query)}` : "";
    history.replaceState(null, "", `${location.pathname}${search}${location.hash}`);
  }
}
