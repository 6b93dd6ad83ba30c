// The big picture: shows each new order, gliding there from what it showed before.

import { paintPixels, paintStrokes, palette } from "./ink.js";
import { apiQuery } from "./order.js";
import { between, sceneOf } from "./scene.js";
import { CELL, stitch } from "./sheet.js";

/** @typedef {import("./order.js").Order} Order */
/** @typedef {import("./scene.js").Scene} Scene */

const GLIDE_MS = 420;
const FIRST_MS = 250; // the first number comes sooner
const WRITE_MS = 160; // a new digit is there before the others stand
const MOST_GLIDING = 32; // digits; more are set at once
const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Fires "shown" with the order when a picture stands, and "fault" with an error. */
export class Stage extends EventTarget {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./scene.js").Facts} facts
   * @param {import("./artist.js").Artist | null} artist null: everything comes from the service
   * @param {import("./service.js").Service | null} service null: there is none
   */
  constructor(canvas, facts, artist, service) {
    super();
    this.canvas = canvas;
    this.facts = facts;
    this.artist = artist;
    this.service = service;
    this.local = Boolean(artist);
    this.strokes = true;
    /** @type {Scene} */
    this.from = { rows: 0, count: 0, cells: [] };
    this.now = this.from;
    this.began = 0;
    this.cost = 0; // ms for each digit of the last drawing
    this.busy = false;
    /** @type {AbortController | undefined} */
    this.asked = undefined;
    new ResizeObserver(() => this.paint()).observe(/** @type {Element} */ (canvas.parentElement));
  }

  /** @param {Order} order */
  async show(order) {
    const drawn = this.order && this.canvas.dataset.state === "still" ? digitsOf(this.order) : "";
    this.order = order;
    if (drawn === digitsOf(order)) {
      this.paint();
      this.settle(order);
      return;
    }
    this.canvas.dataset.state = "drawing";
    try {
      if (!order.digits) this.clear();
      else if (this.local) await this.glideTo(order);
      else await this.fetchSheet(order);
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) {
        this.dispatchEvent(new CustomEvent("fault", { detail: error }));
      }
    }
  }

  clear() {
    this.from = this.now = { rows: 0, count: 0, cells: [] };
    this.target = undefined;
    this.sheet = { width: CELL, height: CELL, levels: new Uint8Array(CELL * CELL) };
    this.paint();
    this.canvas.dataset.state = "empty";
  }

  /** @param {Order} order */
  async glideTo(order) {
    this.from = this.now;
    this.target = sceneOf(order, this.facts);
    this.began = performance.now();
    if (this.busy) return; // the loop below goes on towards the new target
    this.busy = true;
    try {
      while (await this.step());
    } finally {
      this.busy = false;
    }
  }

  /** Draw what stands at this moment; whether there is more to come. */
  async step() {
    const { order, target } = this;
    if (!order || !target || !this.artist) return false;
    const most = this.from.cells.length ? GLIDE_MS : FIRST_MS;
    const length = calm.matches || target.cells.length > MOST_GLIDING ? 0 : most;
    const way = length ? Math.min(1, (performance.now() - this.began) / length) : 1;
    const scene = between(this.from, target, ease(way), Math.min(1, (way * length) / WRITE_MS));
    const pictures = await this.artist.draw(scene);
    if (this.target !== target) return Boolean(this.target);
    this.now = scene;
    soak(pictures, scene);
    this.sheet = stitch(pictures, scene.rows, scene.count, order.spacing, order.gap);
    this.paint();
    if (way === 1) {
      this.cost = this.artist.spent;
      this.settle(order);
      return false;
    }
    await new Promise(requestAnimationFrame);
    return true;
  }

  /** @param {Order} order */
  async fetchSheet(order) {
    this.asked?.abort();
    const asked = (this.asked = new AbortController());
    const start = performance.now();
    const sheet = await this.service?.sheet(order, asked.signal);
    if (this.order !== order || !sheet) return;
    this.sheet = sheet;
    this.target = undefined;
    this.from = this.now = { rows: 0, count: 0, cells: [] };
    this.paint();
    this.cost = (performance.now() - start) / (order.rows * order.digits.length);
    this.settle(order);
  }

  /** @param {Order} order */
  settle(order) {
    this.canvas.dataset.state = "still";
    this.dispatchEvent(new CustomEvent("shown", { detail: { order, cost: this.cost } }));
  }

  paint() {
    if (!this.sheet || !this.order) return;
    const { ink, paper } = this.order;
    const frame = /** @type {HTMLElement} */ (this.canvas.parentElement);
    frame.style.setProperty("--paper", paper === "transparent" ? "transparent" : `#${paper}`);
    frame.classList.toggle("clear", paper === "transparent");
    this.canvas.classList.toggle("pixels", !this.strokes);
    if (!this.strokes) return paintPixels(this.canvas, this.sheet, palette(ink, paper));
    const share = (frame.clientHeight * this.sheet.width) / this.sheet.height;
    const width = Math.min(frame.clientWidth, share) * devicePixelRatio;
    paintStrokes(this.canvas, this.sheet, ink, width);
  }
}

/**
 * What an order's grey levels depend on; the rest is paint.
 * @param {Order} order
 */
function digitsOf(order) {
  return apiQuery({ ...order, scale: 1, ink: "", paper: "" });
}

/** @param {number} way */
function ease(way) {
  return way < 0.5 ? 2 * way * way : 1 - 2 * (1 - way) * (1 - way);
}

/**
 * Let new digits soak into the paper from left to right, as if written.
 * @param {Uint8Array} pictures changed in place
 * @param {Scene} scene
 */
function soak(pictures, { cells }) {
  cells.forEach(({ presence }, index) => {
    if (presence === 1) return;
    const start = index * CELL * CELL;
    for (let at = 0; at < CELL * CELL; at++) {
      const share = 2 * presence - (at % CELL) / CELL;
      pictures[start + at] *= Math.max(0, Math.min(1, share));
    }
  });
}
