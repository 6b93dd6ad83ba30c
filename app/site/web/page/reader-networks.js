// The two networks of a reader: the finder, a U-Net, and the classifier of training/photos. Their
// depths and widths are those of the file, which app/site/reader.py writes.

import { SIDE } from "./frame.js";
import { readSafetensors } from "./safetensors.js";
import { CELL } from "./sheet.js";

/** @typedef {{values: Float32Array, channels: number, height: number, width: number}} Planes channel by channel */
/** @typedef {{weight: Float32Array, bias: Float32Array, inputs: number, side: number}} Convolution (outputs, inputs, side, side) */

const BETWEEN = 3; // places of a convolution, its normalisation and its ReLU among the classifier's layers

export class ReaderNetworks {
  /** @param {ArrayBuffer} file */
  constructor(file) {
    const { tensors } = readSafetensors(file);
    /** @type {Map<string, Convolution>} */
    this.layers = new Map();
    for (const [name, { shape, values }] of tensors) {
      const layer = name.replace(/\.weight$/, "");
      if (layer === name) continue;
      const [scale, bias] = ["scale", "bias"].map((part) => /** @type {Float32Array} */ (tensors.get(`${layer}.${part}`)?.values));
      const each = values.length / shape[0];
      const weight = Float32Array.from(values, (level, at) => level * scale[Math.floor(at / each)]);
      this.layers.set(layer, { weight, bias, inputs: shape[1], side: shape[2] ?? 1 });
    }
    /** @param {RegExp} pattern its group is a number */
    const numbers = (pattern) => [...new Set([...this.layers.keys()].flatMap((name) => Number(pattern.exec(name)?.[1] ?? NaN)))].filter((n) => n >= 0).sort((a, b) => a - b);
    this.stages = numbers(/^finder\.down\.(\d+)\./);
    this.steps = numbers(/^classifier\.layers\.(\d+)$/);
  }

  /**
   * A convolution that keeps the side, or with a stride of 2 halves it.
   * @param {string} name
   * @param {Planes} input
   * @param {boolean} [rectified]
   * @param {number} [stride]
   */
  convolve(name, input, rectified = false, stride = 1) {
    return convolved(/** @type {Convolution} */ (this.layers.get(name)), input, rectified, stride);
  }

  /**
   * Convolutions with a ReLU after each, as many as the file has.
   * @param {string} name of the first, with {} for its number
   * @param {Planes} input
   * @param {number} [stride] of the first
   */
  stack(name, input, stride = 1) {
    let planes = input;
    for (let at = 0; this.layers.has(name.replace("{}", String(at))); at++) {
      planes = this.convolve(name.replace("{}", String(at)), planes, true, at === 0 ? stride : 1);
    }
    return planes;
  }

  /**
   * The ink of a frame: (SIDE, SIDE) in [0, 1].
   * @param {Float32Array} frame see Frame.input
   */
  find(frame) {
    const input = { values: frame, channels: 4, height: SIDE, width: SIDE };
    const levels = [input];
    for (const stage of this.stages) levels.push(this.stack(`finder.down.${stage}.{}.0`, levels[levels.length - 1], 2));
    let planes = /** @type {Planes} */ (levels.pop());
    for (const stage of this.stages.slice(0, -1).reverse()) {
      const wide = doubled(this.convolve(`finder.across.${stage}`, planes));
      const level = /** @type {Planes} */ (levels.pop());
      const sum = { ...wide, values: wide.values.map((value, at) => value + level.values[at]) };
      planes = this.stack(`finder.up.${stage}.{}`, sum);
    }
    const fine = shuffled(this.convolve("finder.fine", planes));
    const both = { ...fine, channels: fine.channels + input.channels, values: Float32Array.from([...fine.values, ...frame]) };
    const logits = this.convolve("finder.last.1", this.convolve("finder.last.0.0", both, true));
    const covered = frame.subarray(3 * SIDE * SIDE);
    return { values: logits.values.map((logit, at) => covered[at] / (1 + Math.exp(-logit))), width: SIDE, height: SIDE, channels: 1 };
  }

  /**
   * The probabilities of the labels, and that it is not a digit.
   * @param {Float32Array} digit (CELL * CELL,) in [0, 1]
   */
  classify(digit) {
    /** @type {Planes} */
    let planes = { values: digit, channels: 1, height: CELL, width: CELL };
    const inputs = /** @type {Convolution} */ (this.layers.get("classifier.scores")).inputs;
    this.steps.forEach((step, index) => {
      planes = this.convolve(`classifier.layers.${step}`, planes, true);
      const next = this.steps[index + 1];
      // There is a layer more where the side is halved.
      if (next ? next - step > BETWEEN : planes.values.length > inputs) planes = halved(planes);
    });
    const logits = this.convolve("classifier.scores", { values: planes.values, channels: inputs, height: 1, width: 1 }).values;
    const most = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp(logit - most));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  }
}

/**
 * @param {Convolution} layer
 * @param {Planes} input
 * @param {boolean} rectified
 * @param {number} stride
 * @returns {Planes}
 */
function convolved({ weight, bias, inputs, side }, input, rectified, stride) {
  const [height, width] = [input.height, input.width].map((length) => Math.ceil(length / stride));
  const columns = width + Math.floor((side - 1) / stride); // with a margin, so that each tap reads one run of pixels
  const run = (height - 1) * columns + width;
  const { planes, size } = parted(input, columns, height, side, stride);
  const values = new Float32Array(bias.length * height * width);
  const sums = new Float32Array(run);
  for (let output = 0, tap = 0; output < bias.length; output++) {
    sums.fill(bias[output]);
    for (let channel = 0; channel < inputs; channel++) {
      for (let down = 0; down < side; down++) {
        for (let right = 0; right < side; right++, tap++) {
          const part = (channel * stride + (down % stride)) * stride + (right % stride);
          const start = part * size + Math.floor(down / stride) * columns + Math.floor(right / stride);
          const factor = weight[tap];
          for (let at = 0, from = start; at < run; at++, from++) sums[at] += factor * planes[from];
        }
      }
    }
    for (let at = output * height * width, y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) values[at] = rectified ? Math.max(0, sums[y * columns + x]) : sums[y * columns + x];
    }
  }
  return { values, channels: bias.length, height, width };
}

/**
 * Planes with a margin of 0, parted by the rows and columns on which a stride falls.
 * @param {Planes} input
 * @param {number} columns of each part
 * @param {number} rows of the result of the convolution
 * @param {number} side
 * @param {number} stride
 */
function parted({ values, channels, height, width }, columns, rows, side, stride) {
  const margin = side >> 1;
  const size = (rows + Math.floor((side - 1) / stride)) * columns;
  const planes = new Float32Array(channels * stride * stride * size);
  for (let at = 0; at < values.length; at++) {
    const [x, y] = [(at % width) + margin, (Math.floor(at / width) % height) + margin];
    const channel = Math.floor(at / (width * height));
    const part = (channel * stride + (y % stride)) * stride + (x % stride);
    planes[part * size + Math.floor(y / stride) * columns + Math.floor(x / stride)] = values[at];
  }
  return { planes, size };
}

/** @param {Planes} planes @returns {Planes} with each pixel four times */
function doubled({ values, channels, height, width }) {
  const wide = new Float32Array(4 * values.length);
  for (let at = 0; at < wide.length; at++) wide[at] = values[(Math.floor(at / (4 * width)) * width) + (Math.floor(at / 2) % width)];
  return { values: wide, channels, height: 2 * height, width: 2 * width };
}

/** @param {Planes} planes @returns {Planes} each four channels of them as the pixels of squares */
function shuffled({ values, channels, height, width }) {
  const fine = new Float32Array(values.length);
  const size = height * width;
  for (let at = 0; at < values.length; at++) {
    const [channel, pixel] = [Math.floor(at / size), at % size];
    const [y, x] = [2 * Math.floor(pixel / width) + ((channel >> 1) & 1), 2 * (pixel % width) + (channel & 1)];
    fine[(channel >> 2) * 4 * size + y * 2 * width + x] = values[at];
  }
  return { values: fine, channels: channels / 4, height: 2 * height, width: 2 * width };
}

/** @param {Planes} planes @returns {Planes} the largest value of each square of four pixels */
function halved({ values, channels, height: rows, width: columns }) {
  const [height, width] = [rows >> 1, columns >> 1];
  const small = new Float32Array(channels * height * width);
  for (let at = 0; at < small.length; at++) {
    const [channel, y, x] = [Math.floor(at / (height * width)), Math.floor(at / width) % height, at % width];
    const first = channel * rows * columns + 2 * y * columns + 2 * x;
    small[at] = Math.max(values[first], values[first + 1], values[first + columns], values[first + columns + 1]);
  }
  return { values: small, channels, height, width };
}
