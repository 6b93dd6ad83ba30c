// Stitches pictures of digits to one sheet of grey levels, as app/drawing/canvas.py does.

export const CELL = 28; // pixels, side of one digit
export const BEARING = 1; // pixels left and right of each digit in tight spacing
const INK_LEVEL = 64; // lowest grey level that counts as ink
export const BASELINE = 24; // row below the feet of the digits
const SPACE = 7; // pixels, width of a space in tight spacing

/** @typedef {{width: number, height: number, levels: Uint8Array}} Sheet */
/** @typedef {{x: number, y: number}} Place position of a picture's upper left corner on its line */

/**
 * @param {Uint8Array} pictures (rows * count) pictures of CELL x CELL
 * @param {number} rows
 * @param {number} count digits in a row
 * @param {"cell" | "tight"} spacing
 * @param {number} gap
 * @param {boolean[]} [standing] whether "tight" sets the feet of a picture on the baseline; default: all
 * @returns {Sheet}
 */
export function stitch(pictures, rows, count, spacing, gap, standing = []) {
  /** @param {number} index */
  const picture = (index) => pictures.subarray(index * CELL * CELL, (index + 1) * CELL * CELL);
  const lines = Array.from({ length: rows }, (_, row) => {
    const line = Array.from({ length: count }, (_, position) => picture(row * count + position));
    return { line, ...(spacing === "tight" ? placeTight(line, gap, standing) : placeCells(line, gap)) };
  });
  const width = Math.max(...lines.map((line) => line.width));
  const sheet = { width, height: rows * CELL, levels: new Uint8Array(width * rows * CELL) };
  lines.forEach(({ line, places, width: end }, row) => {
    line.forEach((digit, index) => paste(sheet, row, end, digit, places[index]));
  });
  return sheet;
}

/**
 * @param {Uint8Array[]} line
 * @param {number} gap
 */
function placeCells(line, gap) {
  const step = CELL + gap;
  return { places: line.map((_, i) => ({ x: i * step, y: 0 })), width: step * (line.length - 1) + CELL };
}

/**
 * @param {Uint8Array[]} line
 * @param {number} gap
 * @param {boolean[]} standing
 */
function placeTight(line, gap, standing) {
  let [x, end] = [0, 0];
  const places = line.map((picture, index) => {
    const stands = standing[index] ?? true;
    let { left, top, right, bottom } = inkBox(picture);
    if (!stands && !picture.some(Boolean)) [left, right] = [0, SPACE];
    const place = { x: x + BEARING - left, y: stands ? Math.max(BASELINE - bottom, -top) : 0 };
    const width = right - left + 2 * BEARING;
    end = Math.max(end, x + width);
    x += Math.max(width + gap, 1);
    return place;
  });
  return { places, width: end };
}

/**
 * The smallest box around the ink; the whole picture if it has none.
 * @param {Uint8Array} picture
 */
function inkBox(picture) {
  let [left, top, right, bottom] = [CELL, CELL, 0, 0];
  picture.forEach((level, index) => {
    if (level < INK_LEVEL) return;
    const [x, y] = [index % CELL, Math.floor(index / CELL)];
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + 1);
    bottom = Math.max(bottom, y + 1);
  });
  return right ? { left, top, right, bottom } : { left: 0, top: 0, right: CELL, bottom: CELL };
}

/**
 * Paste a picture into its line: the darker level wins, and parts outside the line are cut off.
 * @param {Sheet} sheet
 * @param {number} row
 * @param {number} end of the line, in pixels
 * @param {Uint8Array} picture
 * @param {Place} place
 */
function paste(sheet, row, end, picture, place) {
  for (let y = Math.max(place.y, 0); y < Math.min(place.y + CELL, CELL); y++) {
    for (let x = Math.max(place.x, 0); x < Math.min(place.x + CELL, end); x++) {
      const at = (row * CELL + y) * sheet.width + x;
      const level = picture[(y - place.y) * CELL + x - place.x];
      if (level > sheet.levels[at]) sheet.levels[at] = level;
    }
  }
}
