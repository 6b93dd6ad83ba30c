// The kernel on a thread of its own, so that the page stays smooth while it draws.

import { Decoder } from "./decoder.js";
import { strongestDirections } from "./directions.js";

/** @type {Decoder | undefined} */
let decoder;

/** @param {MessageEvent} event */
self.onmessage = ({ data }) => {
  try {
    const result = answer(data);
    const buffers = Object.values(result).flatMap((value) => (value.buffer ? [value.buffer] : []));
    self.postMessage({ id: data.id, result }, { transfer: buffers });
  } catch (error) {
    self.postMessage({ id: data.id, error: String(error) });
  }
};

/** @param {any} order */
function answer(order) {
  if (order.task === "open") {
    decoder = new Decoder(order.file);
    return { inputs: decoder.inputs, pixels: decoder.pixels };
  }
  if (!decoder) throw new Error("The decoder is not open.");
  if (order.task === "draw") {
    const start = performance.now();
    const levels = drawn(decoder, order.noise, order.labels, order.count);
    return { levels, spent: performance.now() - start };
  }
  if (order.task === "trace") return traced(decoder, order.noise, order.label);
  return strongestDirections(decoder, order.size);
}

/**
 * @param {Decoder} decoder
 * @param {Float32Array} noise (N, Z)
 * @param {Float32Array} labels (N, K)
 * @param {number} count N
 */
function drawn(decoder, noise, labels, count) {
  const [size, classes, pixels] = [noise.length / count, labels.length / count, decoder.pixels];
  const levels = new Uint8Array(count * pixels);
  for (let n = 0; n < count; n++) {
    decoder.decode(
      noise.subarray(n * size, (n + 1) * size),
      labels.subarray(n * classes, (n + 1) * classes),
      levels.subarray(n * pixels, (n + 1) * pixels),
    );
  }
  return levels;
}

/**
 * @param {Decoder} decoder
 * @param {Float32Array} noise
 * @param {Float32Array} label
 */
function traced(decoder, noise, label) {
  const levels = new Uint8Array(decoder.pixels);
  /** @type {Float32Array[]} */
  const activations = [];
  decoder.decode(noise, label, levels, activations);
  return { levels, activations };
}
