// The digits of an order before they are drawn: for each its noise and its label.

import { hand, latent, mix } from "./noise.js";
import { handShare } from "./order.js";
import { decodeStyle } from "./style.js";

/**
 * @typedef {object} Cell
 * @property {Float32Array} noise (Z,)
 * @property {Float32Array} label (K,)
 * @property {number} presence 0: not yet written, 1: there
 */
/**
 * @typedef {object} Scene
 * @property {number} rows
 * @property {number} count digits in a row
 * @property {Cell[]} cells row by row
 */
/** @typedef {{model: string, latent: number, classes: number}} Facts of the model */

/**
 * @param {import("./order.js").Order} order
 * @param {Facts} facts
 * @returns {Scene}
 */
export function sceneOf(order, facts) {
  const style = order.style === null ? null : decodeStyle(order.style, facts.model, facts.latent);
  if (order.style !== null && !style) throw new Error("The style in this link is of another model.");
  const { rows, digits } = order;
  const share = handShare(order);
  const temperature = Math.fround(order.temperature);
  const cells = [];
  for (let row = 0; row < rows; row++) {
    const shared = share === 1 ? null : (style ?? hand(order.seed, row, facts.latent));
    for (let place = 0; place < digits.length; place++) {
      const own = latent(order.seed, row, place, facts.latent);
      const noise = shared ? mix(shared, own, share) : own;
      const label = oneHot(Number(digits[place]), facts.classes);
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
 * The scene `way` of the way from one to another: noise on its sphere, labels blended.
 * @param {Scene} from
 * @param {Scene} to
 * @param {number} way in [0, 1]; 1 is `to`, exactly
 * @param {number} written how much of a new digit is there, in [0, 1]
 * @returns {Scene}
 */
export function between(from, to, way, written) {
  if (way >= 1) return to;
  const cells = to.cells.map((cell, index) => {
    const [row, place] = [Math.floor(index / to.count), index % to.count];
    const known = row < from.rows && place < from.count;
    const start = known ? from.cells[row * from.count + place] : { ...cell, presence: 0 };
    const label = cell.label.map((value, k) => start.label[k] + (value - start.label[k]) * way);
    const presence = Math.max(start.presence, written);
    return { noise: turned(start.noise, cell.noise, way), label, presence };
  });
  return { ...to, cells };
}

/**
 * Along the great circle from one noise to another; the length changes evenly.
 * @param {Float32Array} from
 * @param {Float32Array} to
 * @param {number} way
 */
function turned(from, to, way) {
  const [start, end] = [Math.hypot(...from), Math.hypot(...to)];
  const product = from.reduce((sum, value, z) => sum + value * to[z], 0);
  const angle = Math.acos(Math.max(-1, Math.min(1, product / (start * end || 1))));
  if (!(angle > 1e-3 && angle < 3.1)) return from.map((value, z) => value + (to[z] - value) * way);
  const length = start + (end - start) * way;
  const first = (Math.sin((1 - way) * angle) / Math.sin(angle) / start) * length;
  const second = (Math.sin(way * angle) / Math.sin(angle) / end) * length;
  return from.map((value, z) => first * value + second * to[z]);
}
