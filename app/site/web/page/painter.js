// Paints a sheet of grey levels on a canvas: as pixels, or as ink.

import { coverage } from "./ink.js";

/** @typedef {import("./sheet.js").Sheet} Sheet */

const MAX_PIXELS = 1.5e6; // of ink on the screen; more would be slow and look the same

/**
 * The colours of the 256 levels, as in app/drawing/palette.py.
 * @param {string} ink 6 hex digits
 * @param {string} paper 6 hex digits, or transparent
 * @returns {Uint8ClampedArray} (256 * 4,) red, green, blue, alpha
 */
export function palette(ink, paper) {
  const to = rgb(ink);
  const from = paper === "transparent" ? to : rgb(paper);
  const colours = new Uint8ClampedArray(1024);
  for (let level = 0; level < 256; level++) {
    to.forEach((end, i) => {
      colours[4 * level + i] = from[i] + (level / 255) * (end - from[i]); // the array rounds half to even
    });
    colours[4 * level + 3] = paper === "transparent" ? level : 255;
  }
  return colours;
}

/** @param {string} hex */
export function rgb(hex) {
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/**
 * Paint a sheet with one square per pixel.
 * @param {HTMLCanvasElement} canvas resized to the sheet
 * @param {Sheet} sheet
 * @param {Uint8ClampedArray} colours
 * @param {number} [scale] side of a square, in pixels of the canvas
 */
export function paintPixels(canvas, sheet, colours, scale = 1) {
  const image = new ImageData(sheet.width * scale, sheet.height * scale);
  const words = new Uint32Array(image.data.buffer);
  const table = new Uint32Array(colours.buffer);
  for (let y = 0, at = 0; y < image.height; y++) {
    const row = Math.floor(y / scale) * sheet.width;
    for (let x = 0; x < image.width; x++) words[at++] = table[sheet.levels[row + Math.floor(x / scale)]];
  }
  put(canvas, image);
}

/**
 * Paint a sheet as ink.
 * @param {HTMLCanvasElement} canvas resized to the sheet
 * @param {Sheet} sheet
 * @param {Uint8ClampedArray} colours
 * @param {number} scale pixels of the canvas along each pixel of the sheet
 * @param {number} pen thickness of the strokes, in multiples of the model's
 */
export function paintInk(canvas, sheet, colours, scale, pen) {
  paintPixels(canvas, coverage(sheet, scale, pen), colours);
}

/**
 * The scale at which a sheet fills a width on the screen.
 * @param {Sheet} sheet
 * @param {number} width in pixels of the screen
 */
export function screenScale(sheet, width) {
  const limit = Math.sqrt(MAX_PIXELS / (sheet.width * sheet.height));
  return Math.max(1, Math.min(Math.round(width / sheet.width), Math.floor(limit), 16));
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ImageData} image
 */
function put(canvas, image) {
  if (canvas.width !== image.width) canvas.width = image.width;
  if (canvas.height !== image.height) canvas.height = image.height;
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}
