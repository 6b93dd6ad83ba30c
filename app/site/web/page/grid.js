// Values on a grid, as in app/drawing/grid.py: the spline between them, their blur, their highest.

/**
 * @typedef {object} Grid
 * @property {number} width
 * @property {number} height
 * @property {Float32Array} values row by row
 */

/**
 * The cubic B-spline of values, at other points.
 * @param {Grid} grid
 * @param {number} scale points along each pixel
 * @param {number} [fineness] values along each pixel
 * @returns {Grid}
 */
export function enlarged(grid, scale, fineness = 1) {
  if (scale === fineness) return blurred(grid, 1 / 6);
  const { width, height, values } = grid;
  const [across, down] = [taps(width, scale, fineness), taps(height, scale, fineness)];
  const [wide, high] = [across.length, down.length];
  const lines = new Float32Array(width * high);
  down.forEach(({ places: [a, b, c, d], weights: [p, q, r, s] }, y) => {
    for (let x = 0; x < width; x++) {
      lines[y * width + x] =
        p * values[a * width + x] + q * values[b * width + x] + r * values[c * width + x] + s * values[d * width + x];
    }
  });
  const result = new Float32Array(wide * high);
  for (let x = 0; x < wide; x++) {
    const { places: [a, b, c, d], weights: [p, q, r, s] } = across[x];
    for (let at = x, row = 0; at < result.length; at += wide, row += width) {
      result[at] = p * lines[row + a] + q * lines[row + b] + r * lines[row + c] + s * lines[row + d];
    }
  }
  return { width: wide, height: high, values: result };
}

/**
 * Values with a share of their four neighbours; outside of them is 0.
 * @param {Grid} grid
 * @param {number} weight
 * @returns {Grid}
 */
export function blurred({ width, height, values }, weight) {
  const down = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) {
    down[at] = (1 - 2 * weight) * values[at] + weight * ((values[at - width] ?? 0) + (values[at + width] ?? 0));
  }
  const result = new Float32Array(values.length);
  for (let at = 0; at < values.length; at++) {
    const x = at % width;
    const beside = (x > 0 ? down[at - 1] : 0) + (x < width - 1 ? down[at + 1] : 0);
    result[at] = (1 - 2 * weight) * down[at] + weight * beside;
  }
  return { width, height, values: result };
}

/**
 * The highest of the values, none below 0, at most 2 places away.
 * @param {Grid} grid
 * @returns {Grid}
 */
export function highestNearby({ width, height, values }) {
  const down = values.map((value, at) =>
    Math.max(value, ...[-2, -1, 1, 2].map((step) => values[at + step * width] ?? 0)),
  );
  const result = down.map((value, at) => {
    const x = at % width;
    return Math.max(value, ...[-2, -1, 1, 2].map((step) => (x + step >= 0 && x + step < width ? down[at + step] : 0)));
  });
  return { width, height, values: result };
}

/**
 * For each point of the spline the four values that it lies between, and their weights.
 * @param {number} count
 * @param {number} scale
 * @param {number} fineness
 */
function taps(count, scale, fineness) {
  return Array.from({ length: (count / fineness) * scale }, (_, i) => {
    const point = ((i + 0.5) * fineness) / scale - 0.5;
    const left = Math.floor(point);
    const t = point - left;
    const places = [-1, 0, 1, 2].map((step) => Math.max(0, Math.min(count - 1, left + step)));
    const weights = [(1 - t) ** 3, 3 * t ** 3 - 6 * t ** 2 + 4, -3 * t ** 3 + 3 * t ** 2 + 3 * t + 1, t ** 3];
    return { places, weights: weights.map((weight) => weight / 6) };
  });
}
