// Finds the two directions of the noise that change the digits most, as in GET /latent-map.

const STEP = 0.5; // change of the noise for a slope, in standard deviations
const CLASSES = 10;
const ITERATIONS = 40; // of the power iteration

/**
 * The first two singular vectors of d pixels / d noise at noise 0, for all digits together.
 * @param {import("./decoder.js").Decoder} decoder
 * @param {number} size Z
 * @returns {{across: Float32Array, down: Float32Array}} two unit vectors (Z,)
 */
export function strongestDirections(decoder, size) {
  const products = new Float64Array(size * size); // of slopes, summed over digits and pixels
  for (let digit = 0; digit < CLASSES; digit++) addProducts(decoder, digit, size, products);
  const across = strongest(products, size, []);
  const down = strongest(products, size, [across]);
  return { across: Float32Array.from(across), down: Float32Array.from(down) };
}

/**
 * Add the inner products of the pixels' slopes along each pair of noise dimensions.
 * @param {import("./decoder.js").Decoder} decoder
 * @param {number} digit
 * @param {number} size
 * @param {Float64Array} products (Z, Z), changed in place
 */
function addProducts(decoder, digit, size, products) {
  const label = new Float32Array(CLASSES);
  label[digit] = 1;
  const middle = new Uint8Array(decoder.pixels);
  decoder.decode(new Float32Array(size), label, middle);
  const slopes = Array.from({ length: size }, (_, z) => {
    const noise = new Float32Array(size);
    noise[z] = STEP;
    const moved = new Uint8Array(decoder.pixels);
    decoder.decode(noise, label, moved);
    return Int16Array.from(moved, (level, pixel) => level - middle[pixel]);
  });
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let pixel = 0; pixel < decoder.pixels; pixel++) sum += slopes[i][pixel] * slopes[j][pixel];
      products[i * size + j] += sum;
      if (j < i) products[j * size + i] += sum;
    }
  }
}

/**
 * The eigenvector of a symmetric matrix with the largest eigenvalue, orthogonal to given ones.
 * @param {Float64Array} matrix (Z, Z)
 * @param {number} size
 * @param {number[][]} others unit vectors
 * @returns {number[]} a unit vector whose largest entry is positive
 */
function strongest(matrix, size, others) {
  let vector = Array.from({ length: size }, (_, z) => 1 + (z % 7) / 7);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    const orthogonal = others.reduce((rest, other) => without(rest, other), vector);
    const product = orthogonal.map((_, i) => orthogonal.reduce((sum, x, j) => sum + matrix[i * size + j] * x, 0));
    const length = Math.hypot(...product) || 1;
    vector = product.map((x) => x / length);
  }
  const largest = vector.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  return vector.map((x) => x * Math.sign(largest));
}

/**
 * A vector without its component along another.
 * @param {number[]} vector
 * @param {number[]} other a unit vector
 */
function without(vector, other) {
  const component = vector.reduce((sum, x, i) => sum + x * other[i], 0);
  return vector.map((x, i) => x - component * other[i]);
}
