// A picture of one digit to the form of MNIST, for what the page shows; the service has a better one.

import { CELL } from "./sheet.js";

const BOX = 20; // pixels, the longer side of the digit
const LARGEST = 400; // pixels, to which photos are reduced first
const LEAST_INK = 0.3; // of the darkest

/**
 * @param {Blob} picture one digit, on paper of another brightness
 * @returns {Promise<Uint8Array>} (CELL * CELL,) ink 255
 */
export async function normalise(picture) {
  const image = await createImageBitmap(picture);
  const share = Math.min(1, LARGEST / Math.max(image.width, image.height));
  const [width, height] = [Math.round(image.width * share), Math.round(image.height * share)];
  const ink = inkOf(draw(image, [0, 0, image.width, image.height], [0, 0, width, height], width, height));
  const box = inkBox(ink, width);
  const scale = BOX / Math.max(box.width, box.height);
  const [across, down] = [box.width * scale, box.height * scale];
  const source = [box.left / share, box.top / share, box.width / share, box.height / share];
  const middle = [(CELL - across) / 2, (CELL - down) / 2];
  const small = inkOf(draw(image, source, [...middle, across, down], CELL, CELL));
  return centred(small);
}

/**
 * @param {ImageBitmap} image
 * @param {number[]} from left, top, width and height
 * @param {number[]} to the same, on the result
 * @param {number} width
 * @param {number} height
 */
function draw(image, [a, b, c, d], [e, f, g, h], width, height) {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.imageSmoothingQuality = "high";
  context.drawImage(image, a, b, c, d, e, f, g, h);
  return context.getImageData(0, 0, width, height).data;
}

/**
 * How far each pixel is from the paper, from 0 to 1; outside of the picture is paper.
 * @param {Uint8ClampedArray} rgba
 */
function inkOf(rgba) {
  const seen = Array.from({ length: rgba.length / 4 }, (_, at) => at).filter((at) => rgba[4 * at + 3] > 128);
  const grey = (/** @type {number} */ at) => (rgba[4 * at] + rgba[4 * at + 1] + rgba[4 * at + 2]) / 3;
  const paper = seen.map(grey).sort((a, b) => a - b)[Math.floor(seen.length / 2)] ?? 0;
  const ink = new Float32Array(rgba.length / 4);
  for (const at of seen) ink[at] = Math.abs(grey(at) - paper);
  const most = ink.reduce((a, b) => Math.max(a, b), 1);
  return ink.map((value) => value / most);
}

/**
 * @param {Float32Array} ink
 * @param {number} width
 */
function inkBox(ink, width) {
  let [left, top, right, bottom] = [Infinity, Infinity, 0, 0];
  ink.forEach((value, at) => {
    if (value < LEAST_INK) return;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
  });
  return right ? { left, top, width: right - left, height: bottom - top } : { left: 0, top: 0, width: 1, height: 1 };
}

/**
 * Moved so that the centre of mass is in the middle, as in MNIST.
 * @param {Float32Array} ink (CELL * CELL,)
 */
function centred(ink) {
  let [mass, x, y] = [0, 0, 0];
  ink.forEach((value, at) => {
    mass += value;
    x += value * (at % CELL);
    y += value * Math.floor(at / CELL);
  });
  const [right, down] = [x, y].map((sum) => Math.round(CELL / 2 - sum / (mass || 1)));
  return Uint8Array.from(ink, (_, at) => {
    const [fromX, fromY] = [(at % CELL) - right, Math.floor(at / CELL) - down];
    const inside = fromX >= 0 && fromY >= 0 && fromX < CELL && fromY < CELL;
    return inside ? 255 * ink[fromY * CELL + fromX] + 0.5 : 0;
  });
}
