// Encode and decode: what the encoder makes of a real digit, and what the decoder makes of that.

import { oneHot } from "./digit-grid.js";
import { button, canvas, part } from "./element.js";
import { paintRow } from "./hands-view.js";
import { cssColour, paintBars, paintSpreads } from "./network-view.js";
import { digitNoise } from "./noise.js";
import { randomSeed } from "./query.js";

/** @typedef {import("./digit-grid.js").Model} Model */
/** @typedef {{label: number, levels: Uint8Array}} Example levels: (784,) ink 255 */

const LEAST = 1 / 512; // probability of a pixel that its rounding to 255 levels hides

export class EncodeView {
  /**
   * @param {import("./decoder-client.js").DecoderClient} decoder
   * @param {import("./rounded-network.js").RoundedNetwork} encoder
   * @param {Example[]} examples
   * @param {Model} model
   */
  constructor(decoder, encoder, examples, model) {
    this.decoder = decoder;
    this.encoder = encoder;
    this.model = model;
    this.epsilon = new Float32Array(model.latentSize); // the first sample is the mean
    this.chosen = examples[0];
    for (const example of examples) this.offer(example);
    button("#sample-again").addEventListener("click", () => {
      this.epsilon = digitNoise(randomSeed(), 0, 0, model.latentSize).slice();
      this.show(this.chosen);
    });
    button("#sample-mean").addEventListener("click", () => {
      this.epsilon.fill(0);
      this.show(this.chosen);
    });
  }

  /** @param {Example} example */
  offer(example) {
    const choice = document.createElement("button");
    choice.type = "button";
    choice.setAttribute("aria-label", `Encode a real ${example.label}`);
    choice.append(Object.assign(document.createElement("canvas"), { id: `example-${part("#examples").childElementCount}` }));
    choice.addEventListener("click", () => this.show(example));
    part("#examples").append(choice);
    paintRow(`#${choice.firstElementChild?.id}`, example.levels, 2);
  }

  /** @param {Example} example */
  async show(example) {
    this.chosen = example;
    const { levels, label } = example;
    const pixels = Float32Array.from(levels, (level) => level / 255);
    const hot = oneHot(label, this.model.classes);
    const { mean, deviation } = this.encoder.encode(pixels, hot);
    const noise = mean.map((value, z) => value + deviation[z] * this.epsilon[z]);
    const drawn = await this.decoder.draw({ rows: 1, count: 1, cells: [{ noise, label: hot, presence: 1 }] });
    paintRow("#encode-original", levels, 6);
    paintRow("#encode-redrawn", drawn, 6);
    const colours = { ink: cssColour("--ink"), accent: cssColour("--accent"), line: cssColour("--line") };
    paintBars(canvas("#encode-bars"), mean, 1, colours);
    paintSpreads(canvas("#encode-bars"), mean, deviation, noise, { mark: cssColour("--text"), sample: cssColour("--accent") });
    this.describe(label, crossEntropy(pixels, drawn), divergence(mean, deviation), deviation);
  }

  /**
   * @param {number} label
   * @param {number} reconstruction in nats
   * @param {number} kl in nats
   * @param {Float32Array} deviation
   */
  describe(label, reconstruction, kl, deviation) {
    const known = deviation.filter((value) => value < 0.5).length;
    canvas("#encode-redrawn").setAttribute("aria-label", `The ${label}, drawn by the decoder`);
    part("#encode-terms").textContent =
      `Reconstruction ${reconstruction.toFixed(1)} nats + KL ${kl.toFixed(1)} nats = ${(reconstruction + kl).toFixed(1)} nats.`;
    part("#encode-text").textContent =
      `Bars: the mean of each of the ${deviation.length} dimensions of z. Lines: one standard deviation up and down. Dots: the sample. ` +
      `The digit fixes ${known} of the numbers to less than half a standard deviation of the prior; each costs KL.`;
    part("#encode").dataset.state = "ready";
  }
}

/**
 * -log p(y | z, x) in nats, summed over pixels, as model/objective.py has it.
 * @param {Float32Array} pixels
 * @param {Uint8Array} drawn
 */
function crossEntropy(pixels, drawn) {
  return pixels.reduce((sum, pixel, at) => {
    const p = Math.max(LEAST, Math.min(1 - LEAST, drawn[at] / 255));
    return sum - pixel * Math.log(p) - (1 - pixel) * Math.log(1 - p);
  }, 0);
}

/**
 * KL(N(mean, deviation^2) || N(0, I)) in nats.
 * @param {Float32Array} mean
 * @param {Float32Array} deviation
 */
function divergence(mean, deviation) {
  return mean.reduce((sum, m, z) => sum + (m * m + deviation[z] ** 2 - 1) / 2 - Math.log(deviation[z]), 0);
}
