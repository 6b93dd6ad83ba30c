// Paints a sheet of grey levels on a canvas: as pixels, or as smooth strokes at screen resolution.

/** @typedef {import("./sheet.js").Sheet} Sheet */

const RADIUS = 2; // pixels; neighbourhood in which the darkness of a stroke is measured
const PALEST = 100; // grey level; paler strokes are not made fully dark
const NEIGHBOUR_WEIGHT = 0.13; // of each neighbouring pixel, see smooth
const EDGE_LEVEL = 112; // grey level at the edge of the ink
const EDGE_WIDTH = 90; // grey levels from no ink to full ink, before enlarging
const MAX_PIXELS = 1.5e6; // of the canvas for strokes; more would be slow and look the same

/**
 * The colours of the 256 levels, as in app/drawing/palette.py.
 * @param {string} ink 6 hex digits
 * @param {string} paper 6 hex digits, or transparent
 * @returns {Uint8ClampedArray} (256 * 4,) red, green, blue, alpha
 */
export function palette(ink, paper) {
  const to = rgb(ink);
  const from = paper === "transparent" ? to : rgb(paper);
  const colours = new Uint8ClampedArray(1024);
  for (let level = 0; level < 256; level++) {
    to.forEach((end, i) => {
      colours[4 * level + i] = from[i] + (level / 255) * (end - from[i]); // the array rounds half to even
    });
    colours[4 * level + 3] = paper === "transparent" ? level : 255;
  }
  return colours;
}

/** @param {string} hex */
export function rgb(hex) {
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/**
 * Paint a sheet with one square per pixel.
 * @param {HTMLCanvasElement} canvas resized to the sheet
 * @param {Sheet} sheet
 * @param {Uint8ClampedArray} colours
 * @param {number} [scale] side of a square, in pixels of the canvas
 */
export function paintPixels(canvas, sheet, colours, scale = 1) {
  const image = new ImageData(sheet.width * scale, sheet.height * scale);
  const words = new Uint32Array(image.data.buffer);
  const table = new Uint32Array(colours.buffer);
  for (let y = 0, at = 0; y < image.height; y++) {
    const row = Math.floor(y / scale) * sheet.width;
    for (let x = 0; x < image.width; x++) words[at++] = table[sheet.levels[row + Math.floor(x / scale)]];
  }
  put(canvas, image);
}

/**
 * Paint a sheet as strokes: enlarge it with cubic splines, then sharpen the edges.
 * @param {HTMLCanvasElement} canvas
 * @param {Sheet} sheet
 * @param {string} ink 6 hex digits
 * @param {number} width wanted width of the canvas, in pixels; the result is only close to it
 */
export function paintStrokes(canvas, sheet, ink, width) {
  const limit = Math.sqrt(MAX_PIXELS / (sheet.width * sheet.height));
  const factor = Math.max(1, Math.min(Math.round(width / sheet.width), Math.floor(limit), 16));
  const large = enlarge(smooth(darken(sheet)), factor);
  const image = new ImageData(sheet.width * factor, sheet.height * factor);
  const words = new Uint32Array(image.data.buffer);
  const [red, green, blue] = rgb(ink);
  const colour = (blue << 16) | (green << 8) | red;
  const faint = EDGE_LEVEL - EDGE_WIDTH / factor;
  const full = EDGE_LEVEL + EDGE_WIDTH / factor;
  for (let at = 0; at < words.length; at++) {
    const level = large[at];
    if (level <= faint) continue;
    const share = level >= full ? 1 : (level - faint) / (full - faint);
    words[at] = (Math.round(255 * share * share * (3 - 2 * share)) << 24) | colour;
  }
  put(canvas, image);
}

/** @typedef {{width: number, height: number, levels: Float32Array}} FloatSheet */

/**
 * The sheet with pale strokes as dark as the others, so that they count as ink too.
 * @param {Sheet} sheet
 * @returns {FloatSheet}
 */
function darken({ width, height, levels }) {
  /** @param {Uint8Array} from @param {number} step distance of neighbouring pixels in the array */
  const highest = (from, step) =>
    from.map((_, at) => {
      let max = 0;
      for (let near = at - RADIUS * step; near <= at + RADIUS * step; near += step) {
        if (from[near] > max) max = from[near]; // outside the array: undefined, never greater
      }
      return max;
    });
  const around = highest(highest(levels, 1), width);
  const dark = Float32Array.from(levels, (level, at) => (level * 255) / Math.max(around[at], PALEST));
  return { width, height, levels: dark };
}

/**
 * The sheet without the jagged edges that the pixel grid gives to strokes.
 * @param {FloatSheet} sheet
 * @returns {FloatSheet}
 */
function smooth({ width, height, levels }) {
  const rows = new Float32Array(levels.length);
  const all = new Float32Array(levels.length);
  for (let at = 0; at < levels.length; at++) {
    const x = at % width;
    const beside = (x > 0 ? levels[at - 1] : 0) + (x < width - 1 ? levels[at + 1] : 0);
    rows[at] = levels[at] + NEIGHBOUR_WEIGHT * (beside - 2 * levels[at]);
  }
  for (let at = 0; at < levels.length; at++) {
    const beside = (rows[at - width] ?? 0) + (rows[at + width] ?? 0);
    all[at] = rows[at] + NEIGHBOUR_WEIGHT * (beside - 2 * rows[at]);
  }
  return { width, height, levels: all };
}

/**
 * A cubic B-spline through the levels, across and then down.
 * @param {FloatSheet} sheet
 * @param {number} factor
 */
function enlarge({ width, height, levels }, factor) {
  const weights = Array.from({ length: factor }, (_, i) => cubic((i + 0.5) / factor - 0.5));
  const across = width * factor;
  const wide = new Float32Array(across * height);
  for (let x = 0; x < across; x++) {
    const { first, share } = weights[x % factor];
    const left = Math.floor(x / factor) + first;
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => Math.max(0, Math.min(width - 1, left + i)));
    for (let y = 0, row = 0; y < height; y++, row += width) {
      wide[y * across + x] =
        share[0] * levels[row + a] + share[1] * levels[row + b] + share[2] * levels[row + c] + share[3] * levels[row + d];
    }
  }
  const large = new Float32Array(across * height * factor);
  for (let y = 0, at = 0; y < height * factor; y++) {
    const { first, share } = weights[y % factor];
    const top = Math.floor(y / factor) + first;
    const [a, b, c, d] = [0, 1, 2, 3].map((i) => across * Math.max(0, Math.min(height - 1, top + i)));
    for (let x = 0; x < across; x++) {
      large[at++] = share[0] * wide[a + x] + share[1] * wide[b + x] + share[2] * wide[c + x] + share[3] * wide[d + x];
    }
  }
  return large;
}

/**
 * The four weights of a cubic B-spline, and the offset of the first from the pixel.
 * @param {number} offset from a pixel's centre, in (-0.5, 0.5)
 */
function cubic(offset) {
  const first = offset < 0 ? -2 : -1;
  const t = offset < 0 ? offset + 1 : offset;
  const share = [
    (1 - t) ** 3 / 6,
    (3 * t ** 3 - 6 * t ** 2 + 4) / 6,
    (-3 * t ** 3 + 3 * t ** 2 + 3 * t + 1) / 6,
    t ** 3 / 6,
  ];
  return { first, share };
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ImageData} image
 */
function put(canvas, image) {
  if (canvas.width !== image.width) canvas.width = image.width;
  if (canvas.height !== image.height) canvas.height = image.height;
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}
