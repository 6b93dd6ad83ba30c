// A hand as a short text, as app/style.py has it.

const STEPS_PER_UNIT = 32;
const PREFIX_BYTES = 3; // of the model's hash

/**
 * @param {Float32Array} noise (Z,)
 * @param {string} model 16 hex digits
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
 * @param {string} text
 * @param {string} model 16 hex digits
 * @param {number} size Z
 * @returns {Float32Array | null} the noise (Z,); null: no style of this model
 */
export function decodeStyle(text, model, size) {
  /** @type {Uint8Array} */
  let bytes;
  try {
    const content = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    bytes = Uint8Array.from(content, (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
  const known = prefixOf(model).every((byte, place) => bytes[place] === byte);
  if (!known || bytes.length !== PREFIX_BYTES + size) return null;
  return Float32Array.from(new Int8Array(bytes.buffer, PREFIX_BYTES), (step) => step / STEPS_PER_UNIT);
}

/** @param {string} model */
function prefixOf(model) {
  return Array.from({ length: PREFIX_BYTES }, (_, i) => parseInt(model.slice(2 * i, 2 * i + 2), 16));
}
