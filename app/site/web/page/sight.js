// What is seen in a picture: digits with their labels, or a refusal that says what was there, in the
// words of app/drawing/sight.py.

import { PictureError } from "./picture-error.js";
import { LABELS, read, readLine } from "./reader.js";

/** @typedef {import("./reader.js").Seen} Seen */
/** @typedef {import("./reader-networks.js").ReaderNetworks} ReaderNetworks */
/** @typedef {import("./resample.js").Picture} Picture */
/**
 * @typedef {object} Sight a digit that was seen
 * @property {number} label what it was read as, or was said to be
 * @property {number} confidence the probability of the label
 * @property {{label: number, confidence: number}[]} runnersUp
 * @property {Float32Array} digit (784,) in [0, 1], in the form of MNIST
 * @property {string | null} unused why it has no part in the handwriting
 */

const NO_DIGIT = 0.7; // probability from which a group of ink is not a digit
const UNREADABLE = 0.15; // confidence under which a digit is not used
const BESIDE = 0.7; // confidence under which a digit does not count beside one above it
const RUNNERS_UP = 3;
const BORDER = 1 / 60; // of the longer side of a picture: what comes nearer to it is cut, or may be
const NO_INK = "holds no ink: nothing stands out from its background";

/**
 * The one digit in a picture.
 * @param {ReaderNetworks} networks
 * @param {Picture} picture in colour
 * @param {number | null} label what the digit is, if that is known: then it is the group of ink most like it
 * @returns {Sight[]}
 * @throws {PictureError} it shows no ink, no digit, or several
 */
export function seeDigit(networks, picture, label) {
  const groups = read(networks, picture);
  if (!groups.length) throw new PictureError("no_ink", NO_INK);
  if (label !== null) return [sightOf(groups.reduce((best, seen) => (seen.shares[label] > best.shares[label] ? seen : best)), label)];
  const all = groups.filter(isDigit);
  if (!all.length) throw new PictureError("no_digit", nothing(groups));
  // The edge of a neighbour may look like a digit, but not beside one that is whole.
  const whole = all.filter((seen) => isWhole(seen, picture));
  const likely = whole.length ? whole : all;
  const sure = likely.filter((seen) => seen.shares[labelOf(seen)] >= BESIDE);
  const digits = sure.length ? sure : likely;
  if (digits.length > 1) {
    const labels = digits.sort((a, b) => a.box[0] - b.box[0] || a.box[1] - b.box[1]).map(labelOf);
    throw new PictureError("several_digits", `shows ${digits.length} digits, read as ${labels.join(" and ")}`);
  }
  return [sightOf(digits[0], labelOf(digits[0]))];
}

/**
 * All digits of a picture from left to right, and what cannot be used.
 * @param {ReaderNetworks} networks
 * @param {Picture} picture in colour
 * @returns {Sight[]}
 * @throws {PictureError} no digit among them can be used
 */
export function seeLine(networks, picture) {
  const groups = readLine(networks, picture);
  if (!groups.length) throw new PictureError("no_ink", NO_INK);
  if (!groups.some(isDigit)) throw new PictureError("no_digit", nothing(groups));
  return groups.map((seen) => ({ ...sightOf(seen, labelOf(seen)), unused: isDigit(seen) ? null : reason(seen) }));
}

/** @param {Seen} seen */
function labelOf({ shares }) {
  return shares.indexOf(Math.max(...shares.subarray(0, LABELS)));
}

/** @param {Seen} seen */
function isDigit(seen) {
  return seen.shares[LABELS] < NO_DIGIT && seen.shares[labelOf(seen)] >= UNREADABLE;
}

/**
 * Whether a group is apart from the border of the picture.
 * @param {Seen} seen
 * @param {Picture} picture
 */
function isWhole({ box: [left, top, right, bottom] }, { width, height }) {
  return Math.min(left, top, width - right, height - bottom) > BORDER * Math.max(width, height);
}

/**
 * @param {Seen} seen
 * @param {number} label
 * @returns {Sight}
 */
function sightOf({ digit, shares }, label) {
  const others = Array.from({ length: LABELS }, (_, other) => other).filter((other) => other !== label);
  const runnersUp = others.sort((a, b) => shares[b] - shares[a]).slice(0, RUNNERS_UP).map((other) => ({ label: other, confidence: shares[other] }));
  return { label, confidence: shares[label], runnersUp, digit, unused: null };
}

/** @param {Seen} seen that is not read */
function reason(seen) {
  const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(0)}%`;
  if (seen.shares[LABELS] >= NO_DIGIT) return `it is probably not a digit (${percent(seen.shares[LABELS])})`;
  return `it could be ${labelOf(seen)}, but only with a probability of ${percent(seen.shares[labelOf(seen)])}`;
}

/**
 * What a picture of ink without a digit shows.
 * @param {Seen[]} groups
 */
function nothing(groups) {
  const count = groups.length === 1 ? "a mark" : `${groups.length} marks`;
  return `shows ${count} and no digit that can be read; of the largest, ${reason(groups[0])}`;
}
