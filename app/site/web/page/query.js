// The parameters of GET /generate: read from a link, and written to one.

import { MAX_SEED } from "./noise.js";
import { readNumber } from "./number.js";

/**
 * @typedef {object} Query
 * @property {string} digits what the model draws
 * @property {string | null} text these digits with marks between them; null: without marks
 * @property {number} seed
 * @property {number} rows
 * @property {number | null} variation null: 1, or 0 with a style
 * @property {number} temperature
 * @property {string | null} style
 * @property {"cell" | "tight"} spacing
 * @property {number} gap
 * @property {number} scale
 * @property {string} ink 6 hex digits
 * @property {string} paper 6 hex digits, or transparent
 * @property {"pixels" | "ink"} render
 * @property {number} pen thickness of the strokes of ink
 */

/** @type {Query} the defaults of the API, with a number to start with */
export const DEFAULTS = {
  digits: "2018",
  text: null,
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
  render: "pixels",
  pen: 1,
};

/** @type {Record<string, [number, number]>} */
const LIMITS = {
  seed: [0, MAX_SEED],
  rows: [1, 16],
  variation: [0, 1],
  temperature: [0, 1.5],
  gap: [-12, 28],
  scale: [1, 16],
  pen: [0.2, 2],
};
const INTEGERS = new Set(["seed", "rows", "gap", "scale"]);
const OWN_DEFAULTS = new Set(["ink", "paper", "render", "scale"]); // the page's defaults differ from the API's

/**
 * The query in a link.
 * @param {string} search with or without the question mark
 * @param {Query} fallback for parameters that the link omits
 * @returns {{query: Query, ignored: string[]}} ignored: names of unknown or invalid parameters
 */
export function readQuery(search, fallback) {
  const query = { ...fallback };
  /** @type {string[]} */
  const ignored = [];
  for (const [name, text] of new URLSearchParams(search)) {
    const value = readValue(name, text);
    if (value === undefined) ignored.push(name);
    else Object.assign(query, typeof value === "object" ? value : { [name]: value });
  }
  return { query, ignored };
}

/**
 * @param {string} name
 * @param {string} text
 * @returns {string | number | Partial<Query> | undefined} undefined: not allowed
 */
function readValue(name, text) {
  if (name === "digits") return /^[0-9]{1,64}$/.test(text) ? { digits: text, text: null } : undefined;
  if (name === "text") return readText(text);
  if (name === "style") return /^[A-Za-z0-9_-]{1,1000}$/.test(text) ? text : undefined;
  if (name === "spacing") return text === "cell" || text === "tight" ? text : undefined;
  if (name === "render") return text === "pixels" || text === "ink" ? text : undefined;
  if (name === "paper" && text === "transparent") return text;
  if (name === "ink" || name === "paper") return readColour(text);
  if (!(name in LIMITS) || !/^-?[0-9]{1,10}(\.[0-9]{1,9})?$/.test(text)) return undefined;
  const [min, max] = LIMITS[name];
  const value = Number(text);
  const valid = value >= min && value <= max && (!INTEGERS.has(name) || Number.isInteger(value));
  return valid ? value : undefined;
}

/** @param {string} text */
function readText(text) {
  const { digits, text: marked, message } = readNumber(text);
  return message ? undefined : { digits, text: marked };
}

/** @param {string} text */
function readColour(text) {
  const hex = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text)?.[1].toLowerCase();
  return hex?.length === 3 ? [...hex].map((digit) => digit + digit).join("") : hex;
}

/**
 * The query string of /generate, without parameters that have the API's default.
 * @param {Query} query
 * @param {Record<string, string>} [extra] more parameters, such as the format
 */
export function apiQueryString(query, extra = {}) {
  return queryString(query, extra, new Set());
}

/**
 * The query string of the page, which always contains the parameters with defaults of its own.
 * @param {Query} query
 */
export function pageQueryString(query) {
  return queryString(query, {}, OWN_DEFAULTS);
}

/**
 * @param {Query} query
 * @param {Record<string, string>} extra
 * @param {Set<string>} always names of parameters to write even if they have their default
 */
function queryString(query, extra, always) {
  const number = { [query.text === null ? "digits" : "text"]: writtenIn(query) };
  const parameters = new URLSearchParams({ ...number, seed: String(query.seed) });
  for (const [name, value] of Object.entries(query)) {
    const usual = /** @type {Record<string, unknown>} */ (DEFAULTS)[name];
    if (name === "pen" && query.render === "pixels") continue; // a pen shapes ink only
    if (parameters.has(name) || name === "digits" || value === null || (value === usual && !always.has(name))) continue;
    parameters.set(name, typeof value === "number" ? String(Number(value.toFixed(4))) : value);
  }
  for (const [name, value] of Object.entries(extra)) parameters.set(name, value);
  return parameters.toString();
}

/**
 * The number as it is written, with its marks.
 * @param {Query} query
 */
export function writtenIn({ digits, text }) {
  return text ?? digits;
}

/**
 * The variation, with its default filled in.
 * @param {Query} query
 */
export function variationOf({ variation, style }) {
  return variation ?? (style === null ? 1 : 0);
}

/** A new seed. */
export function randomSeed() {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
