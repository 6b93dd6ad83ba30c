// The state of the page: the current query, kept in the address bar.

import { DEFAULTS, pageQueryString, randomSeed, readQuery, variationOf } from "./query.js";
import { Steps } from "./steps.js";

/** @typedef {import("./query.js").Query} Query */

const LIGHT = { ink: "24407a", paper: "fffdf8" };
const DARK = { ink: "ebe6da", paper: "1c1f26" };
/** @type {{seed: number, spacing: "tight", gap: number, variation: number, temperature: number}} */
export const START = { seed: 19, spacing: "tight", gap: 3, variation: 0.3, temperature: 0.8 }; // a neat hand
const LEAST_TEMPERATURE = 0.05; // below it all seeds give the same shapes

/** Fires "change" after each change of the query. */
export class Store extends EventTarget {
  constructor() {
    super();
    const colours = matchMedia("(prefers-color-scheme: dark)").matches ? DARK : LIGHT;
    const fallback = { ...DEFAULTS, ...colours, render: /** @type {const} */ ("ink"), scale: 8, seed: randomSeed() };
    // A link leaves out defaults of the API, so START applies only without a link.
    const { query, ignored } = readQuery(location.search, location.search ? fallback : { ...fallback, ...START });
    /** @type {Query} */
    this.query = query;
    this.ignored = ignored;
    this.steps = new Steps(addressOf, (past) => {
      this.query = { ...fallback, ...past };
      this.dispatchEvent(new Event("change"));
    });
    this.steps.begin(query);
  }

  /** The address of the page with this query; the address bar follows a moment later. */
  get address() {
    return addressOf(this.query);
  }

  /**
   * @param {Partial<Query>} changed
   * @param {string} [kind] see Steps.record
   */
  change(changed, kind = "") {
    this.query = { ...this.query, ...changed };
    this.steps.record(this.query, kind);
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Choose another handwriting, and return what else had to change, in words; empty: nothing.
   * @returns {string}
   */
  changeHandwriting() {
    const { style, temperature } = this.query;
    /** @type {Partial<Query>} */
    const changed = { seed: randomSeed() };
    const sentences = [];
    if (style !== null) {
      Object.assign(changed, { style: null, variation: variationOf(this.query) });
      sentences.push("The chosen handwriting was cleared.");
    }
    if (temperature < LEAST_TEMPERATURE) {
      changed.temperature = START.temperature;
      sentences.push(
        `The temperature changed from ${temperature} to ${START.temperature}, ` +
          `because at ${temperature} every seed gives the same shapes.`,
      );
    }
    this.change(changed);
    return sentences.join(" ");
  }
}

/** @param {Query} query */
function addressOf(query) {
  const search = query.digits ? `?${pageQueryString(query)}` : "";
  return `${location.pathname}${search}${location.hash}`;
}
