// The order that lies on the desk: everything on the page changes it here and hears of it here.

import { DEFAULTS, pageQuery, randomSeed, readOrder } from "./order.js";

/** @typedef {import("./order.js").Order} Order */

const LIGHT = { ink: "24407a", paper: "fffdf8" };
const WRITING = "?spacing=tight&gap=3&variation=0.3&temperature=0.8";
const DARK = { ink: "ebe6da", paper: "1c1f26" };

/** Fires "change" after each change. */
export class Desk extends EventTarget {
  constructor() {
    super();
    const colours = matchMedia("(prefers-color-scheme: dark)").matches ? DARK : LIGHT;
    const fallback = { ...DEFAULTS, ...colours, scale: 8, seed: randomSeed() };
    // What a link leaves out is as in the API; without a link the number is set as one writes.
    const { order, ignored } = readOrder(location.search || WRITING, fallback);
    /** @type {Order} */
    this.order = order;
    this.ignored = ignored;
    this.locked = new URLSearchParams(location.search).has("seed") && !ignored.includes("seed");
    addEventListener("popstate", () => {
      this.order = readOrder(location.search, this.order).order;
      this.dispatchEvent(new Event("change"));
    });
  }

  /** @param {Partial<Order>} part */
  change(part) {
    this.order = { ...this.order, ...part };
    this.write();
    this.dispatchEvent(new Event("change"));
  }

  /** Another hand, unless the seed is to be kept. */
  roll() {
    if (!this.locked) this.change({ seed: randomSeed() });
  }

  /** Bring the order into the address bar. */
  write() {
    const query = this.order.digits ? `?${pageQuery(this.order)}` : "";
    history.replaceState(null, "", `${location.pathname}${query}${location.hash}`);
  }
}
