// What the encoder found in a digit: the digit, the noise that it found, and the digit drawn again.

import { oneHot } from "./digit-grid.js";
import { canvas, find, part } from "./element.js";
import { cssColour, paintBars } from "./network-view.js";
import { paintPixels, palette } from "./painter.js";
import { CELL } from "./sheet.js";
import { decodeStyle } from "./style.js";

/** @typedef {import("./digit-grid.js").Model} Model */

export class ReadingView {
  /**
   * @param {import("./decoder-client.js").DecoderClient} decoder
   * @param {Model} model
   */
  constructor(decoder, model) {
    this.decoder = decoder;
    this.model = model;
  }

  /**
   * @param {Blob} picture the digit as it was sent
   * @param {{style: string, label: string}} found
   */
  async show(picture, { style, label }) {
    const noise = decodeStyle(style, this.model);
    if (!noise) return this.clear();
    const cell = { noise, label: oneHot(Number(label), this.model.classes), presence: 1 };
    const levels = await this.decoder.draw({ rows: 1, count: 1, cells: [cell] });
    const original = find("#reading-original", HTMLImageElement);
    URL.revokeObjectURL(original.src);
    original.src = URL.createObjectURL(picture);
    part("#reading").hidden = false;
    const colours = { ink: cssColour("--ink"), accent: cssColour("--accent"), line: cssColour("--line") };
    paintBars(canvas("#reading-noise"), noise, 1, colours);
    const sheet = { width: CELL, height: CELL, levels };
    paintPixels(canvas("#reading-decoded"), sheet, palette("000000", "ffffff"));
    canvas("#reading-decoded").setAttribute("aria-label", `A handwritten ${label}, drawn by the decoder`);
    part("#reading-text").textContent =
      `The encoder describes your digit by ${noise.length} numbers. ` +
      `From these numbers and the label ${label}, the decoder draws it again.`;
  }

  clear() {
    part("#reading").hidden = true;
  }
}
