// What is to be drawn: the parameters of GET /generate, read from a link and written into one.

import { MAX_SEED } from "./noise.js";

/**
 * @typedef {object} Order
 * @property {string} digits
 * @property {number} seed
 * @property {number} rows
 * @property {number | null} variation null: 1, or 0 where a style is given
 * @property {number} temperature
 * @property {string | null} style
 * @property {"cell" | "tight"} spacing
 * @property {number} gap
 * @property {number} scale
 * @property {string} ink 6 hex digits
 * @property {string} paper 6 hex digits, or transparent
 */

/** @type {Order} as the API has them, with a number to begin with */
export const DEFAULTS = {
  digits: "2018",
  seed: 0,
  rows: 1,
  variation: null,
  temperature: 1,
  style: null,
  spacing: "cell",
  gap: 0,
  scale: 1,
  ink: "ffffff",
  paper: "000000",
};

export const MAX_DIGITS = 64;
/** @type {Record<string, [number, number]>} */
const LIMITS = {
  seed: [0, MAX_SEED],
  rows: [1, 16],
  variation: [0, 1],
  temperature: [0, 1.5],
  gap: [-12, 28],
  scale: [1, 16],
};
const WHOLE = new Set(["seed", "rows", "gap", "scale"]);
const PAGE_ONLY = new Set(["ink", "paper", "scale"]); // the page's own defaults are not the API's

/**
 * The order in a link.
 * @param {string} search with or without the question mark
 * @param {Order} fallback for what the link leaves out
 * @returns {{order: Order, ignored: string[]}} also the names of what could not be used
 */
export function readOrder(search, fallback) {
  const order = { ...fallback };
  /** @type {string[]} */
  const ignored = [];
  for (const [name, text] of new URLSearchParams(search)) {
    const value = read(name, text);
    if (value === undefined) ignored.push(name);
    else Object.assign(order, { [name]: value });
  }
  return { order, ignored };
}

/**
 * @param {string} name
 * @param {string} text
 * @returns {string | number | undefined} undefined: not allowed
 */
function read(name, text) {
  if (name === "digits") return /^[0-9]{1,64}$/.test(text) ? text : undefined;
  if (name === "style") return /^[A-Za-z0-9_-]{1,1000}$/.test(text) ? text : undefined;
  if (name === "spacing") return text === "cell" || text === "tight" ? text : undefined;
  if (name === "paper" && text === "transparent") return text;
  if (name === "ink" || name === "paper") return readColour(text);
  if (!(name in LIMITS) || !/^-?[0-9]{1,10}(\.[0-9]{1,9})?$/.test(text)) return undefined;
  const [least, most] = LIMITS[name];
  const value = Number(text);
  const fits = value >= least && value <= most && (!WHOLE.has(name) || Number.isInteger(value));
  return fits ? value : undefined;
}

/** @param {string} text */
function readColour(text) {
  const found = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text)?.[1].toLowerCase();
  return found?.length === 3 ? [...found].map((digit) => digit + digit).join("") : found;
}

/**
 * The query string of /generate that draws an order, without what goes without saying.
 * @param {Order} order
 * @param {Record<string, string>} [more] such as the format
 */
export function apiQuery(order, more = {}) {
  return write(order, more, () => false);
}

/**
 * The query string of the page itself: it always names what the page chooses by itself.
 * @param {Order} order
 */
export function pageQuery(order) {
  return write(order, {}, (name) => PAGE_ONLY.has(name));
}

/**
 * @param {Order} order
 * @param {Record<string, string>} more
 * @param {(name: string) => boolean} always
 */
function write(order, more, always) {
  const query = new URLSearchParams({ digits: order.digits, seed: String(order.seed) });
  for (const [name, value] of Object.entries(order)) {
    const usual = /** @type {Record<string, unknown>} */ (DEFAULTS)[name];
    if (query.has(name) || value === null || (value === usual && !always(name))) continue;
    query.set(name, typeof value === "number" ? String(Number(value.toFixed(4))) : value);
  }
  for (const [name, value] of Object.entries(more)) query.set(name, value);
  return query.toString();
}

/**
 * How far digits depart from their line's hand, with the default of variation filled in.
 * @param {Order} order
 */
export function handShare({ variation, style }) {
  return variation ?? (style === null ? 1 : 0);
}

/** A new seed. */
export function randomSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
