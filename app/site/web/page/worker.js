// Runs the decoder on its own thread, so that the page stays responsive while it draws.

import { place } from "./box.js";
import { Decoder } from "./decoder.js";
import { strongestDirections } from "./directions.js";
import { answerTasks } from "./worker-client.js";

/** @type {Decoder | undefined} */
let decoder;

answerTasks(({ task, file, noise, label, labels, count, size }) => {
  if (task === "open") {
    decoder = new Decoder(file);
    return {};
  }
  if (!decoder) throw new Error("The decoder is not open.");
  if (task === "draw") {
    const start = performance.now();
    const levels = draw(decoder, noise, labels, count);
    return { levels, milliseconds: performance.now() - start };
  }
  return task === "trace" ? trace(decoder, noise, label) : strongestDirections(decoder, size);
});

/**
 * @param {Decoder} decoder
 * @param {Float32Array} noise (N, Z)
 * @param {Float32Array} labels (N, K)
 * @param {number} count N
 */
function draw(decoder, noise, labels, count) {
  const [size, classes, pixels] = [noise.length / count, labels.length / count, decoder.canvas ** 2];
  const levels = new Uint8Array(count * pixels);
  for (let n = 0; n < count; n++) {
    const box = new Uint8Array(decoder.pixels);
    decoder.decode(noise.subarray(n * size, (n + 1) * size), labels.subarray(n * classes, (n + 1) * classes), box);
    place(box, levels.subarray(n * pixels, (n + 1) * pixels));
  }
  return levels;
}

/**
 * @param {Decoder} decoder
 * @param {Float32Array} noise
 * @param {Float32Array} label
 */
function trace(decoder, noise, label) {
  const box = new Uint8Array(decoder.pixels);
  /** @type {Float32Array[]} */
  const activations = [];
  decoder.decode(noise, label, box, activations);
  const levels = new Uint8Array(decoder.canvas ** 2);
  place(box, levels);
  return { levels, activations };
}
