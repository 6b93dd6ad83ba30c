// Scales pictures in the way of Pillow, so that the page reads the pixels that the service reads.

/**
 * @typedef {object} Picture
 * @property {Float32Array} values (height, width, channels); levels are whole numbers in [0, 255], ink is in [0, 1]
 * @property {number} width
 * @property {number} height
 * @property {number} channels
 */
/** @typedef {[number, number, number, number]} Box left, top, right, bottom in pixels */
/** @typedef {{support: number, weight: (distance: number) => number}} Filter how much a pixel counts at a distance */

/** @type {Filter} */
export const boxFilter = { support: 0.5, weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };

/** @type {Filter} */
export const bicubicFilter = {
  support: 2,
  weight: (distance) => {
    const x = Math.abs(distance);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0;
  },
};

/**
 * A box of a picture, scaled.
 * @param {Picture} picture
 * @param {number} width of the result
 * @param {number} height of the result
 * @param {Filter} filter
 * @param {boolean} whole whether the values are levels, and are to be again after each of the two passes
 * @param {Box} [box] all of the picture by default
 * @returns {Picture}
 */
export function resized(picture, width, height, filter, whole, box = boxOf(picture)) {
  const { channels } = picture;
  const [left, top, right, bottom] = box;
  const across = alongSide(picture.values, picture.width, channels, width, [left, right], filter, whole);
  const values = alongSide(across, picture.height, width * channels, height, [top, bottom], filter, whole);
  return { values, width, height, channels };
}

/**
 * Values (N, length, inner) to (N, size, inner).
 * @param {Float32Array} values
 * @param {number} length
 * @param {number} inner
 * @param {number} size
 * @param {[number, number]} part of the length that is scaled
 * @param {Filter} filter
 * @param {boolean} whole
 */
function alongSide(values, length, inner, size, [start, end], filter, whole) {
  const outer = values.length / (length * inner);
  const result = new Float32Array(outer * size * inner);
  const step = (end - start) / size;
  const reach = Math.max(step, 1);
  for (let to = 0; to < size; to++) {
    const centre = start + (to + 0.5) * step;
    const first = Math.max(0, Math.trunc(centre - filter.support * reach + 0.5));
    const behind = Math.min(length, Math.trunc(centre + filter.support * reach + 0.5));
    const weights = Array.from({ length: behind - first }, (_, k) => filter.weight((first + k - centre + 0.5) / reach));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let n = 0; n < outer; n++) {
      for (let i = 0; i < inner; i++) {
        let sum = 0;
        for (let k = 0, at = (n * length + first) * inner + i; k < weights.length; k++, at += inner) sum += weights[k] * values[at];
        const value = sum / total;
        result[(n * size + to) * inner + i] = whole ? Math.max(0, Math.min(255, Math.floor(value + 0.5))) : value;
      }
    }
  }
  return result;
}

/** @param {Picture} picture @returns {Box} */
export function boxOf({ width, height }) {
  return [0, 0, width, height];
}

/**
 * A part of a picture, in whole pixels.
 * @param {Picture} picture
 * @param {Box} box
 * @returns {Picture}
 */
export function cropped({ values, width, channels }, [left, top, right, bottom]) {
  const across = (right - left) * channels;
  const inside = new Float32Array(across * (bottom - top));
  for (let row = top; row < bottom; row++) {
    const start = (row * width + left) * channels;
    inside.set(values.subarray(start, start + across), (row - top) * across);
  }
  return { values: inside, width: right - left, height: bottom - top, channels };
}

/**
 * The nearest whole number; of two, the even one, as Python has it.
 * @param {number} value
 */
export function nearest(value) {
  const low = Math.floor(value);
  return value - low === 0.5 ? low + (low & 1) : Math.round(value);
}
