// A picture of one digit on bare paper to the form of MNIST, as model/reading/cutout.py does it.
// The service also finds digits in photos of anything.

import { CELL } from "./sheet.js";

const BOX = 20; // pixels, the longer side of the digit
const WORKING = 280; // pixels, the longer side of the picture that is looked at
const LEAST_CONTRAST = 40; // grey levels between ink and paper
const FAINT = 0.15; // of full ink: paler pixels are paper
const NOISE_LIMIT = 5; // standard deviations of the paper that are not ink yet

/** @typedef {{ink: Float32Array, width: number, height: number}} Ink row by row, in [0, 1] */

/**
 * @param {Blob} picture one digit, on paper of another brightness
 * @returns {Promise<Uint8Array>} (CELL * CELL,) ink 255
 * @throws {Error} it has no ink
 */
export async function normalise(picture) {
  const image = await createImageBitmap(picture);
  const share = WORKING / Math.max(image.width, image.height);
  const [width, height] = [image.width, image.height].map((side) => Math.max(1, Math.round(side * share)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, height);
  const ink = inkOf(context.getImageData(0, 0, width, height).data);
  return centred(shrunk(cropped({ ink, width, height })));
}

/**
 * The ink at each pixel; what is transparent is paper.
 * @param {Uint8ClampedArray} rgba
 */
function inkOf(rgba) {
  const places = Array.from({ length: rgba.length / 4 }, (_, at) => at);
  const seen = places.filter((at) => rgba[4 * at + 3] > 128);
  const grey = (/** @type {number} */ at) => (rgba[4 * at] + rgba[4 * at + 1] + rgba[4 * at + 2]) / 3;
  const paper = seen.length < places.length / 2 ? null : quantile(seen.map(grey), 0.5);
  const apart = new Float32Array(places.length);
  for (const at of seen) apart[at] = paper === null ? rgba[4 * at + 3] : Math.abs(grey(at) - paper);
  const most = apart.reduce((a, b) => Math.max(a, b), 0);
  if (most < LEAST_CONTRAST) throw new Error("The picture holds no ink: nothing stands out from its background.");
  const full = quantile(apart.filter((value) => value >= most / 2), 0.9);
  const noise = 1.5 * quantile(apart, 0.5);
  const faint = Math.min(Math.max(FAINT, (NOISE_LIMIT * noise) / full), 0.5);
  return apart.map((value) => (value < faint * full ? 0 : Math.min(1, value / full)));
}

/**
 * @param {Float32Array | number[]} values
 * @param {number} share
 */
function quantile(values, share) {
  return Float32Array.from(values).sort()[Math.floor((values.length - 1) * share)] ?? 0;
}

/** @param {Ink} picture @returns {Ink} without the paper around */
function cropped({ ink, width }) {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  ink.forEach((value, at) => {
    if (value === 0) return;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
  });
  const [across, down] = [right - left, bottom - top];
  const inside = Float32Array.from({ length: across * down }, (_, at) => ink[(top + Math.floor(at / across)) * width + left + (at % across)]);
  return { ink: inside, width: across, height: down };
}

/** @param {Ink} digit @returns {Ink} its longer side BOX pixels, each the mean of an area */
function shrunk({ ink, width, height }) {
  const scale = BOX / Math.max(width, height);
  const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * scale)));
  const small = new Float32Array(across * down);
  const columns = shares(width, across);
  for (const [y, row, part] of shares(height, down)) {
    for (const [x, column, share] of columns) small[row * across + column] += ink[y * width + x] * part * share;
  }
  const most = small.reduce((a, b) => Math.max(a, b), 0);
  return { ink: small.map((value) => value / most), width: across, height: down };
}

/**
 * How pixels along a side are shared out to fewer or more.
 * @param {number} from
 * @param {number} to
 * @returns {[number, number, number][]} a pixel, a pixel of the result, and the part of this that it is
 */
function shares(from, to) {
  /** @type {[number, number, number][]} */
  const parts = [];
  for (let result = 0; result < to; result++) {
    const [start, end] = [(result * from) / to, ((result + 1) * from) / to];
    for (let pixel = Math.floor(start); pixel < end; pixel++) {
      parts.push([pixel, result, (Math.min(end, pixel + 1) - Math.max(start, pixel)) / (end - start)]);
    }
  }
  return parts;
}

/** @param {Ink} digit @returns {Uint8Array} with its centre of mass in the middle, as in MNIST */
function centred({ ink, width, height }) {
  let [mass, x, y] = [0, 0, 0];
  ink.forEach((value, at) => {
    mass += value;
    x += value * (at % width);
    y += value * Math.floor(at / width);
  });
  /** @type {(moment: number, side: number) => number} */
  const start = (moment, side) => Math.min(Math.max(Math.round(CELL / 2 - moment / mass), 0), CELL - side);
  const [left, top] = [start(x, width), start(y, height)];
  const levels = new Uint8Array(CELL * CELL);
  ink.forEach((value, at) => {
    levels[(top + Math.floor(at / width)) * CELL + left + (at % width)] = 255 * value + 0.5;
  });
  return levels;
}
