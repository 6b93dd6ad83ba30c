// Places the box that a decoder draws in its picture, and finds it there, as model/box.py does.

/**
 * Copy a square box into a square picture, at round(side / 2 - centre of mass) on both axes.
 * @param {Uint8Array} box grey levels
 * @param {Uint8Array} picture all paper, receives the box
 */
export function place(box, picture) {
  const [width, side] = [Math.sqrt(box.length), Math.sqrt(picture.length)];
  let [mass, down, right] = [0, 0, 0];
  for (let at = 0; at < box.length; at++) {
    mass += box[at];
    down += box[at] * Math.floor(at / width);
    right += box[at] * (at % width);
  }
  /** @param {number} moment */
  const start = (moment) => {
    if (mass === 0) return Math.floor((side - width) / 2);
    const exact = Math.floor(((side + 1) * mass - 2 * moment) / (2 * mass));
    return Math.max(0, Math.min(side - width, exact));
  };
  const [top, left] = [start(down), start(right)];
  for (let row = 0; row < width; row++) {
    picture.set(box.subarray(row * width, (row + 1) * width), (top + row) * side + left);
  }
}

/**
 * The square box around the middle of the ink of a square picture; what lies outside is cut off.
 * @param {Float32Array} picture ink above 0
 * @param {number} width of the box
 */
export function crop(picture, width) {
  const side = Math.sqrt(picture.length);
  let [top, bottom, left, right] = [side, -1, side, -1];
  picture.forEach((ink, at) => {
    if (ink === 0) return;
    const [row, column] = [Math.floor(at / side), at % side];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
  });
  /**
   * @param {number} first
   * @param {number} last
   */
  const start = (first, last) => first - Math.floor((width - (last - first + 1)) / 2);
  const [row0, column0] = [start(top, bottom), start(left, right)];
  const box = new Float32Array(width * width);
  return box.map((_, at) => {
    const [row, column] = [row0 + Math.floor(at / width), column0 + (at % width)];
    const inside = row >= 0 && row < side && column >= 0 && column < side;
    return inside ? picture[row * side + column] : 0;
  });
}
