// The style pad: chooses a handwriting on the plane of the two directions that change digits most.

import { debounce } from "./debounce.js";
import { oneHot } from "./digit-grid.js";
import { button, canvas, find, part } from "./element.js";
import { paintPixels, palette } from "./painter.js";
import { CELL, stitch } from "./sheet.js";
import { encodeStyle } from "./style.js";

/** @typedef {import("./store.js").Store} Store */

const SPAN = 2.5; // standard deviations from the centre to the edge
const CELLS = 9; // digits along each side of the map
const STEP = 0.25; // of an arrow key, in standard deviations
const TOUCH_SLOP = 8; // CSS pixels that a finger moves across before it drags
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class StylePad {
  /**
   * @param {Store} store
   * @param {import("./decoder-client.js").DecoderClient} decoder
   * @param {import("./digit-grid.js").Model} model
   */
  constructor(store, decoder, model) {
    this.store = store;
    this.decoder = decoder;
    this.model = model;
    this.element = part("#style-pad");
    this.dot = find("#style-pad .dot", HTMLElement);
    /** @type {Float32Array} */
    this.centre = new Float32Array(model.latentSize);
    this.x = this.y = 0;
    this.drawMapSoon = debounce(150, () => this.drawMap());
    this.listen();
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      this.drawMap();
    });
    observer.observe(this.element);
    let digit = store.query.digits[0];
    store.addEventListener("change", () => {
      if (digit !== (digit = store.query.digits[0])) this.drawMapSoon();
      if (store.query.style === null) this.reset();
    });
  }

  listen() {
    /** @param {PointerEvent} event */
    const moveToPointer = (event) => {
      const box = this.element.getBoundingClientRect();
      const [across, down] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      this.moveTo((2 * across - 1) * SPAN, (2 * down - 1) * SPAN);
    };
    let start = { x: 0, y: 0 };
    let dragging = false;
    this.element.addEventListener("pointerdown", (event) => {
      this.element.setPointerCapture(event.pointerId);
      start = { x: event.clientX, y: event.clientY };
      dragging = event.pointerType !== "touch"; // a finger may be about to scroll
      if (dragging) moveToPointer(event);
    });
    this.element.addEventListener("pointermove", (event) => {
      const [across, down] = [Math.abs(event.clientX - start.x), Math.abs(event.clientY - start.y)];
      if (event.buttons) dragging ||= across > Math.max(down, TOUCH_SLOP);
      if (event.buttons && dragging) moveToPointer(event);
    });
    this.element.addEventListener("pointerup", moveToPointer); // also after a tap; not after scrolling
    this.element.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow && event.key !== "Home") return;
      event.preventDefault();
      if (arrow) this.moveTo(this.x + arrow[0] * STEP, this.y + arrow[1] * STEP);
      else this.moveTo(0, 0);
    });
  }

  /**
   * Choose the handwriting at a position.
   * @param {number} x standard deviations along the first direction
   * @param {number} y standard deviations along the second
   */
  async moveTo(x, y) {
    this.x = Math.max(-SPAN, Math.min(SPAN, x));
    this.y = Math.max(-SPAN, Math.min(SPAN, y));
    const noise = await this.noiseAt(this.x, this.y);
    this.showDot(`across ${this.x.toFixed(2)}, down ${this.y.toFixed(2)}`);
    // With variation 1, the default without a style, no digit would show the chosen handwriting.
    const variation = this.store.query.variation === 1 ? null : this.store.query.variation;
    this.store.change({ style: encodeStyle(noise, this.model), variation }, "style");
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  async noiseAt(x, y) {
    const { across, down } = await this.decoder.directions(this.model.latentSize);
    return this.centre.map((value, z) => value + x * across[z] + y * down[z]);
  }

  /** @param {string} text position in words */
  showDot(text) {
    this.dot.hidden = false;
    this.dot.style.setProperty("--x", String(this.x / SPAN));
    this.dot.style.setProperty("--y", String(this.y / SPAN));
    this.element.setAttribute("aria-valuenow", this.x.toFixed(2));
    this.element.setAttribute("aria-valuetext", text);
  }

  /** Without a chosen handwriting, hide the dot and put the most typical one in the centre. */
  reset() {
    this.x = this.y = 0;
    this.dot.hidden = true;
    this.element.setAttribute("aria-valuetext", "not in use");
    if (this.centre.some(Boolean)) this.setCentre(new Float32Array(this.model.latentSize));
  }

  /**
   * Put another handwriting in the centre.
   * @param {Float32Array} noise (Z,)
   */
  setCentre(noise) {
    this.centre = noise;
    this.x = this.y = 0;
    if (noise.some(Boolean)) this.showDot("your handwriting");
    this.drawMapSoon();
  }

  async drawMap() {
    const label = oneHot(Number(this.store.query.digits[0] ?? "2"), this.model.classes);
    const steps = Array.from({ length: CELLS }, (_, i) => ((2 * (i + 0.5)) / CELLS - 1) * SPAN);
    const noises = await Promise.all(steps.flatMap((y) => steps.map((x) => this.noiseAt(x, y))));
    const cells = noises.map((noise) => ({ noise, label, presence: 1 }));
    const pictures = await this.decoder.draw({ rows: CELLS, count: CELLS, cells });
    const map = canvas("#style-pad canvas");
    const ink = getComputedStyle(this.element).color.match(/\d+/g) ?? ["0", "0", "0"];
    const hex = ink.slice(0, 3).map((value) => Number(value).toString(16).padStart(2, "0"));
    paintPixels(map, stitch(pictures, CELLS, CELLS, "cell", 0), palette(hex.join(""), "transparent"));
    if (map.width === CELLS * CELL) this.element.dataset.state = "ready";
  }
}

/** Disable the style pad, which needs the decoder in the browser. */
export function disableStylePad() {
  canvas("#style-pad canvas").hidden = true;
  part("#style-pad").setAttribute("aria-disabled", "true");
  part("#style-pad").tabIndex = -1;
  part("#style-pad-help").textContent = "Not available: the pad needs the decoder in the browser.";
}

/**
 * Show whether a handwriting is chosen, and clear it on request.
 * @param {Store} store
 */
export function bindStyle(store) {
  const show = () => {
    const chosen = store.query.style !== null;
    part("#style-status").textContent = chosen
      ? "The number uses the chosen handwriting. The page link includes it."
      : "No handwriting chosen: each seed has its own.";
    button("#clear-style").hidden = !chosen;
  };
  button("#clear-style").addEventListener("click", () => store.change({ style: null, variation: null }));
  store.addEventListener("change", show);
  show();
}
