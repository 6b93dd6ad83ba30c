// The two directions of the noise that change the digits most, as in GET /latent-map.

const STEP = 0.5; // of the noise, in standard deviations
const CLASSES = 10;
const ROUNDS = 40; // of the power iteration

/**
 * The first two singular vectors of d pixels / d noise at noise 0, over all digits together.
 * @param {import("./decoder.js").Decoder} decoder
 * @param {number} size Z
 * @returns {{across: Float32Array, down: Float32Array}} two unit vectors (Z,)
 */
export function strongestDirections(decoder, size) {
  const products = new Float64Array(size * size); // slopes times slopes, summed over the digits
  for (let digit = 0; digit < CLASSES; digit++) addProducts(decoder, digit, size, products);
  const across = strongest(products, size, []);
  const down = strongest(products, size, [across]);
  return { across: Float32Array.from(across), down: Float32Array.from(down) };
}

/**
 * @param {import("./decoder.js").Decoder} decoder
 * @param {number} digit
 * @param {number} size
 * @param {Float64Array} products (Z, Z), added to
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
 * The strongest eigenvector of a symmetric matrix, apart from those found before.
 * @param {Float64Array} matrix (Z, Z)
 * @param {number} size
 * @param {number[][]} before
 * @returns {number[]} of length 1, its largest entry positive
 */
function strongest(matrix, size, before) {
  let vector = Array.from({ length: size }, (_, z) => 1 + (z % 7) / 7);
  for (let round = 0; round < ROUNDS; round++) {
    const apart = before.reduce((rest, found) => without(rest, found), vector);
    const turned = apart.map((_, i) => apart.reduce((sum, x, j) => sum + matrix[i * size + j] * x, 0));
    const length = Math.hypot(...turned) || 1;
    vector = turned.map((x) => x / length);
  }
  const largest = vector.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  return vector.map((x) => x * Math.sign(largest));
}

/**
 * @param {number[]} vector
 * @param {number[]} found of length 1
 */
function without(vector, found) {
  const share = vector.reduce((sum, x, i) => sum + x * found[i], 0);
  return vector.map((x, i) => x - share * found[i]);
}
