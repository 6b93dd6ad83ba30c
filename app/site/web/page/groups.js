// The connected groups of ink in a plane, as model/reading/groups.py finds them. A group that reaches the border of
// the picture is the edge of something else, unless the digit does.

/** @typedef {import("./resample.js").Box} Box */
/** @typedef {import("./resample.js").Picture} Picture */
/** @typedef {{mask: Uint8Array, mass: number, box: Box, cut: boolean}} Group ink that belongs together; the box has whole pixels; cut: it reaches the border of the picture */

const INK = 0.5; // from which a pixel belongs to a group
const MOST = 64; // groups, before fragments are joined
const FRAGMENT = 0.5; // of the ink of the group that it belongs to, at most
const LOW = 0.6; // of its height, at most
const NEAR = 0.2; // of its height between their boxes, at most
const ABOVE = [0.5, 0.3, 0.1]; // of two halves of a digit: shared width, and height, and the gap at most
const WITHIN = 0.5; // of the fragment's box lies in that of its group: then it may be high or apart
const BORDER = 1; // pixels: what is as near to the border of the picture may go on beyond it

/**
 * The groups of a plane, most ink first.
 * @param {Picture} plane
 * @param {Box} area that the picture covers of it
 * @returns {Group[]}
 */
export function findGroups(plane, area) {
  const ink = plane.values.map((value) => Number(value >= INK));
  const parts = components({ ...plane, values: grown({ ...plane, values: ink }) });
  const groups = parts.map((part) => groupOf(part.filter((at) => ink[at]), plane, area)).sort((a, b) => b.mass - a.mass);
  /** @type {Group[]} */
  const whole = [];
  for (const group of groups.slice(0, MOST)) {
    const owner = whole.findIndex((larger) => belongs(group, larger));
    if (owner < 0) whole.push(group);
    else whole[owner] = joined([whole[owner], group], plane, area);
  }
  return whole;
}

/**
 * @param {Group[]} groups
 * @param {Picture} plane
 * @param {Box} area
 */
export function joined(groups, plane, area) {
  const places = Array.from(plane.values.keys()).filter((at) => groups.some(({ mask }) => mask[at]));
  return groupOf(places, plane, area);
}

/**
 * @param {number[]} places of pixels, at least one
 * @param {Picture} plane
 * @param {Box} area
 * @returns {Group}
 */
function groupOf(places, { values, width }, area) {
  const mask = new Uint8Array(values.length);
  let mass = 0;
  /** @type {Box} */
  const box = [Infinity, Infinity, 0, 0];
  for (const at of places) {
    const [x, y] = [at % width, Math.floor(at / width)];
    mask[at] = 1;
    mass += values[at];
    [box[0], box[1]] = [Math.min(box[0], x), Math.min(box[1], y)];
    [box[2], box[3]] = [Math.max(box[2], x + 1), Math.max(box[3], y + 1)];
  }
  const space = Math.min(box[0] - area[0], box[1] - area[1], area[2] - box[2], area[3] - box[3]);
  return { mask, mass, box, cut: space <= BORDER };
}

/**
 * Whether a group is a fragment of a larger one, such as the bar of a 5.
 * @param {Group} small
 * @param {Group} large
 */
function belongs(small, large) {
  if (small.cut && !large.cut) return false;
  if (small.cut === large.cut && halves(small.box, large.box)) return true;
  if (small.mass > FRAGMENT * large.mass) return false;
  if (overlap(small.box, large.box) >= WITHIN) return true;
  const [[left, top, right, bottom], other] = [small.box, large.box];
  const height = other[3] - other[1];
  const apart = Math.max(left - other[2], other[0] - right, top - other[3], other[1] - bottom);
  return bottom - top <= LOW * height && apart <= NEAR * height;
}

/**
 * Whether one box continues right above or below the other, as in a 3 that is broken.
 * @param {Box} one
 * @param {Box} other
 */
function halves([left, top, right, bottom], other) {
  const [width, shared, gap] = ABOVE;
  const wide = Math.min(right, other[2]) - Math.max(left, other[0]);
  const high = Math.min(bottom, other[3]) - Math.max(top, other[1]); // negative: the gap
  const whole = Math.max(bottom, other[3]) - Math.min(top, other[1]);
  return wide >= width * Math.min(right - left, other[2] - other[0])
    && high >= -gap * whole
    && high <= shared * Math.min(bottom - top, other[3] - other[1]);
}

/**
 * The share of a box that lies in another one.
 * @param {Box} box
 * @param {Box} other
 */
export function overlap([left, top, right, bottom], other) {
  const wide = Math.min(right, other[2]) - Math.max(left, other[0]);
  const high = Math.min(bottom, other[3]) - Math.max(top, other[1]);
  return (Math.max(wide, 0) * Math.max(high, 0)) / ((right - left) * (bottom - top));
}

/**
 * The largest value of each pixel and its eight neighbours.
 * @param {Picture} plane
 */
export function grown({ values, width, height }) {
  const result = new Float32Array(values.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let most = 0;
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) most = Math.max(most, values[row * width + column]);
      }
      result[y * width + x] = most;
    }
  }
  return result;
}

/**
 * The places of the pixels above 0, by group; pixels that touch by a corner are in one.
 * @param {Picture} plane
 */
function components({ values, width, height }) {
  const seen = new Uint8Array(values.length);
  /** @type {number[][]} */
  const parts = [];
  values.forEach((value, start) => {
    if (!value || seen[start]) return;
    const part = [start];
    seen[start] = 1;
    for (let next = 0; next < part.length; next++) {
      const [x, y] = [part[next] % width, Math.floor(part[next] / width)];
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
          const at = row * width + column;
          if (!values[at] || seen[at]) continue;
          seen[at] = 1;
          part.push(at);
        }
      }
    }
    parts.push(part);
  });
  return parts;
}
