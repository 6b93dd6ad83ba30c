// Strokes made thinner or thicker, as in app/drawing/pen.py, where the method is explained.

import { blurred } from "./grid.js";

/** @typedef {import("./grid.js").Grid} Grid */

const REACH = 7; // pixels
const HAIRLINE = 0.3; // pixels
const GAP = 0.4; // share of a gap's width that stays paper
const NEARBY = 2; // pixels
const ENCLOSED = 7; // neighbours
const REMOVALS = [
  [0, 2, 4, 6],
  [2, 0, 6, 4],
]; // neighbours that decide, in the two halves of a step

/**
 * The distance from the edge of the strokes in pixels, positive inside, with another thickness.
 * @param {Grid} height above 0 in the ink
 * @param {number} fineness points along each pixel
 * @param {number} pen the new thickness, in multiples of the old
 * @returns {Grid}
 */
export function reshapeStrokes({ width, height, values }, fineness, pen) {
  const ink = Uint8Array.from(values, (value) => Number(value > 0));
  const reach = REACH * fineness;
  const inside = distance(ink, width, reach).map((depth) => depth - 0.5);
  const outside = distance(inverted(ink), width, reach).map((depth) => depth - 0.5);
  const middle = middleLine(ink, width);
  const half = halfWidth(inside, middle, width, pen < 1 ? NEARBY * fineness : reach);
  const edge = inside.map((depth, at) => (ink[at] ? depth : -outside[at]));
  if (pen < 1) {
    const away = distance(inverted(middle), width, reach);
    edge.forEach((depth, at) => {
      const fromMiddle = Math.max(pen * half[at], HAIRLINE * fineness) - away[at];
      edge[at] = pen * (depth - (1 - pen) * half[at]) + (1 - pen) * fromMiddle;
    });
  } else {
    const kept = keptPaper(outside, width, fineness);
    edge.forEach((depth, at) => (edge[at] = Math.min(depth + (pen - 1) * half[at], kept[at])));
  }
  const pixels = edge.map((depth) => depth / fineness);
  return blurred(blurred({ width, height, values: pixels }, 1 / 4), 1 / 4);
}

/**
 * The distance from the paper that must stay.
 * @param {Float32Array} outside
 * @param {number} width
 * @param {number} fineness
 */
function keptPaper(outside, width, fineness) {
  const gap = middleLine(Uint8Array.from(outside, (depth) => Number(depth > 0)), width);
  const half = halfWidth(outside, gap, width, NEARBY * fineness);
  const away = distance(inverted(gap), width, REACH * fineness);
  return away.map((from, at) => from - Math.min(Math.max(GAP * half[at], HAIRLINE * fineness), half[at]));
}

/** @param {Uint8Array} mask */
const inverted = (mask) => mask.map((value) => 1 - value);

/**
 * The distance of each 1 from the nearest 0, in points, at most `reach`.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} reach
 */
function distance(mask, width, reach) {
  const lines = new Float32Array(mask.length);
  for (let x = 0; x < width; x++) {
    for (let at = x, last = reach; at < mask.length; at += width) lines[at] = last = mask[at] ? Math.min(last + 1, reach) : 0;
    for (let at = mask.length - width + x, last = reach; at >= 0; at -= width) {
      last = mask[at] ? Math.min(last + 1, reach) : 0;
      lines[at] = Math.min(lines[at], last);
    }
  }
  return lines.map((line, at) => {
    let nearest = line * line;
    const x = at % width;
    for (let step = 1; step * step < nearest; step++) {
      if (x >= step) nearest = Math.min(nearest, lines[at - step] ** 2 + step * step);
      if (x + step < width) nearest = Math.min(nearest, lines[at + step] ** 2 + step * step);
    }
    return Math.sqrt(nearest);
  });
}

/**
 * The middle lines of the strokes of a mask, one point wide.
 * @param {Uint8Array} mask
 * @param {number} width
 */
function middleLine(mask, width) {
  const thin = mask.slice();
  let places = Array.from(thin.keys()).filter((at) => thin[at]);
  for (let changed = true; changed; ) {
    changed = false;
    for (const sides of REMOVALS) {
      const removed = places.filter((at) => removable(thin, at, width, sides));
      for (const at of removed) thin[at] = 0;
      if (removed.length) {
        changed = true;
        places = places.filter((at) => thin[at]);
      }
    }
  }
  return thin;
}

/**
 * Whether a point lies on an edge and connects nothing.
 * @param {Uint8Array} thin
 * @param {number} at
 * @param {number} width
 * @param {number[]} sides
 */
function removable(thin, at, width, [a, b, c, d]) {
  const x = at % width;
  /** @param {number} place @param {boolean} within */
  const value = (place, within) => (within ? (thin[place] ?? 0) : 0);
  const [west, east] = [x > 0, x < width - 1];
  const ring = [
    value(at - width, true),
    value(at - width + 1, east),
    value(at + 1, east),
    value(at + width + 1, east),
    value(at + width, true),
    value(at + width - 1, west),
    value(at - 1, west),
    value(at - width - 1, west),
  ];
  let [count, begins] = [0, 0];
  for (let i = 0; i < 8; i++) {
    count += ring[i];
    if (!ring[i] && ring[(i + 1) % 8]) begins++;
  }
  if (count < 2 || count >= ENCLOSED || begins !== 1) return false;
  return !(ring[a] && ring[b] && ring[c]) && !(ring[b] && ring[c] && ring[d]);
}

/**
 * Half the width of the nearest stroke: the mean depth of its middle line nearby.
 * @param {Float32Array} depth
 * @param {Uint8Array} middle
 * @param {number} width
 * @param {number} radius
 */
function halfWidth(depth, middle, width, radius) {
  const count = boxSum(Float64Array.from(middle), width, radius);
  const total = boxSum(Float64Array.from(depth, (value, at) => value * middle[at]), width, radius);
  return Float32Array.from(total, (sum, at) => sum / Math.max(count[at], 1));
}

/**
 * The sum of the values in a square around each.
 * @param {Float64Array} values
 * @param {number} width
 * @param {number} radius
 */
function boxSum(values, width, radius) {
  return slide(slide(values, values.length / width, width, 1, radius), width, 1, width, radius);
}

/**
 * The sums over 2 * radius + 1 values along lines.
 * @param {Float64Array} values
 * @param {number} lines how many
 * @param {number} stride from line to line
 * @param {number} step from value to value along a line
 * @param {number} radius
 */
function slide(values, lines, stride, step, radius) {
  const length = values.length / lines;
  const result = new Float64Array(values.length);
  for (let line = 0; line < lines; line++) {
    const first = line * stride;
    let sum = 0;
    for (let i = -radius; i < length; i++) {
      if (i + radius < length) sum += values[first + (i + radius) * step];
      if (i - radius - 1 >= 0) sum -= values[first + (i - radius - 1) * step];
      if (i >= 0) result[first + i * step] = sum;
    }
  }
  return result;
}
