// Networks with rounded weights, which app/site/rounding.py writes: the encoder, and the article's decoder.

import { crop } from "./box.js";
import { readSafetensors } from "./safetensors.js";

/** @typedef {{weight: Int8Array, scale: Float32Array, bias: Float32Array}} Layer */

export class RoundedNetwork {
  /** @param {ArrayBuffer} file */
  constructor(file) {
    /** @type {Map<string, Layer>} */
    this.layers = new Map();
    const { tensors } = readSafetensors(file);
    /** @param {string} name */
    const values = (name) => /** @type {any} */ (tensors.get(name))?.values;
    for (const name of tensors.keys()) {
      const layer = name.replace(/\.bias$/, "");
      if (layer === name) continue;
      this.layers.set(layer, { weight: values(`${layer}.weight`), scale: values(`${layer}.scale`), bias: values(name) });
    }
    this.trunk = [...this.layers.keys()].filter((name) => name.includes(".layers.")).sort(byIndex);
  }

  /** @param {string} address */
  static async open(address) {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`The network could not be loaded (status ${response.status}).`);
    return new RoundedNetwork(await response.arrayBuffer());
  }

  /**
   * The outputs of a layer.
   * @param {string} name
   * @param {Float32Array} input
   */
  dense(name, input) {
    const { weight, scale, bias } = /** @type {Layer} */ (this.layers.get(name));
    const sums = new Float64Array(bias.length);
    input.forEach((value, k) => {
      if (value === 0) return;
      for (let j = 0, at = k * sums.length; j < sums.length; j++, at++) sums[j] += value * weight[at];
    });
    return Float32Array.from(sums, (sum, j) => sum * scale[j] + bias[j]);
  }

  /**
   * The mean and the standard deviation of the noise of a digit: the network is an encoder.
   * @param {Float32Array} pixels of a square picture, in [0, 1], ink 1
   * @param {Float32Array} label one-hot
   */
  encode(pixels, label) {
    const seen = this.inputs - label.length; // the whole picture, or the box of its ink
    const box = seen === pixels.length ? pixels : crop(pixels, Math.sqrt(seen));
    let values = Float32Array.from([...box, ...label]);
    for (const name of this.trunk) values = this.dense(name, values).map((value) => Math.max(value, 0));
    const logVariance = this.dense("encoder.log_variance", values);
    return { mean: this.dense("encoder.mean", values), deviation: logVariance.map((value) => Math.exp(value / 2)) };
  }

  /**
   * The grey levels of a digit: the network is a decoder.
   * @param {Float32Array} noise
   * @param {Float32Array} label one-hot
   */
  decode(noise, label) {
    let values = Float32Array.from([...noise, ...label]);
    this.trunk.forEach((name, index) => {
      values = this.dense(name, values);
      if (index < this.trunk.length - 1) values = values.map((value) => Math.max(value, 0));
    });
    return Uint8Array.from(values, (value) => 255 / (1 + Math.exp(-value)) + 0.5);
  }

  /** Numbers that go in, with the label: Z + K of a decoder. */
  get inputs() {
    const { weight, bias } = /** @type {Layer} */ (this.layers.get(this.trunk[0]));
    return weight.length / bias.length;
  }
}

/**
 * @param {string} a
 * @param {string} b
 */
function byIndex(a, b) {
  return Number(/\d+/.exec(a)) - Number(/\d+/.exec(b));
}
