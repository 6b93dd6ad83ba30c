// Part of a picture in the square that the finder takes, as model/reading/frame.py has it.

import { bicubicFilter, boxFilter, boxOf, cropped, nearest, resized } from "./resample.js";

/** @typedef {import("./resample.js").Box} Box */
/** @typedef {import("./resample.js").Picture} Picture */

export const SIDE = 96; // pixels of a frame
const LEAST_SPREAD = 0.03; // of the levels in [0, 1]: what varies less is noise on bare paper

export class Frame {
  /**
   * @param {Picture} picture in colour
   * @param {Box} [box] the part of it, in pixels
   */
  constructor(picture, box = boxOf(picture)) {
    const sides = [box[2] - box[0], box[3] - box[1]];
    this.box = box;
    this.scale = Math.max(...sides) / SIDE; // pixels of the picture for one of the frame
    const [width, height] = sides.map((side) => Math.max(1, nearest(side / this.scale)));
    this.pixels = resized(picture, width, height, this.scale > 1 ? boxFilter : bicubicFilter, true, box);
    this.left = Math.floor((SIDE - width) / 2); // where the part lies in the square
    this.top = Math.floor((SIDE - height) / 2);
  }

  /**
   * What the part covers of the square.
   * @returns {Box}
   */
  get area() {
    const { left, top, pixels } = this;
    return [left, top, left + pixels.width, top + pixels.height];
  }

  /**
   * The part of a plane (SIDE, SIDE) that the picture covers.
   * @param {Picture} plane
   */
  inside(plane) {
    return cropped(plane, this.area);
  }

  /**
   * A box of the frame, in pixels of the picture.
   * @param {Box} box
   * @returns {Box}
   */
  placed(box) {
    const [left, top, right, bottom] = this.box;
    const [across, down] = [(right - left) / this.pixels.width, (bottom - top) / this.pixels.height];
    const x = (/** @type {number} */ column) => left + (column - this.left) * across;
    const y = (/** @type {number} */ row) => top + (row - this.top) * down;
    return [x(box[0]), y(box[1]), x(box[2]), y(box[3])];
  }

  /** What the finder takes: (4, SIDE, SIDE), three colours with mean 0 and spread 1, and 1 where the picture is. */
  input() {
    const { values, width, height } = this.pixels;
    const mean = values.reduce((sum, level) => sum + level, 0) / values.length;
    const variance = values.reduce((sum, level) => sum + (level - mean) ** 2, 0) / values.length;
    const spread = Math.sqrt(variance + (255 * LEAST_SPREAD) ** 2);
    const planes = new Float32Array(4 * SIDE * SIDE);
    for (let pixel = 0; pixel < width * height; pixel++) {
      const at = (this.top + Math.floor(pixel / width)) * SIDE + this.left + (pixel % width);
      for (let colour = 0; colour < 3; colour++) planes[colour * SIDE * SIDE + at] = (values[3 * pixel + colour] - mean) / spread;
      planes[3 * SIDE * SIDE + at] = 1;
    }
    return planes;
  }
}
