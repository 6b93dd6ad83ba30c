// A sheet as smooth outlines of ink, drawn as app/drawing/ink.py does, where the method is explained.

import { blurred, enlarged, highestNearby } from "./grid.js";
import { reshapeStrokes } from "./pen.js";

/** @typedef {import("./grid.js").Grid} Grid */
/** @typedef {import("./sheet.js").Sheet} Sheet */

const LEVEL = 0.45; // share of full ink on the outline
const SMOOTHING = 0.1;
const [FLAT, STEEP] = [0.12, 0.3]; // change of the ink along a pixel, at soft and at crisp edges
const STEEPEST = 0.7;
const SOFT_WIDTH = 0.7; // of a soft edge, in shares of full ink
const SOFT_PIXELS = 2; // the same in pixels, with a pen
const VISIBLE = LEVEL - SOFT_WIDTH / 2;
const FINENESS = 4; // points along each pixel, for a pen
const MARGIN = 1; // pixels of paper around a sheet

/**
 * A sheet as ink with smooth edges.
 * @param {Sheet} sheet
 * @param {number} scale pixels of the result along each pixel of the sheet
 * @param {number} pen thickness of the strokes, in multiples of the model's
 * @returns {Sheet}
 */
export function coverage(sheet, scale, pen) {
  const found = surface(sheet, pen);
  const { width: across, values: height } = enlarged(found.height, scale, found.fineness);
  const softness = found.softness && enlarged(found.softness, scale).values;
  const steepest = (found.fineness === 1 ? STEEPEST : 1) / scale;
  const reach = softness ? Math.max(steepest, softness.reduce((a, b) => Math.max(a, b))) : steepest;
  const [width, margin] = [sheet.width * scale, MARGIN * scale];
  const levels = new Uint8Array(width * sheet.height * scale);
  for (let at = 0, y = margin; at < levels.length; y++) {
    for (let from = y * across + margin, end = from + width; from < end; from++, at++) {
      const value = height[from];
      if (value >= reach / 2) levels[at] = 255;
      if (Math.abs(value) >= reach / 2) continue;
      const edge = found.fineness === 1 ? slope(height, from, across) : 1 / scale;
      const share = value / Math.max(edge, softness ? softness[from] : 0, 1e-6) + 0.5;
      levels[at] = 255 * Math.max(0, Math.min(1, share)) + 0.5;
    }
  }
  return { width, height: sheet.height * scale, levels };
}

/**
 * @param {Sheet} sheet
 * @param {number} pen
 * @returns {{height: Grid, softness: Grid | null, fineness: number}} see Surface in ink.py
 */
function surface(sheet, pen) {
  const [width, height] = [sheet.width + 2 * MARGIN, sheet.height + 2 * MARGIN];
  const values = new Float32Array(width * height);
  sheet.levels.forEach((level, at) => {
    values[(Math.floor(at / sheet.width) + MARGIN) * width + (at % sheet.width) + MARGIN] = level / 255;
  });
  const ink = blurred({ width, height, values }, SMOOTHING);
  const softness = softnessOf(ink);
  const raised = { ...ink, values: ink.values.map((value) => value - LEVEL) };
  /** @param {number} widest */
  const soft = (widest) => softness && { ...softness, values: softness.values.map((value) => value * widest) };
  if (pen === 1) return { height: raised, softness: soft(SOFT_WIDTH), fineness: 1 };
  const strokes = reshapeStrokes(enlarged(raised, FINENESS), FINENESS, pen);
  return { height: strokes, softness: soft(SOFT_PIXELS), fineness: FINENESS };
}

/**
 * How soft the edges are, from 0 to 1; null if all visible ink is crisp.
 * @param {Grid} ink
 * @returns {Grid | null}
 */
function softnessOf({ width, height, values }) {
  const change = values.map((_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const down = y > 0 && y < height - 1 ? Math.abs(values[at + width] - values[at - width]) : 0;
    const across = x > 0 && x < width - 1 ? Math.abs(values[at + 1] - values[at - 1]) : 0;
    return Math.max(down, across); // along two pixels
  });
  const steepness = blurred(highestNearby({ width, height, values: change }), 1 / 3).values;
  const softness = steepness.map((steep) => Math.max(0, Math.min(1, (2 * STEEP - steep) / (2 * (STEEP - FLAT)))));
  return softness.some((soft, at) => soft > 0 && values[at] > VISIBLE) ? { width, height, values: softness } : null;
}

/**
 * How much a surface changes along a point.
 * @param {Float32Array} height
 * @param {number} at
 * @param {number} width
 */
function slope(height, at, width) {
  return 0.5 * Math.hypot(height[at + 1] - height[at - 1], height[at + width] - height[at - width]);
}
