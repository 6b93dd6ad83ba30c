// The decoder with 8-bit products, read from decoder.int8.safetensors; model/quantization.py defines
// each layer. Integer products are exact and scales are multiplied in the order of ONNX Runtime, so
// this decoder differs from the server at most in the last bits of the first layer and of the sigmoid.

import { readSafetensors } from "./safetensors.js";

/** @typedef {import("./safetensors.js").Tensor} Tensor */
/**
 * @typedef {object} Layer a dense layer
 * @property {number} inputs
 * @property {number} outputs
 * @property {Float32Array | Int8Array} weight (inputs, outputs), row-major
 * @property {Float32Array | Int32Array} bias (outputs,); of an 8-bit layer in units of its integer sums
 * @property {number} inputScale value of one level of an input; 0 for a float layer
 * @property {Float32Array} outputScale (outputs,) value of one unit of the integer sums
 * @property {Float32Array} levelScale (outputs,) the same in levels of the next layer's input
 */

const { fround } = Math;

export class Decoder {
  /** @param {ArrayBuffer} file the content of decoder.int8.safetensors */
  constructor(file) {
    const { tensors, facts } = readSafetensors(file);
    const indices = [...tensors.keys()]
      .map((name) => /^decoder\.layers\.(\d+)\.bias$/.exec(name)?.[1])
      .filter((index) => index !== undefined)
      .sort((a, b) => Number(a) - Number(b));
    /** @type {Layer[]} */
    this.layers = indices.map((index) => readLayer(tensors, `decoder.layers.${index}.`));
    this.layers.forEach((layer, at) => {
      const next = this.layers[at + 1];
      if (next) layer.levelScale = layer.outputScale.map((scale) => scale / next.inputScale);
    });
    this.inputs = this.layers[0].inputs; // Z + K
    this.subpixels = Number(facts.subpixels ?? 1); // of each pixel, which is their mean
    this.pixels = this.layers[this.layers.length - 1].outputs / this.subpixels; // that it draws
    this.overshoot = Number(facts.overshoot ?? 0); // of the sigmoid beyond 0 and 1
    this.canvas = Number(facts.canvas ?? Math.sqrt(this.pixels)); // side of a picture, see box.js
  }

  /**
   * Draw one digit, or its box.
   * @param {Float32Array} noise (Z,) from N(0, I)
   * @param {Float32Array} label (K,) one-hot, or a blend of two labels
   * @param {Uint8Array} levels (pixels,) receives the grey levels: 255 is ink, 0 is paper
   * @param {Float32Array[]} [activations] receives the output of each hidden layer
   */
  decode(noise, label, levels, activations) {
    const input = new Float32Array(this.inputs);
    input.set(noise);
    input.set(label, noise.length);
    const [first, ...others] = this.layers;
    let values = floatLayer(first, input);
    let inputs = rounded(values.map((value) => value / others[0].inputScale));
    for (const layer of others) {
      activations?.push(values.map((value) => Math.max(value, 0)));
      const sums = integerLayer(layer, inputs);
      values = layer.outputScale.map((scale, j) => sums[j] * scale);
      inputs = rounded(layer.levelScale.map((scale, j) => sums[j] * scale));
    }
    const [reach, span] = [fround(this.overshoot), fround(1 + 2 * this.overshoot)];
    for (let j = 0; j < levels.length; j++) {
      let ink = 0;
      for (let at = j; at < values.length; at += this.pixels) ink += 1 / (1 + Math.exp(-values[at]));
      const mean = fround(ink / this.subpixels);
      const pixel = Math.min(1, Math.max(0, fround(fround(mean * span) - reach)));
      levels[j] = fround(fround(pixel * 255) + 0.5);
    }
  }
}

/**
 * @param {Layer} layer
 * @param {Float32Array} input
 */
function floatLayer({ inputs, outputs, weight, bias }, input) {
  const output = Float64Array.from(bias);
  for (let k = 0; k < inputs; k++) {
    const value = input[k];
    if (value === 0) continue;
    for (let j = 0, at = k * outputs; j < outputs; j++, at++) output[j] += value * weight[at];
  }
  return Float32Array.from(output);
}

/**
 * The integer sums of a layer.
 * @param {Layer} layer
 * @param {Uint8ClampedArray} input levels
 */
function integerLayer({ inputs, outputs, weight, bias }, input) {
  const sums = Int32Array.from(bias);
  // After a ReLU half of the inputs are 0. The others are added in pairs, which halves the number
  // of passes over the sums.
  let first = -1;
  let firstLevel = 0;
  for (let k = 0; k <= inputs; k++) {
    const level = k < inputs ? input[k] : 0;
    if (level === 0 && k < inputs) continue;
    if (first < 0) {
      [first, firstLevel] = [k, level];
      continue;
    }
    let a = first * outputs;
    let b = Math.min(k, inputs - 1) * outputs; // past the end the level is 0
    for (let j = 0; j < outputs; j++, a++, b++) {
      sums[j] += Math.imul(firstLevel, weight[a]) + Math.imul(level, weight[b]);
    }
    first = -1;
  }
  return sums;
}

/**
 * Values as levels from 0, to which a ReLU sets what is below, to 255; halves are rounded to even.
 * @param {Float32Array} values
 */
function rounded(values) {
  return Uint8ClampedArray.from(values);
}

/**
 * @param {Map<string, Tensor>} tensors
 * @param {string} prefix
 * @returns {Layer}
 */
function readLayer(tensors, prefix) {
  const quantized = tensors.has(`${prefix}weight_quantized`);
  /** @param {string} name */
  const floats = (name) => /** @type {Float32Array} */ (tensor(name).values);
  /** @param {string} name */
  const tensor = (name) => {
    const found = tensors.get(prefix + name);
    if (!found) throw new Error(`The weights file has no tensor ${prefix}${name}.`);
    return found;
  };
  const { shape, values } = tensor(quantized ? "weight_quantized" : "weight");
  const weight = /** @type {Layer["weight"]} */ (values);
  const [inputs, outputs] = shape;
  const inputScale = quantized ? floats("input_scale")[0] : 0;
  const outputScale = quantized ? floats("weight_scale").map((scale) => inputScale * scale) : new Float32Array();
  let bias = /** @type {Layer["bias"]} */ (tensor("bias").values);
  if (quantized && bias instanceof Float32Array) {
    bias = Int32Array.from(bias, (value, j) => Math.round(value / outputScale[j])); // older files
  }
  return { inputs, outputs, weight, bias, inputScale, outputScale, levelScale: new Float32Array() };
}
