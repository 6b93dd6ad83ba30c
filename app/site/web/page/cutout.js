// Cuts a digit out of a frame in the form of MNIST, as model/reading/cutout.py does it.

import { grown } from "./groups.js";
import { bicubicFilter, boxFilter, boxOf, cropped, nearest, resized } from "./resample.js";
import { CELL } from "./sheet.js";

/** @typedef {import("./resample.js").Picture} Picture */

const BOX = 20; // pixels, the side that the ink is scaled into
const NEAR = 1 / 24; // of the longer side: radius in which a pixel's paper is looked for
const FAR = 1 / 4; // the same, if there is none
const FAR_WEIGHT = 0.01;
const BARE = 0.2; // of ink: less is paper
const LEAST_PAPER = 0.03; // of a picture, to know its level
const LEAST_LEVEL = 0.02; // of paper, under which ratios are meaningless
const FAINT = 0.04; // of full ink: paler pixels are paper
const NOISE_LIMIT = 3; // standard deviations of the paper that are not ink yet
const HOLLOW = 0.1; // of the band around what was marked: if so much has the ink's colour, it goes on
const ALIKE = 0.25; // of the way from the ink's colour to the paper's: what is nearer is ink
const MOST_ROUNDS = 32; // pixels, how far ink goes on
const BLEND = 5; // how soon noise makes the finder's ink count instead of the levels
const ROUNDING = 1e-3; // pixels by which a source box is smaller, see model/reading/cutout.py

/**
 * One digit: (CELL * CELL,) in [0, 1].
 * @param {Picture} picture in colour
 * @param {import("./frame.js").Frame} frame the part of it that holds the digit
 * @param {Picture} plane where the finder sees the digit's ink in the frame
 */
export function cutOut(picture, frame, plane) {
  let [ink, pixels] = [frame.inside(plane), frame.pixels];
  if (frame.scale < 1) { // the pixels themselves are fewer, and exact
    pixels = cropped(picture, frame.box);
    ink = resized(ink, pixels.width, pixels.height, boxFilter, false);
  }
  const levels = inkLevels({ ...pixels, values: pixels.values.map((level) => level / 255) }, ink);
  return normalise(levels.some(Boolean) ? { ...ink, values: levels } : ink);
}

/**
 * How dark the ink is at each pixel, in [0, 1]: its contrast with the paper around it.
 * @param {Picture} pixels in [0, 1]
 * @param {Picture} marked
 */
function inkLevels(pixels, marked) {
  const ink = completed(pixels, marked);
  const around = grown(ink);
  let bare = grown({ ...ink, values: around }).map((value) => Number(value < BARE));
  if (bare.reduce((sum, value) => sum + value, 0) < LEAST_PAPER * bare.length) { // cropped tight to a broad pen
    const least = quantile(ink.values, LEAST_PAPER);
    bare = ink.values.map((value) => Number(value <= least));
  }
  const contrast = contrastOf(pixels.values, paperOf(pixels, bare), ink.values);
  const most = ink.values.reduce((a, b) => Math.max(a, b), 0);
  const full = quantile(contrast.filter((_, at) => ink.values[at] >= most / 2), 0.9);
  if (full <= 0) return new Float32Array(contrast.length);
  const noise = (1.5 * quantile(contrast.filter((_, at) => bare[at]).map(Math.abs), 0.5)) / full;
  const least = Math.min(Math.max(FAINT, NOISE_LIMIT * noise), 0.4);
  const share = Math.min(1, BLEND * noise);
  return contrast.map((value, at) => {
    const level = value / full < least ? 0 : Math.min(1, value / full);
    const mixed = (level * (1 - share) + ink.values[at] * share) * Math.min(1, 2 * around[at]);
    return mixed < FAINT ? 0 : mixed;
  });
}

/**
 * The ink with the rest of a broad stroke or a spot, of which it is only the edge.
 * @param {Picture} pixels in [0, 1]
 * @param {Picture} ink
 */
function completed(pixels, ink) {
  const most = ink.values.reduce((a, b) => Math.max(a, b), 0);
  let mask = ink.values.map((value) => Number(value >= most / 2));
  const twice = (/** @type {Float32Array} */ values) => grown({ ...ink, values: grown({ ...ink, values }) });
  const near = twice(mask);
  const band = twice(near).map((value, at) => value - near[at]);
  const size = band.reduce((sum, value) => sum + value, 0);
  if (!size) return ink;
  const [colour, paper] = [mask, near.map((value) => 1 - value)].map((own) =>
    [0, 1, 2].map((part) => quantile(own.map((_, at) => pixels.values[3 * at + part]).filter((_, at) => own[at]), 0.5)));
  const least = ALIKE * Math.max(...colour.map((level, part) => Math.abs(paper[part] - level)));
  const alike = mask.map((_, at) => Number(Math.max(...colour.map((level, part) => Math.abs(pixels.values[3 * at + part] - level))) < least));
  if (band.reduce((sum, value, at) => sum + value * alike[at], 0) < HOLLOW * size) return ink;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const [before, reach] = [mask, grown({ ...ink, values: mask })];
    mask = mask.map((value, at) => Math.max(value, reach[at] * alike[at]));
    if (mask.every((value, at) => value === before[at])) break;
  }
  return { ...ink, values: ink.values.map((value, at) => Math.max(value, mask[at])) };
}

/**
 * The difference to the paper along the colour of the ink; 1 is that of its mean.
 * @param {Float32Array} pixels (N, 3)
 * @param {Float32Array} paper (N, 3)
 * @param {Float32Array} ink (N,)
 */
function contrastOf(pixels, paper, ink) {
  let apart = paper.map((level, at) => level - pixels[at]);
  // Light multiplies what the paper reflects: relative to it, ink in the shade is as dark.
  const dark = apart.reduce((sum, value, at) => sum + value * ink[Math.floor(at / 3)], 0) > 0;
  if (dark) apart = apart.map((value, at) => value / Math.max(paper[at], LEAST_LEVEL));
  const colour = [0, 0, 0];
  apart.forEach((value, at) => (colour[at % 3] += value * ink[Math.floor(at / 3)] ** 2));
  const weight = ink.reduce((sum, value) => sum + value ** 2, 0);
  const mean = colour.map((sum) => sum / weight);
  const length = Math.max(mean.reduce((sum, value) => sum + value ** 2, 0), 1e-9);
  return ink.map((_, at) => (apart[3 * at] * mean[0] + apart[3 * at + 1] * mean[1] + apart[3 * at + 2] * mean[2]) / length);
}

/**
 * The colour of the paper at each pixel, from the bare pixels near it.
 * @param {Picture} pixels
 * @param {Float32Array} bare (N,), 0 or 1
 */
function paperOf({ values, width, height }, bare) {
  const longer = Math.max(width, height);
  const sums = new Float32Array(4 * bare.length);
  const masked = sums.map((_, at) => bare[at >> 2] * (at % 4 < 3 ? values[3 * (at >> 2) + (at % 4)] : 1));
  for (const [radius, share] of [[NEAR, 1], [FAR, FAR_WEIGHT]]) {
    const across = blurred(masked, width, 4, radius * longer);
    blurred(across, height, 4 * width, radius * longer).forEach((value, at) => (sums[at] += share * value));
  }
  return values.map((_, at) => sums[4 * Math.floor(at / 3) + (at % 3)] / Math.max(sums[4 * Math.floor(at / 3) + 3], 1e-9));
}

/**
 * Values (N, length, inner), blurred by a Gaussian along the length.
 * @param {Float32Array} values
 * @param {number} length
 * @param {number} inner
 * @param {number} radius
 */
function blurred(values, length, inner, radius) {
  const result = new Float32Array(values.length);
  for (let to = 0; to < length; to++) {
    const weights = Float32Array.from({ length }, (_, from) => Math.exp(-(((to - from) / Math.max(radius, 0.5)) ** 2) / 2));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let start = 0; start < values.length; start += length * inner) {
      for (let from = 0; from < length; from++) {
        const weight = weights[from] / total;
        for (let i = 0; i < inner; i++) result[start + to * inner + i] += weight * values[start + from * inner + i];
      }
    }
  }
  return result;
}

/**
 * The value under which a share of the values lie, between two of them where it falls there.
 * @param {Float32Array} values
 * @param {number} share
 */
function quantile(values, share) {
  const sorted = Float32Array.from(values).sort();
  const place = (sorted.length - 1) * share;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place % 1) || 0;
}

/**
 * Ink in the frame of MNIST: cropped to it, its longer side BOX pixels, its centre of mass in the middle.
 * @param {Picture} ink
 */
function normalise(ink) {
  const box = boxOf({ ...ink, width: 0, height: 0 });
  [box[0], box[1]] = [ink.width, ink.height];
  ink.values.forEach((value, at) => {
    if (!value) return;
    const [x, y] = [at % ink.width, Math.floor(at / ink.width)];
    [box[0], box[1]] = [Math.min(box[0], x), Math.min(box[1], y)];
    [box[2], box[3]] = [Math.max(box[2], x + 1), Math.max(box[3], y + 1)];
  });
  const digit = cropped(ink, box);
  const scale = BOX / Math.max(digit.width, digit.height);
  const [width, height] = [digit.width, digit.height].map((side) => Math.max(1, nearest(side * scale)));
  const small = scale < 1
    ? resized(digit, width, height, boxFilter, false, [0, 0, digit.width - ROUNDING, digit.height - ROUNDING])
    : resized(digit, width, height, bicubicFilter, false);
  const levels = small.values.map((value) => Math.max(0, Math.min(1, value)));
  const most = levels.reduce((a, b) => Math.max(a, b), 0);
  return centred(levels.map((value) => value / most), width, height); // thin lines become paler when they are reduced
}

/**
 * @param {Float32Array} small
 * @param {number} width
 * @param {number} height
 */
function centred(small, width, height) {
  let [mass, x, y] = [0, 0, 0];
  small.forEach((value, at) => {
    mass += value;
    x += value * (at % width);
    y += value * Math.floor(at / width);
  });
  /** @type {(moment: number, side: number) => number} */
  const start = (moment, side) => Math.min(Math.max(nearest(CELL / 2 - moment / mass), 0), CELL - side);
  const [left, top] = [start(x, width), start(y, height)];
  const cell = new Float32Array(CELL * CELL);
  small.forEach((value, at) => (cell[(top + Math.floor(at / width)) * CELL + left + (at % width)] = value));
  return cell;
}
