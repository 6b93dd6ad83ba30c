// Seeded noise as model/noise.py defines it: (seed, row, position) -> N(0, I).

const WORD = (1n << 64n) - 1n;
const NORMALS_PER_BLOCK = 8; // four words of 64 bits, two normals each
export const MAX_SEED = 2 ** 32 - 1;
const POSITIONS = 0n; // the streams
const HANDS = 1n;

/**
 * One block of Philox4x64-10 (Salmon et al., SC 2011).
 * @param {bigint} seed first word of the key
 * @param {bigint} row second word of the key
 * @param {bigint} block first word of the counter
 * @param {bigint} stream last word of the counter
 * @returns {bigint[]} four words of 64 bits
 */
function philox(seed, row, block, stream) {
  let [k0, k1, c0, c1, c2, c3] = [seed, row, block, 0n, 0n, stream];
  for (let round = 0; round < 10; round++) {
    const left = c0 * 0xd2e7470ee14c6c93n;
    const right = c2 * 0xca5a826395121157n;
    c0 = (right >> 64n) ^ c1 ^ k0;
    c1 = right & WORD;
    c2 = (left >> 64n) ^ c3 ^ k1;
    c3 = left & WORD;
    k0 = (k0 + 0x9e3779b97f4a7c15n) & WORD;
    k1 = (k1 + 0xbb67ae8584caa73bn) & WORD;
  }
  return [c0, c1, c2, c3];
}

/**
 * The noise of the digit at one position of a row.
 * @param {number} seed 0 .. 2^32 - 1
 * @param {number} row
 * @param {number} position
 * @param {number} size Z, the number of latent dimensions
 * @param {bigint} [stream]
 * @returns {Float32Array} (Z,), each entry from N(0, 1)
 */
export function digitNoise(seed, row, position, size, stream = POSITIONS) {
  const blocks = Math.ceil(size / NORMALS_PER_BLOCK);
  const normals = new Float32Array(blocks * NORMALS_PER_BLOCK);
  let next = 0;
  for (let block = position * blocks + 1; block <= (position + 1) * blocks; block++) {
    for (const word of philox(BigInt(seed), BigInt(row), BigInt(block), stream)) {
      const u = (Number(word & 0xffffffffn) + 0.5) / 2 ** 32;
      const v = (Number(word >> 32n) + 0.5) / 2 ** 32;
      const radius = Math.sqrt(-2 * Math.log(u));
      normals[next++] = radius * Math.cos(2 * Math.PI * v);
      normals[next++] = radius * Math.sin(2 * Math.PI * v);
    }
  }
  return normals.subarray(0, size);
}

/**
 * The noise (Z,) that all digits of a row share: its handwriting.
 * @param {number} seed
 * @param {number} row
 * @param {number} size
 */
export function hand(seed, row, size) {
  return digitNoise(seed, row, 0, size, HANDS);
}

/**
 * The noise at `share` of the way from `first` to `second`, on the sphere; 0 and 1 are exact.
 * @param {Float32Array} first from N(0, I)
 * @param {Float32Array} second from N(0, I), independent of the first
 * @param {number} share in [0, 1]
 */
export function mix(first, second, share) {
  if (share === 0 || share === 1) return share ? second : first;
  const cosine = Math.fround(Math.cos((share * Math.PI) / 2));
  const sine = Math.fround(Math.sin((share * Math.PI) / 2));
  return first.map((a, i) => Math.fround(cosine * a) + Math.fround(sine * second[i]));
}
