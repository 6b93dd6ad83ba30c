// Style tokens: a handwriting as a short text, in the format of app/drawing/style.py.

/** @typedef {import("./digit-grid.js").Model} Model */

const STEPS_PER_UNIT = 32;
const PREFIX_BYTES = 3; // of the model's hash

/**
 * @param {Float32Array} noise (Z,)
 * @param {Model} model
 */
export function encodeStyle(noise, model) {
  const steps = Array.from(noise, (value) => {
    const step = Math.max(-127, Math.min(127, Math.round(value * STEPS_PER_UNIT)));
    return String.fromCharCode(step & 255);
  });
  const text = btoa(String.fromCharCode(...prefixOf(model)) + steps.join(""));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * @param {string} token
 * @param {Model} model
 * @returns {Float32Array | null} the noise (Z,); null: not a style token of this model
 */
export function decodeStyle(token, model) {
  /** @type {Uint8Array} */
  let bytes;
  try {
    const content = atob(token.replaceAll("-", "+").replaceAll("_", "/"));
    bytes = Uint8Array.from(content, (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
  const matches = prefixOf(model).every((byte, index) => bytes[index] === byte);
  if (!matches || bytes.length !== PREFIX_BYTES + model.latentSize) return null;
  return Float32Array.from(new Int8Array(bytes.buffer, PREFIX_BYTES), (step) => step / STEPS_PER_UNIT);
}

/** @param {Model} model */
function prefixOf({ hash }) {
  return Array.from({ length: PREFIX_BYTES }, (_, i) => parseInt(hash.slice(2 * i, 2 * i + 2), 16));
}
