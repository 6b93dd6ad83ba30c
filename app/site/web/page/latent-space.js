// What the page knows of the latent space: real digits with their noise, and two directions.

/**
 * @typedef {object} LatentSpace
 * @property {number[]} labels
 * @property {Float32Array[]} means of the noise of each digit
 * @property {{slant: number[], width: number[]}} directions unit vectors
 * @property {{label: number, levels: Uint8Array}[]} examples
 */

const STEPS_PER_UNIT = 32;

/**
 * @param {string} address of latent.json, see app/site/latent.py
 * @returns {Promise<LatentSpace>}
 */
export async function loadLatentSpace(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`The map could not be loaded (status ${response.status}).`);
  const { labels, means, directions, examples } = await response.json();
  const steps = new Int8Array(bytes(means).buffer);
  const size = steps.length / labels.length;
  return {
    labels: [...labels].map(Number),
    means: [...labels].map((_, n) => Float32Array.from(steps.subarray(n * size, (n + 1) * size), (step) => step / STEPS_PER_UNIT)),
    directions,
    examples: examples.map((/** @type {any} */ { label, levels }) => ({ label, levels: bytes(levels) })),
  };
}

/** @param {string} text base64 */
function bytes(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
