// Places the box that a decoder draws in its picture, as model/box.py does.

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
