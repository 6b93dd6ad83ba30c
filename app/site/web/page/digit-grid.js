// The inputs of the decoder: noise and label of each digit in a grid of lines.

import { digitNoise, hand, mix } from "./noise.js";
import { variationOf } from "./query.js";
import { decodeStyle } from "./style.js";

/**
 * @typedef {object} Cell one digit
 * @property {Float32Array} noise (Z,)
 * @property {Float32Array} label (K,)
 * @property {number} presence from 0, not visible yet, to 1, fully visible
 */
/**
 * @typedef {object} DigitGrid
 * @property {number} rows
 * @property {number} count digits in a row
 * @property {Cell[]} cells row by row
 */
/** @typedef {{hash: string, latentSize: number, classes: number}} Model hash, Z and K of the model */

/**
 * @param {import("./query.js").Query} query
 * @param {Model} model
 * @returns {DigitGrid}
 */
export function gridOf(query, model) {
  const style = query.style === null ? null : decodeStyle(query.style, model);
  if (query.style !== null && !style) throw new Error("The style in this link belongs to a different model.");
  const { rows, digits } = query;
  const variation = variationOf(query);
  const temperature = Math.fround(query.temperature);
  const cells = [];
  for (let row = 0; row < rows; row++) {
    const shared = variation === 1 ? null : (style ?? hand(query.seed, row, model.latentSize));
    for (let position = 0; position < digits.length; position++) {
      const own = digitNoise(query.seed, row, position, model.latentSize);
      const noise = shared ? mix(shared, own, variation) : own;
      const label = oneHot(Number(digits[position]), model.classes);
      cells.push({ noise: noise.map((value) => value * temperature), label, presence: 1 });
    }
  }
  return { rows, count: digits.length, cells };
}

/**
 * @param {number} digit
 * @param {number} classes
 */
export function oneHot(digit, classes) {
  const label = new Float32Array(classes);
  label[digit] = 1;
  return label;
}

/**
 * A grid between two others: noise on a great circle, labels linearly.
 * @param {DigitGrid} from
 * @param {DigitGrid} to
 * @param {number} progress in [0, 1]; 1 is exactly `to`
 * @param {number} presence of digits that `from` does not have, in [0, 1]
 * @returns {DigitGrid}
 */
export function interpolate(from, to, progress, presence) {
  if (progress >= 1) return to;
  const cells = to.cells.map((cell, index) => {
    const [row, position] = [Math.floor(index / to.count), index % to.count];
    const known = row < from.rows && position < from.count;
    const start = known ? from.cells[row * from.count + position] : { ...cell, presence: 0 };
    const label = cell.label.map((value, k) => start.label[k] + (value - start.label[k]) * progress);
    const noise = interpolateNoise(start.noise, cell.noise, progress);
    return { noise, label, presence: Math.max(start.presence, presence) };
  });
  return { ...to, cells };
}

/**
 * Noise along the great circle between two noises; its length changes linearly.
 * @param {Float32Array} from
 * @param {Float32Array} to
 * @param {number} progress in [0, 1]
 */
function interpolateNoise(from, to, progress) {
  const [start, end] = [Math.hypot(...from), Math.hypot(...to)];
  const product = from.reduce((sum, value, z) => sum + value * to[z], 0);
  const angle = Math.acos(Math.max(-1, Math.min(1, product / (start * end || 1))));
  if (!(angle > 1e-3 && angle < 3.1)) return from.map((value, z) => value + (to[z] - value) * progress);
  const length = start + (end - start) * progress;
  const first = (Math.sin((1 - progress) * angle) / Math.sin(angle) / start) * length;
  const second = (Math.sin(progress * angle) / Math.sin(angle) / end) * length;
  return from.map((value, z) => first * value + second * to[z]);
}
