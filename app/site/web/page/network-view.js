// The decoder at work: its actual values, from the noise and the label to the pixels.

import { gridOf, oneHot } from "./digit-grid.js";
import { button, canvas, part } from "./element.js";
import { digitNoise } from "./noise.js";
import { randomSeed } from "./query.js";
import { CELL } from "./sheet.js";
import { encodeStyle } from "./style.js";

const MAX_NOISE = 3; // standard deviations; the height of the tallest bar
const ANIMATION_MS = 900; // from the noise to the pixels
/** @type {Record<string, [number, number]>} step to another bar, change of its value */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 0.2], ArrowDown: [0, -0.2] };
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const list = new Intl.ListFormat("en-GB");

/** Fires "run" with each new noise or digit. */
export class NetworkView extends EventTarget {
  /**
   * @param {import("./store.js").Store} store
   * @param {import("./decoder-client.js").DecoderClient} decoder
   * @param {import("./digit-grid.js").Model} model
   */
  constructor(store, decoder, model) {
    super();
    this.store = store;
    this.decoder = decoder;
    this.model = model;
    /** @type {Float32Array} */
    this.noise = new Float32Array(model.latentSize);
    this.digit = 2;
    this.lastRun = 0;
    this.visible = false;
    this.readStore();
    this.addDigitChoices();
    store.addEventListener("change", () => this.readStore() && this.run());
    button("#new-noise").addEventListener("click", () => {
      this.noise = digitNoise(randomSeed(), 0, 0, model.latentSize).slice();
      this.run();
    });
    button("#use-noise").addEventListener("click", () => {
      store.change({ style: encodeStyle(this.noise, model), variation: null, temperature: 1 });
      part("#noise-status").textContent = "Your number is written with this noise.";
    });
    this.chosen = 0; // the bar that the arrow keys change
    this.listenForDrags();
    this.listenForKeys();
    const observer = new IntersectionObserver((entries) => {
      this.visible = entries.some((entry) => entry.isIntersecting);
      if (this.visible) this.run();
    });
    observer.observe(part("#network"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.run());
  }

  /** Take the first digit of the number and its noise, and return whether there is one. */
  readStore() {
    const { query } = this.store;
    const digit = query.digits[0];
    if (!digit) return false;
    try {
      this.noise = gridOf({ ...query, rows: 1, digits: digit }, this.model).cells[0].noise;
      this.digit = Number(digit);
      return true;
    } catch {
      return false; // the style belongs to a different model, which the picture view reports
    }
  }

  addDigitChoices() {
    for (let digit = 0; digit < this.model.classes; digit++) {
      const label = document.createElement("label");
      const choice = document.createElement("input");
      Object.assign(choice, { type: "radio", name: "network-digit", value: String(digit) });
      choice.addEventListener("change", () => {
        this.digit = digit;
        this.run();
      });
      label.append(choice, String(digit));
      part("#network-digit").append(label);
    }
  }

  /** Let the user drag a bar, which changes one value of the noise. */
  listenForDrags() {
    const bars = canvas("#network-noise");
    /** @param {PointerEvent} event */
    const drag = (event) => {
      const box = bars.getBoundingClientRect();
      const z = Math.floor(((event.clientX - box.left) / box.width) * this.noise.length);
      const value = MAX_NOISE * (1 - (2 * (event.clientY - box.top)) / box.height);
      if (z < 0 || z >= this.noise.length) return;
      this.noise = this.noise.slice();
      this.noise[z] = Math.max(-MAX_NOISE, Math.min(MAX_NOISE, value));
      this.run(false);
    };
    bars.addEventListener("pointerdown", (event) => {
      bars.setPointerCapture(event.pointerId);
      drag(event);
    });
    bars.addEventListener("pointermove", (event) => {
      if (event.buttons) drag(event);
    });
  }

  /** Let the arrow keys choose a bar, and change its value. */
  listenForKeys() {
    const bars = canvas("#network-noise");
    bars.addEventListener("keydown", (event) => {
      const [step, change] = ARROWS[event.key] ?? [0, 0];
      if (!step && !change) return;
      event.preventDefault();
      const size = this.noise.length;
      this.chosen = (this.chosen + step + size) % size;
      this.noise = this.noise.slice();
      this.noise[this.chosen] = Math.max(-MAX_NOISE, Math.min(MAX_NOISE, this.noise[this.chosen] + change));
      this.run(false);
    });
    for (const name of ["focus", "blur"]) bars.addEventListener(name, () => this.run(false));
  }

  /** Tell the chosen bar to a screen reader, and mark it while the keyboard is on it. */
  showChosen() {
    const bars = canvas("#network-noise");
    const value = this.noise[this.chosen].toFixed(1);
    bars.setAttribute("aria-valuenow", value);
    bars.setAttribute("aria-valuetext", `number ${this.chosen + 1} of ${this.noise.length}: ${value}`);
    if (document.activeElement !== bars) return;
    const context = /** @type {CanvasRenderingContext2D} */ (bars.getContext("2d"));
    const step = bars.width / this.noise.length;
    context.strokeStyle = cssColour("--accent");
    context.lineWidth = 2 * devicePixelRatio;
    context.strokeRect(this.chosen * step, 0, step, bars.height);
  }

  /**
   * Decode the noise and show all values; a later run ends the animation of an earlier one.
   * @param {boolean} [animated]
   */
  async run(animated = true) {
    const run = ++this.lastRun;
    this.dispatchEvent(new Event("run"));
    if (!this.visible) return;
    const chosen = document.querySelector(`#network-digit input[value="${this.digit}"]`);
    if (chosen instanceof HTMLInputElement) chosen.checked = true;
    const { levels, activations } = await this.decoder.trace(this.noise, oneHot(this.digit, this.model.classes));
    if (run !== this.lastRun) return;
    this.describe(activations, levels);
    const start = performance.now();
    for (;;) {
      const still = !animated || reducedMotion.matches;
      const progress = still ? 1 : Math.min(1, (performance.now() - start) / ANIMATION_MS);
      this.paint(activations, levels, progress);
      if (progress === 1) return;
      await new Promise(requestAnimationFrame);
      if (run !== this.lastRun) return;
    }
  }

  /**
   * @param {Float32Array[]} activations
   * @param {Uint8Array} levels
   * @param {number} progress of the animation through the whole network, in [0, 1]
   */
  paint(activations, levels, progress) {
    const colours = {
      ink: cssColour("--ink"),
      accent: cssColour("--accent"),
      line: cssColour("--line"),
    };
    const parts = activations.length + 2; // noise, layers, pixels
    /** @param {number} part */
    const progressOf = (part) => Math.max(0, Math.min(1, progress * parts - part));
    paintBars(canvas("#network-noise"), this.noise, progressOf(0), colours);
    this.showChosen();
    activations.forEach((values, i) => paintUnits(this.layerCanvas(i), values, progressOf(i + 1), colours));
    paintPicture(canvas("#network-pixels"), levels, progressOf(parts - 1));
  }

  /** @param {number} index */
  layerCanvas(index) {
    const layers = part("#network-layers");
    while (layers.querySelectorAll("canvas").length <= index) {
      const layer = document.createElement("canvas");
      layer.setAttribute("role", "img");
      layer.setAttribute("aria-label", `Decoder layer ${layers.querySelectorAll("canvas").length + 1}`);
      layers.append(layer);
    }
    return layers.querySelectorAll("canvas")[index];
  }

  /**
   * @param {Float32Array[]} activations
   * @param {Uint8Array} levels
   */
  describe(activations, levels) {
    const units = activations.flatMap((values) => [...values]);
    const active = units.filter((value) => value > 0).length;
    part("#network-summary").textContent =
      `${this.noise.length} noise values and ${this.model.classes} label values pass through layers of ` +
      `${list.format(activations.map((values) => String(values.length)))} units ` +
      `(${Math.round((100 * active) / units.length)}\u00a0% active) to ${levels.length} pixels. ` +
      "Drag a noise bar, or use the arrow keys on it, to see what that one value changes.";
    canvas("#network-pixels").setAttribute("aria-label", `A handwritten ${this.digit}`);
  }
}

/** @param {string} name of a colour in page.css */
export function cssColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/**
 * Paint one bar for each value.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} values
 * @param {number} progress height of the bars as a share of their final height
 * @param {{ink: string, accent: string, line: string}} colours
 */
export function paintBars(canvas, values, progress, colours) {
  canvas.width = canvas.clientWidth * devicePixelRatio;
  canvas.height = canvas.clientHeight * devicePixelRatio;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const [step, middle] = [canvas.width / values.length, canvas.height / 2];
  context.fillStyle = colours.line;
  context.fillRect(0, middle - 0.5, canvas.width, 1);
  values.forEach((value, z) => {
    context.fillStyle = value > 0 ? colours.ink : colours.accent;
    const height = (Math.max(-MAX_NOISE, Math.min(MAX_NOISE, value)) / MAX_NOISE) * middle * progress;
    context.fillRect(z * step + step * 0.12, middle, Math.max(1, step * 0.76), -height);
  });
}

/**
 * Paint a line of one standard deviation up and down on each bar, and a dot for the sample.
 * @param {HTMLCanvasElement} canvas with bars
 * @param {Float32Array} mean
 * @param {Float32Array} deviation
 * @param {Float32Array} noise
 * @param {{mark: string, sample: string}} colours
 */
export function paintSpreads(canvas, mean, deviation, noise, { mark, sample }) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const step = canvas.width / mean.length;
  /** @param {number} value */
  const y = (value) => (1 - Math.max(-MAX_NOISE, Math.min(MAX_NOISE, value)) / MAX_NOISE) * (canvas.height / 2);
  mean.forEach((value, z) => {
    const [top, bottom] = [y(value + deviation[z]), y(value - deviation[z])];
    context.fillStyle = mark;
    context.fillRect((z + 0.5) * step - 0.5 * devicePixelRatio, top, devicePixelRatio, bottom - top);
    context.fillStyle = sample;
    context.beginPath();
    context.arc((z + 0.5) * step, y(noise[z]), Math.min(step / 4, 3 * devicePixelRatio), 0, 2 * Math.PI);
    context.fill();
  });
}

/**
 * Paint one square for each unit, stronger for a higher activation, column by column.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} values
 * @param {number} progress share of the columns to paint
 * @param {{ink: string, line: string}} colours
 */
function paintUnits(canvas, values, progress, { ink, line }) {
  const across = Math.ceil(Math.sqrt(values.length * 4));
  const down = Math.ceil(values.length / across);
  canvas.width = across * 4;
  canvas.height = down * 4;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const max = Math.max(...values) || 1;
  values.forEach((value, j) => {
    const [x, y] = [j % across, Math.floor(j / across)];
    context.globalAlpha = 0.35;
    context.fillStyle = line;
    context.fillRect(4 * x, 4 * y, 3, 3);
    if (x > progress * across) return;
    context.globalAlpha = Math.sqrt(value / max);
    context.fillStyle = ink;
    context.fillRect(4 * x, 4 * y, 3, 3);
  });
}

/**
 * Paint the grey levels from top to bottom.
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} levels
 * @param {number} progress share of the pixels to paint
 */
function paintPicture(canvas, levels, progress) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = context.createImageData(CELL, CELL);
  levels.forEach((level, at) => {
    image.data.fill(at / levels.length <= progress ? level : 0, 4 * at, 4 * at + 3);
    image.data[4 * at + 3] = 255;
  });
  context.putImageData(image, 0, 0);
}
