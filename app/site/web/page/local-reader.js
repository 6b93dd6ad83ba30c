// Reads a handwritten digit in the browser: without a service, or without a connection to it.
// It looks at the whole picture, so it needs one digit on bare paper; the service finds it anywhere.

import { oneHot } from "./digit-grid.js";
import { crossEntropy } from "./encode-view.js";
import { normalise } from "./normalise.js";
import { encodeStyle } from "./style.js";

/** @typedef {import("./digit-grid.js").Model} Model */
/** @typedef {import("./service.js").Found} Found */

const DOUBT = 0.1; // of each pixel: a clear drawing is not as sure as it looks
const RUNNERS_UP = 3;

/**
 * The handwriting of a digit. Its label is the one that costs the CVAE least: reconstruction and
 * noise, as in `Generator.read` of model/generator.py.
 * @param {import("./decoder-client.js").DecoderClient} decoder
 * @param {import("./rounded-network.js").RoundedNetwork} encoder
 * @param {Model & {names: string[]}} model
 * @param {Blob} picture
 * @param {string} chosen label; empty: it is read
 * @returns {Promise<Found>}
 */
export async function readLocally(decoder, encoder, model, picture, chosen) {
  const levels = await normalise(picture);
  const pixels = Float32Array.from(levels, (level) => level / 255);
  const codes = model.names.map((_, label) => encoder.encode(pixels, oneHot(label, model.classes)));
  const cells = codes.map(({ mean }, label) => ({ noise: mean, label: oneHot(label, model.classes), presence: 1 }));
  const drawn = await decoder.draw({ rows: 1, count: cells.length, cells });
  const pictures = codes.map((_, label) => drawn.subarray(label * levels.length, (label + 1) * levels.length));
  const losses = codes.map(({ mean }, label) => crossEntropy(pixels, pictures[label], DOUBT) + mean.reduce((sum, value) => sum + value ** 2, 0) / 2);
  const order = losses.map((_, label) => label).sort((a, b) => losses[a] - losses[b]);
  const best = chosen ? model.names.indexOf(chosen) : order[0];
  const others = order.filter((label) => label !== best).slice(0, RUNNERS_UP);
  const sight = {
    label: model.names[best],
    confidence: null,
    runners_up: others.map((label) => ({ label: model.names[label], confidence: null })),
    digit: levels,
    reconstruction: pictures[best],
    unused: null,
  };
  return { style: encodeStyle(codes[best].mean, model), label: sight.label, confidence: null, warning: null, seen: [sight] };
}
