// Marks between digits, such as a decimal point, drawn by rule as app/drawing/marks.py does.

import { BASELINE, CELL, stitch } from "./sheet.js";

/** @typedef {[number, number]} Point from the middle of the baseline, to the right and up, in pixels */

const DOT = 1.3; // diameter of a dot, in widths of a stroke
const MAX_SLANT = 0.6; // columns to the right, per row up
const [LEAST_WEIGHT, MOST_WEIGHT] = [1, 4]; // pixels, width of a stroke
/** @type {Record<string, [Point, Point][]>} a stroke that ends where it begins is a dot */
const STROKES = {
  ".": [[[0, 1.5], [0, 1.5]]],
  ",": [[[0.5, 1], [-1, -2]]],
  ":": [[[0, 4], [0, 4]], [[0, 13], [0, 13]]],
  "-": [[[-4, 9], [4, 9]]],
  "/": [[[0, -1], [0, 20]]],
  " ": [],
};
/** @type {Record<string, number>} beside the slant of the line */
const LEANING = { "/": 0.4 };
export const MARKS = Object.keys(STROKES);

/**
 * The sheet of a query, from the pictures of its digits.
 * @param {Uint8Array} pictures (rows * count) pictures of CELL x CELL
 * @param {{rows: number, count: number}} grid
 * @param {{text: string | null, spacing: "cell" | "tight", gap: number}} query
 */
export function sheetOf(pictures, { rows, count }, { text, spacing, gap }) {
  if (text === null || count !== withoutMarks(text).length) return stitch(pictures, rows, count, spacing, gap);
  const size = CELL * CELL;
  const all = new Uint8Array(rows * text.length * size);
  for (let row = 0; row < rows; row++) {
    const line = pictures.subarray(row * count * size, (row + 1) * count * size);
    const style = styleOf(line);
    let position = 0;
    [...text].forEach((sign, place) => {
      const picture = sign in STROKES ? mark(sign, style) : line.subarray(position * size, ++position * size);
      all.set(picture, (row * text.length + place) * size);
    });
  }
  return stitch(all, rows, text.length, spacing, gap, [...text].map((sign) => !(sign in STROKES)));
}

/** @param {string} text */
export function withoutMarks(text) {
  return [...text].filter((sign) => !(sign in STROKES)).join("");
}

/**
 * Which marks a text has, and where: each digit as 0.
 * @param {string} text
 */
export function withoutDigits(text) {
  return [...text].map((sign) => (sign in STROKES ? sign : "0")).join("");
}

/**
 * @param {string} sign
 * @param {{weight: number, slant: number}} style of its line
 */
function mark(sign, { weight, slant }) {
  const lean = slant + (LEANING[sign] ?? 0);
  return Uint8Array.from({ length: CELL * CELL }, (_, index) => {
    const up = BASELINE - 0.5 - Math.floor(index / CELL);
    const right = (index % CELL) + 0.5 - CELL / 2 - lean * up;
    const shares = STROKES[sign].map(([begin, end]) => {
      const dot = begin[0] === end[0] && begin[1] === end[1];
      return clip((weight / 2) * (dot ? DOT : 1) - distance(right, up, begin, end) + 0.5, 0, 1);
    });
    return Math.round(255 * Math.max(0, ...shares));
  });
}

/**
 * The distance of a point from a stroke.
 * @param {number} right
 * @param {number} up
 * @param {Point} begin
 * @param {Point} end
 */
function distance(right, up, begin, end) {
  const along = [end[0] - begin[0], end[1] - begin[1]];
  const length = along[0] ** 2 + along[1] ** 2;
  const [x, y] = [right - begin[0], up - begin[1]];
  const share = length ? clip((x * along[0] + y * along[1]) / length, 0, 1) : 0;
  return Math.hypot(x - share * along[0], y - share * along[1]);
}

/**
 * Width of the strokes and mean slant of a line of digits.
 * @param {Uint8Array} line pictures of CELL x CELL
 */
function styleOf(line) {
  const count = line.length / CELL ** 2;
  let [area, edge, slants] = [0, 0, 0];
  for (let index = 0; index < count; index++) {
    /** @param {number} y @param {number} x */
    const at = (y, x) => (Math.min(x, y) < 0 || Math.max(x, y) >= CELL ? 0 : line[(index * CELL + y) * CELL + x] / 255);
    const sums = { ink: 0, row: 0, column: 0, square: 0, product: 0 };
    for (let y = -1; y < CELL; y++) {
      for (let x = -1; x < CELL; x++) {
        // As far as app/drawing/marks.py looks: from one row above and one column to the left.
        const ink = at(y, x);
        edge += Math.hypot(at(y + 1, x + 1) - at(y, x + 1), at(y + 1, x + 1) - at(y + 1, x));
        area += ink;
        sums.ink += ink;
        sums.row += ink * y;
        sums.column += ink * x;
        sums.square += ink * y * y;
        sums.product += ink * x * y;
      }
    }
    const total = Math.max(sums.ink, 1e-9);
    const spread = Math.max(sums.square - sums.row ** 2 / total, 1e-9);
    slants -= (sums.product - (sums.row * sums.column) / total) / spread;
  }
  return {
    weight: clip((2 * area) / Math.max(edge, 1), LEAST_WEIGHT, MOST_WEIGHT),
    slant: clip(slants / count, -MAX_SLANT, MAX_SLANT),
  };
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
function clip(value, low, high) {
  return Math.max(low, Math.min(high, value));
}
