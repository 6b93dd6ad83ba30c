// Draws in the browser: sends tasks to the decoder in worker.js.

import { WorkerClient } from "./worker-client.js";

/** @typedef {import("./digit-grid.js").DigitGrid} DigitGrid */

export class DecoderClient extends WorkerClient {
  constructor() {
    super(new Worker(new URL("./worker.js", import.meta.url), { type: "module" }));
    this.msPerDigit = 0; // of the last drawing
    /** @type {Promise<{across: Float32Array, down: Float32Array}> | undefined} */
    this.foundDirections = undefined;
  }

  /**
   * @param {string} address of decoder.int8.safetensors
   * @returns {Promise<DecoderClient>}
   */
  static async open(address) {
    const decoder = new DecoderClient();
    await decoder.load(address);
    return decoder;
  }

  /**
   * The grey levels of all digits of a grid, picture after picture.
   * @param {DigitGrid} grid
   * @returns {Promise<Uint8Array>} (rows * count * pixels,)
   */
  async draw({ cells }) {
    const noise = concatenate(cells.map((cell) => cell.noise));
    const labels = concatenate(cells.map((cell) => cell.label));
    const task = { task: "draw", noise, labels, count: cells.length };
    const { levels, milliseconds } = await this.run(task, [noise.buffer, labels.buffer]);
    this.msPerDigit = milliseconds / cells.length;
    return levels;
  }

  /**
   * The picture of one digit and the activations of the decoder's hidden layers.
   * @param {Float32Array} noise
   * @param {Float32Array} label
   * @returns {Promise<{levels: Uint8Array, activations: Float32Array[]}>}
   */
  trace(noise, label) {
    return this.run({ task: "trace", noise, label });
  }

  /**
   * The two directions of the noise that change the digits most, computed once.
   * @param {number} size Z
   * @returns {Promise<{across: Float32Array, down: Float32Array}>}
   */
  directions(size) {
    this.foundDirections ??= this.run({ task: "directions", size });
    return this.foundDirections;
  }
}

/** @param {Float32Array[]} parts of equal length */
function concatenate(parts) {
  const all = new Float32Array(parts.length * (parts[0]?.length ?? 0));
  parts.forEach((part, index) => all.set(part, index * part.length));
  return all;
}
