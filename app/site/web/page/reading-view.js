// What was seen in a picture: each digit as it was cut out, the digit drawn again, and the noise found.

import { canvas, find, part } from "./element.js";
import { cssColour, paintBars } from "./network-view.js";
import { percent } from "./own-digit.js";
import { paintPixels, palette } from "./painter.js";
import { CELL } from "./sheet.js";
import { decodeStyle } from "./style.js";

/** @typedef {import("./service.js").Found} Found */
/** @typedef {import("./service.js").Sight} Sight */

/**
 * @param {Blob} picture as it was read
 * @param {Found} found
 * @param {import("./digit-grid.js").Model} model
 */
export function showReading(picture, { style, seen }, model) {
  const noise = decodeStyle(style, model);
  if (!noise) return clearReading();
  const original = find("#reading-original", HTMLImageElement);
  URL.revokeObjectURL(original.src);
  original.src = URL.createObjectURL(picture);
  part("#reading").hidden = false;
  const colours = { ink: cssColour("--ink"), accent: cssColour("--accent"), line: cssColour("--line") };
  paintBars(canvas("#reading-noise"), noise, 1, colours);
  part("#seen").replaceChildren(...seen.map(item));
  part("#reading-text").textContent =
    `The encoder describes ${seen.length > 1 ? "these digits" : "your digit"} by ${noise.length} numbers. ` +
    `From these numbers and the label${seen.length > 1 ? "s" : ` ${seen[0].label}`}, the decoder draws ${seen.length > 1 ? "them" : "it"} again.`;
}

export function clearReading() {
  part("#reading").hidden = true;
}

/** @param {Sight} sight */
function item({ label, confidence, digit, reconstruction, unused }) {
  const entry = document.createElement("li");
  entry.classList.toggle("unused", unused !== null);
  const text = document.createElement("span");
  text.textContent = unused ?? (confidence === null ? label : `${label}, ${percent(confidence)}`);
  entry.append(cell(digit, `The ${label}, cut out`), cell(reconstruction, `The ${label}, drawn by the decoder`), text);
  return entry;
}

/**
 * @param {Uint8Array} levels
 * @param {string} name
 */
function cell(levels, name) {
  const picture = document.createElement("canvas");
  picture.className = "pixels";
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", name);
  paintPixels(picture, { width: CELL, height: CELL, levels }, palette("ffffff", "000000"));
  return picture;
}
