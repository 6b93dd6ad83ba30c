// Reads a number as people type it, and says what was left out.

import { MARKS, withoutMarks } from "./marks.js";

export const MAX_DIGITS = 64;
const list = new Intl.ListFormat("en-GB");
/** @type {Record<string, string>} other signs for marks, as in app/request/line.py */
const SPELLED = { "\u066b": ".", "\u060c": "," };
for (const dash of "\u2010\u2011\u2012\u2013\u2014\u2212") SPELLED[dash] = "-";

/**
 * The number in a text.
 * @param {string} typed digits of any script, such as full-width ones, and marks in any form
 * @returns {{written: string, digits: string, text: string | null, message: string}}
 *   written: what can be drawn; text: the same if it has digits and marks, else null; message: what is not drawn
 */
export function readNumber(typed) {
  const left = new Set();
  let written = "";
  for (const character of typed) {
    const sign = signOf(character);
    if (sign !== null) written += sign;
    else left.add(`“${character}”`);
  }
  const sentences = [];
  if (left.size) sentences.push(`Left out ${list.format([...left])}: only digits and . , : - / and spaces can be drawn.`);
  if (written.length > MAX_DIGITS) {
    const more = written.length - MAX_DIGITS;
    sentences.push(`Left out the last ${more === 1 ? "character" : `${more} characters`}: at most ${MAX_DIGITS} can be drawn.`);
    written = written.slice(0, MAX_DIGITS);
  }
  const digits = withoutMarks(written);
  if (!digits) sentences.push("Type a number.");
  return { written, digits, text: digits && digits !== written ? written : null, message: sentences.join(" ") };
}

/**
 * The sentence that tells marks from what the model draws.
 * @param {string | null} text digits and marks; null: no marks
 */
export function drawnByRule(text) {
  const drawn = [...new Set(text ?? "")].filter((sign) => sign !== " " && MARKS.includes(sign));
  if (!drawn.length) return "";
  return `The model draws the digits; ${list.format(drawn.map((sign) => `“${sign}”`))} ${drawn.length > 1 ? "are" : "is"} drawn by rule.`;
}

/**
 * A character as one of 0 to 9 or of the marks.
 * @param {string} character
 * @returns {string | null} null: neither
 */
function signOf(character) {
  const plain = /^[\uff01-\uff5e]$/.test(character) ? character.normalize("NFKC") : character; // full-width
  if (/^\s$/.test(plain)) return " ";
  const sign = SPELLED[plain] ?? plain;
  return MARKS.includes(sign) ? sign : digitOf(plain);
}

/**
 * The value of a decimal digit of any script: Unicode has ten of each in a row.
 * @param {string} character
 * @returns {string | null} null: not a digit
 */
function digitOf(character) {
  const code = character.codePointAt(0) ?? 0;
  let first = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first))) first--;
  return first === code ? null : String((code - first - 1) % 10);
}
