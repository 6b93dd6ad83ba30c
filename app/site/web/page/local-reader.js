// Reads handwritten digits in the browser: without a service, or without a connection to it.

import { oneHot } from "./digit-grid.js";
import { encodeStyle } from "./style.js";
import { WorkerClient } from "./worker-client.js";

/** @typedef {import("./digit-grid.js").Model} Model */
/** @typedef {import("./service.js").Found} Found */
/** @typedef {import("./sight.js").Sight} Sight */

const SURE = 0.8; // confidence under which an answer has a warning, as in app/drawing/handwriting.py

export class LocalReader extends WorkerClient {
  /**
   * @param {import("./decoder-client.js").DecoderClient} decoder
   * @param {import("./rounded-network.js").RoundedNetwork} encoder
   * @param {Model & {names: string[]}} model
   */
  constructor(decoder, encoder, model) {
    super(new Worker(new URL("./reading-worker.js", import.meta.url), { type: "module" }));
    this.decoder = decoder;
    this.encoder = encoder;
    this.model = model;
  }

  /**
   * The handwriting in a picture, as the service finds it.
   * @param {Blob} picture
   * @param {string} chosen label; empty: it is read
   * @param {string} shows digit or line
   * @returns {Promise<Found>}
   * @throws {Error} it does not show what it is to show
   */
  async read(picture, chosen, shows) {
    const { data, width, height } = await pixelsOf(picture);
    const label = chosen ? this.model.names.indexOf(chosen) : null;
    /** @type {{sights: Sight[]}} */
    const { sights } = await this.run({ task: "read", rgba: data, width, height, label, line: shows === "line" }, [data.buffer]);
    const hot = sights.map((sight) => oneHot(sight.label, this.model.classes));
    const noises = sights.map(({ digit }, at) => this.encoder.encode(digit, hot[at]).mean);
    const cells = noises.map((noise, at) => ({ noise, label: hot[at], presence: 1 }));
    const drawn = await this.decoder.draw({ rows: 1, count: cells.length, cells });
    const used = sights.filter(({ unused }) => unused === null);
    const weights = sights.map(({ unused, confidence }) => (unused !== null ? 0 : chosen ? 1 : confidence));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const mean = noises[0].map((_, z) => noises.reduce((sum, noise, at) => sum + weights[at] * noise[z], 0) / total);
    const confidence = used.reduce((sum, sight) => sum + sight.confidence, 0) / used.length;
    return {
      style: encodeStyle(mean, this.model),
      label: used.map((sight) => this.model.names[sight.label]).join(""),
      confidence,
      warning: warningOf(used.length, sights.length, confidence),
      seen: sights.map((sight, at) => this.described(sight, drawn.subarray(at * sight.digit.length, (at + 1) * sight.digit.length))),
    };
  }

  /**
   * @param {Sight} sight
   * @param {Uint8Array} reconstruction
   */
  described({ label, confidence, runnersUp, digit, unused }, reconstruction) {
    const { names } = this.model;
    return {
      label: names[label],
      confidence,
      runners_up: runnersUp.map((other) => ({ ...other, label: names[other.label] })),
      digit: Uint8Array.from(digit, (value) => 255 * value + 0.5),
      reconstruction,
      unused,
    };
  }
}

/**
 * @param {Blob} picture
 * @returns {Promise<ImageData>}
 */
async function pixelsOf(picture) {
  const image = await createImageBitmap(picture);
  const { width, height } = image;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(image, 0, 0);
  return context.getImageData(0, 0, width, height);
}

/**
 * A sentence about what was not used, or a label that may be wrong.
 * @param {number} used
 * @param {number} count
 * @param {number} confidence
 */
function warningOf(used, count, confidence) {
  if (used < count) return `${count - used} of ${count} marks could not be used.`;
  return confidence < SURE ? `Read with a confidence of only ${(100 * confidence).toFixed(0)}%.` : null;
}
