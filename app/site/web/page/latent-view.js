// The map of the latent space: real digits where the encoder puts them, along two directions.

import { oneHot } from "./digit-grid.js";
import { canvas, part } from "./element.js";
import { paintRow } from "./hands-view.js";
import { cssColour } from "./network-view.js";

/** @typedef {import("./latent-space.js").LatentSpace} LatentSpace */

const SPAN = 2.2; // standard deviations from the centre to the edge
const STEP = 0.2; // of an arrow key
const DOT = 2.2; // CSS pixels
const HUES = 360; // degrees, shared out among the labels
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class LatentView {
  /**
   * @param {import("./decoder-client.js").DecoderClient} decoder
   * @param {LatentSpace} space
   * @param {import("./digit-grid.js").Model & {names: string[]}} model
   */
  constructor(decoder, space, model) {
    this.decoder = decoder;
    this.space = space;
    this.model = model;
    this.element = canvas("#latent-map");
    const { slant, width } = space.directions;
    this.places = space.means.map((mean) => [dot(mean, slant), dot(mean, width)]);
    this.x = this.y = 0;
    this.busy = false;
    this.listen();
    this.addKey();
    new ResizeObserver(() => this.paint()).observe(this.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    this.moveTo(0, 0);
  }

  listen() {
    this.element.addEventListener("pointermove", (event) => {
      const box = this.element.getBoundingClientRect();
      const [across, down] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      this.moveTo((2 * across - 1) * SPAN, (1 - 2 * down) * SPAN);
    });
    this.element.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow) return;
      event.preventDefault();
      this.moveTo(this.x + arrow[0] * STEP, this.y + arrow[1] * STEP);
    });
  }

  addKey() {
    this.model.names.forEach((name, label) => {
      const entry = document.createElement("li");
      entry.textContent = name;
      entry.style.setProperty("--dot", this.colour(label));
      part("#latent-key").append(entry);
    });
  }

  /** @param {number} label */
  colour(label) {
    return `hsl(${Math.round((HUES * label) / this.model.classes)} 70% 45%)`;
  }

  /**
   * Decode the nearest digit, moved along the two directions to a place.
   * @param {number} x along the slant, in standard deviations of the noise
   * @param {number} y along the width
   */
  async moveTo(x, y) {
    this.x = Math.max(-SPAN, Math.min(SPAN, x));
    this.y = Math.max(-SPAN, Math.min(SPAN, y));
    if (this.busy) return; // the next move comes soon
    this.busy = true;
    try {
      await this.decode();
    } finally {
      this.busy = false;
    }
  }

  async decode() {
    const { x, y, space } = this;
    const offs = this.places.map(([a, b]) => (a - x) ** 2 + (b - y) ** 2);
    const nearest = offs.indexOf(Math.min(...offs));
    const [a, b] = this.places[nearest];
    const { slant, width } = space.directions;
    const noise = space.means[nearest].map((value, z) => value + (x - a) * slant[z] + (y - b) * width[z]);
    const label = space.labels[nearest];
    const cell = { noise, label: oneHot(label, this.model.classes), presence: 1 };
    paintRow("#latent-digit", await this.decoder.draw({ rows: 1, count: 1, cells: [cell] }), 8);
    const text = `slant ${x.toFixed(1)}, width ${y.toFixed(1)}: nearest is a ${this.model.names[label]}`;
    canvas("#latent-digit").setAttribute("aria-label", `A ${this.model.names[label]}, drawn by the decoder`);
    this.element.setAttribute("aria-valuetext", text);
    this.element.setAttribute("aria-valuenow", x.toFixed(2));
    part("#latent-text").textContent = text;
    this.paint();
    part("#latent-space").dataset.state = "ready";
  }

  paint() {
    const { element } = this;
    const side = Math.round(element.clientWidth * devicePixelRatio);
    if (element.width !== side) element.width = element.height = side;
    const context = /** @type {CanvasRenderingContext2D} */ (element.getContext("2d"));
    context.clearRect(0, 0, side, side);
    /** @param {number} x @param {number} y @param {number} radius @param {string} colour */
    const spot = (x, y, radius, colour) => {
      context.fillStyle = colour;
      context.beginPath();
      context.arc(((x / SPAN + 1) / 2) * side, ((1 - y / SPAN) / 2) * side, radius * devicePixelRatio, 0, 2 * Math.PI);
      context.fill();
    };
    context.globalAlpha = 0.75;
    this.places.forEach(([x, y], n) => spot(x, y, DOT, this.colour(this.space.labels[n])));
    context.globalAlpha = 1;
    spot(this.x, this.y, 3 * DOT, cssColour("--text"));
    spot(this.x, this.y, 2 * DOT, cssColour("--card"));
  }
}

/**
 * @param {Float32Array} vector
 * @param {number[]} other
 */
function dot(vector, other) {
  return vector.reduce((sum, value, z) => sum + value * other[z], 0);
}
