// Reads a number as people type it, and says what was left out.

import { MAX_DIGITS } from "./query.js";

const list = new Intl.ListFormat("en-GB");

/**
 * The digits of a text.
 * @param {string} text as typed; digits of other scripts, such as full-width ones, are converted
 * @returns {{digits: string, message: string}} message: what is not drawn; empty: everything is
 */
export function readNumber(text) {
  const left = new Set();
  let digits = "";
  for (const character of text) {
    const digit = digitOf(character);
    if (digit !== null) digits += digit;
    else left.add(/\s/.test(character) ? "the space" : `“${character}”`);
  }
  const sentences = [];
  if (left.size) sentences.push(`Left out ${list.format([...left])}: only the digits 0 to 9 can be drawn.`);
  if (digits.length > MAX_DIGITS) {
    sentences.push(`Left out the last ${digits.length - MAX_DIGITS} digits: at most ${MAX_DIGITS} can be drawn.`);
  }
  if (!digits) sentences.push("Type a number.");
  return { digits: digits.slice(0, MAX_DIGITS), message: sentences.join(" ") };
}

/**
 * The value of a decimal digit of any script: Unicode has ten of each in a row.
 * @param {string} character
 * @returns {number | null} null: not a digit
 */
function digitOf(character) {
  const code = character.codePointAt(0) ?? 0;
  let first = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(first))) first--;
  return first === code ? null : (code - first - 1) % 10;
}
