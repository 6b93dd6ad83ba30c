// The sizes of the picture file, and which of them the service accepts.

import { find, part } from "./element.js";
import { writtenIn } from "./query.js";
import { BEARING, CELL } from "./sheet.js";

/** @typedef {import("./query.js").Query} Query */

const MAX_SCALE = 16;
const MAX_PIXELS = 2 ** 24; // of a picture, as in app/request/schemas.py
const MAX_SIDE = 16383; // pixels
const REASON = `The service makes pictures of at most 16.7 million pixels and ${MAX_SIDE} on a side, counting every digit at its full width`;

/**
 * The largest scale that the service accepts; it assumes that each digit has its full width.
 * @param {Query} query
 * @returns {number} 0: none
 */
export function largestScale(query) {
  const { rows, spacing, gap } = query;
  const cell = CELL + (spacing === "tight" ? 2 * BEARING : 0);
  const width = (cell + gap) * (writtenIn(query).length - 1) + cell;
  const height = CELL * rows;
  const bySide = MAX_SIDE / Math.max(width, height);
  return Math.min(MAX_SCALE, Math.floor(Math.min(bySide, Math.sqrt(MAX_PIXELS / (width * height)))));
}

/** @param {import("./store.js").Store} store */
export function bindSize(store) {
  const choice = find("#scale", HTMLSelectElement);
  for (let scale = 1; scale <= MAX_SCALE; scale++) choice.append(new Option("", String(scale)));
  choice.addEventListener("change", () => store.change({ scale: Number(choice.value) }));
}

/**
 * Show the size of the file at each scale, and why some are too large.
 * @param {Query} query
 * @param {{width: number, height: number}} sheet
 */
export function showSize(query, { width, height }) {
  const choice = find("#scale", HTMLSelectElement);
  const largest = largestScale(query);
  for (const option of choice.options) {
    const scale = Number(option.value);
    option.disabled = scale > largest;
    option.text = `${width * scale} × ${height * scale}${option.disabled ? ", too large" : ""}`;
  }
  choice.value = String(query.scale);
  const tooLarge = query.scale > largest;
  for (const button of document.querySelectorAll("#save button")) {
    button.toggleAttribute("disabled", tooLarge || button.hasAttribute("data-unavailable"));
  }
  part("#size").textContent = largest === MAX_SCALE ? "" : tooLarge ? `${REASON}. Choose a smaller size.` : `${REASON}.`;
}
