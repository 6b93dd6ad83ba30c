// A picture in colour and small, as the reader takes it; app/drawing/picture.py makes the same of a file.

import { boxFilter, resized } from "./resample.js";

/** @typedef {import("./resample.js").Picture} Picture */

const WORKING_SIDE = 512; // pixels of the longer side: enough for a digit that fills a fifth of its photo

/**
 * @param {Uint8ClampedArray} rgba not premultiplied, as a canvas has it
 * @param {number} width
 * @param {number} height
 * @returns {Picture} in colour, at most WORKING_SIDE wide and high; what is transparent is paper
 */
export function smallPicture(rgba, width, height) {
  const values = new Float32Array(rgba); // premultiplied below, in a plain loop: there are millions
  for (let at = 0; at < values.length; at++) if (at % 4 < 3) values[at] = Math.round((values[at] * rgba[at | 3]) / 255);
  const share = Math.min(1, WORKING_SIDE / Math.max(width, height));
  const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * share)));
  const whole = { values, width, height, channels: 4 };
  const small = share < 1 ? resized(whole, across, down, boxFilter, true) : whole;
  return { ...small, channels: 3, values: onPaper(small.values) };
}

/**
 * Colours on black or white, whichever contrasts with the ink of a picture with transparent parts.
 * @param {Float32Array} values (N, 4) premultiplied
 */
function onPaper(values) {
  let [colour, cover] = [0, 0];
  values.forEach((level, at) => (at % 4 === 3 ? (cover += level) : (colour += level / 3)));
  const paper = colour > cover / 2 ? 0 : 255;
  return Float32Array.from({ length: (values.length / 4) * 3 }, (_, at) => {
    const pixel = 4 * Math.floor(at / 3);
    return Math.round(values[pixel + (at % 3)] + paper * (1 - values[pixel + 3] / 255));
  });
}
