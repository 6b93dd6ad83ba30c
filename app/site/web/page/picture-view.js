// The large picture: shows each new query, with a transition from the picture before.

import { gridOf, interpolate } from "./digit-grid.js";
import { sheetOf } from "./marks.js";
import { paintInk, paintPixels, palette, rgb, screenScale } from "./painter.js";
import { apiQueryString } from "./query.js";
import { CELL } from "./sheet.js";

/** @typedef {import("./digit-grid.js").DigitGrid} DigitGrid */
/** @typedef {import("./query.js").Query} Query */

const TRANSITION_MS = 420;
const FIRST_TRANSITION_MS = 250; // on an empty picture
const APPEAR_MS = 160; // a new digit is complete before the others stop moving
const LEAST_HEIGHT = 40; // CSS pixels of a line
const PALE = 384; // sum of red, green and blue above which an ink needs a dark background
const MAX_ANIMATED = 32; // digits; more are drawn without a transition
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** @returns {DigitGrid} */
const emptyGrid = () => ({ rows: 0, count: 0, cells: [] });

/** Fires "shown" with the query when its picture is complete, and "error" with an error. */
export class PictureView extends EventTarget {
  /**
   * @param {HTMLCanvasElement} canvas its data-state is "drawing", "ready" or "empty"
   * @param {import("./digit-grid.js").Model} model
   * @param {import("./decoder-client.js").DecoderClient | null} decoder null: the service draws
   * @param {import("./service.js").Service | null} service null: not available
   */
  constructor(canvas, model, decoder, service) {
    super();
    this.canvas = canvas;
    this.model = model;
    this.decoder = decoder;
    this.service = service;
    this.local = Boolean(decoder); // whether the browser draws
    this.from = this.current = emptyGrid();
    this.startTime = 0;
    this.msPerDigit = 0; // of the last drawing
    this.animating = false;
    /** @type {AbortController | undefined} */
    this.request = undefined;
    new ResizeObserver(() => this.paint()).observe(/** @type {Element} */ (canvas.parentElement));
  }

  /** @param {Query} query */
  async show(query) {
    const drawn = this.query && this.canvas.dataset.state === "ready" ? levelsKey(this.query) : "";
    this.query = query;
    if (drawn === levelsKey(query)) {
      this.paint();
      this.finish(query);
      return;
    }
    this.canvas.dataset.state = "drawing";
    try {
      if (!query.digits) this.clear();
      else if (this.local) await this.animateTo(query);
      else await this.fetchSheet(query);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) {
        this.dispatchEvent(new CustomEvent("error", { detail: error }));
      }
    }
  }

  clear() {
    this.from = this.current = emptyGrid();
    this.target = undefined;
    this.sheet = { width: CELL, height: CELL, levels: new Uint8Array(CELL * CELL) };
    this.paint();
    this.canvas.dataset.state = "empty";
  }

  /** @param {Query} query */
  async animateTo(query) {
    this.from = this.current;
    this.target = gridOf(query, this.model);
    this.startTime = performance.now();
    if (this.animating) return; // the loop below continues with the new target
    this.animating = true;
    try {
      while (await this.drawFrame());
    } finally {
      this.animating = false;
    }
  }

  /** Draw the current frame of the transition, and return whether more frames follow. */
  async drawFrame() {
    const { query, target } = this;
    if (!query || !target || !this.decoder) return false;
    const usual = this.from.cells.length ? TRANSITION_MS : FIRST_TRANSITION_MS;
    const duration = reducedMotion.matches || target.cells.length > MAX_ANIMATED ? 0 : usual;
    const progress = duration ? Math.min(1, (performance.now() - this.startTime) / duration) : 1;
    const presence = Math.min(1, (progress * duration) / APPEAR_MS);
    const grid = interpolate(this.from, target, ease(progress), presence);
    const pictures = await this.decoder.draw(grid);
    if (this.target !== target) return Boolean(this.target);
    this.current = grid;
    revealNewDigits(pictures, grid);
    this.sheet = sheetOf(pictures, grid, query);
    this.paint(progress === 1);
    if (progress === 1) {
      this.msPerDigit = this.decoder.msPerDigit;
      this.finish(query);
      return false;
    }
    await new Promise(requestAnimationFrame);
    return true;
  }

  /** @param {Query} query */
  async fetchSheet(query) {
    this.request?.abort();
    this.request = new AbortController();
    const start = performance.now();
    const sheet = await this.service?.sheet(query, this.request.signal);
    if (this.query !== query || !sheet) return;
    this.sheet = sheet;
    this.target = undefined;
    this.from = this.current = emptyGrid();
    this.paint();
    this.msPerDigit = (performance.now() - start) / (query.rows * query.digits.length);
    this.finish(query);
  }

  /** @param {Query} query */
  finish(query) {
    this.canvas.dataset.state = "ready";
    this.dispatchEvent(new CustomEvent("shown", { detail: { query, msPerDigit: this.msPerDigit } }));
  }

  /** @param {boolean} [settled] whether the picture stays; a pen takes longer than a frame */
  paint(settled = true) {
    if (!this.sheet || !this.query) return;
    const { ink, paper, render, pen } = this.query;
    const frame = /** @type {HTMLElement} */ (this.canvas.parentElement);
    frame.style.setProperty("--paper", paper === "transparent" ? "transparent" : `#${paper}`);
    frame.classList.toggle("transparent", paper === "transparent");
    frame.classList.toggle("pale", rgb(ink).reduce((sum, value) => sum + value) > PALE);
    this.canvas.classList.toggle("pixels", render === "pixels");
    const width = this.fit(frame, this.sheet);
    const colours = palette(ink, paper);
    if (render === "pixels") return paintPixels(this.canvas, this.sheet, colours);
    const scale = screenScale(this.sheet, width * devicePixelRatio);
    paintInk(this.canvas, this.sheet, colours, scale, settled ? pen : 1);
  }

  /**
   * Fit the picture into its frame; a line that would be too small to read scrolls sideways.
   * @param {HTMLElement} frame
   * @param {import("./sheet.js").Sheet} sheet
   * @returns {number} the width at which the picture is shown, in CSS pixels
   */
  fit(frame, { width, height }) {
    const padding = 2 * parseFloat(getComputedStyle(frame).paddingLeft);
    const [across, down] = [frame.clientWidth - padding, frame.clientHeight - padding];
    const fitted = Math.min((across / width) * height, down);
    const shown = Math.max(fitted, Math.min((height / CELL) * LEAST_HEIGHT, down));
    const wide = shown > fitted;
    frame.classList.toggle("wide", wide);
    if (wide) frame.tabIndex = 0; // for the arrow keys
    else frame.removeAttribute("tabindex");
    frame.style.setProperty("--height", `${shown}px`);
    return (shown / height) * width;
  }
}

/**
 * A key of the grey levels of a query, equal for queries that differ only in their rendering.
 * @param {Query} query
 */
function levelsKey(query) {
  return apiQueryString({ ...query, scale: 1, ink: "", paper: "", render: "pixels", pen: 1 });
}

/** @param {number} progress */
function ease(progress) {
  return progress < 0.5 ? 2 * progress * progress : 1 - 2 * (1 - progress) * (1 - progress);
}

/**
 * Make new digits appear from left to right, as if written.
 * @param {Uint8Array} pictures changed in place
 * @param {DigitGrid} grid
 */
function revealNewDigits(pictures, { cells }) {
  cells.forEach(({ presence }, index) => {
    if (presence === 1) return;
    const start = index * CELL * CELL;
    for (let at = 0; at < CELL * CELL; at++) {
      const share = 2 * presence - (at % CELL) / CELL;
      pictures[start + at] *= Math.max(0, Math.min(1, share));
    }
  });
}
