// The pad for writing one digit, whose handwriting the number then takes.

import { debounce } from "./debounce.js";
import { button, canvas, find, input, part } from "./element.js";

const SIDE = 280;
const STROKE_WIDTH = 20;
const PAUSE_MS = 700; // longer than the pause between two strokes of a digit

/**
 * @param {import("./store.js").Store} store
 * @param {import("./service.js").Service | null} service null: not available
 * @param {(found: {style: string, label: string}, picture: Blob) => void} apply
 * @param {() => void} clear called when the digit is removed
 * @param {import("./key-box.js").KeyBox} keyBox
 */
export function bindDigitPad(store, service, apply, clear, keyBox) {
  const label = find("#digit-label", HTMLSelectElement);
  const status = part("#own-digit-status");
  if (!service) {
    status.textContent = "Not available: reading handwriting needs the service.";
    for (const control of document.querySelectorAll("#own-digit :is(button, input, select)")) {
      control.toggleAttribute("disabled", true);
    }
    return;
  }
  /** @type {Blob | null} */
  let photo = null;
  const pad = new DigitPad(canvas("#digit-pad"));
  const send = async () => {
    const picture = photo ?? (await pad.picture());
    if (!picture) {
      status.textContent = "Write a digit first.";
      return;
    }
    status.textContent = "Reading…";
    try {
      const query = store.query.digits ? store.query : { ...store.query, digits: "2018" };
      const found = await service.restyle(picture, query, label.value);
      apply(found, picture);
      status.textContent = `Recognised as ${found.label}. If that is wrong, select the digit.`;
    } catch (error) {
      status.textContent = "";
      if (keyBox.ask(error, status, send)) return;
      status.textContent = error instanceof Error ? error.message : String(error);
    }
  };
  const sendSoon = debounce(PAUSE_MS, () => void (pad.writing || send()));
  pad.element.addEventListener("stroke", () => {
    photo = null;
    sendSoon();
  });
  label.addEventListener("change", () => (pad.empty && !photo ? undefined : send()));
  button("#use-handwriting").addEventListener("click", send);
  button("#clear-digit").addEventListener("click", () => {
    photo = null;
    pad.clear();
    clear();
    label.value = status.textContent = "";
  });
  input("#photo").addEventListener("change", () => {
    photo = input("#photo").files?.[0] ?? null;
    if (!photo) return;
    pad.clear();
    input("#photo").value = "";
    send();
  });
}

/** A canvas to write on. Its element fires "stroke" after each stroke. */
class DigitPad {
  /** @param {HTMLCanvasElement} element */
  constructor(element) {
    this.element = element;
    this.context = /** @type {CanvasRenderingContext2D} */ (element.getContext("2d"));
    this.writing = false;
    this.empty = true;
    /** @type {{x: number, y: number} | null} */
    this.last = null;
    element.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      element.setPointerCapture(event.pointerId);
      this.writing = true;
      this.empty = false;
      this.last = this.position(event);
      this.drawTo(this.last);
    });
    element.addEventListener("pointermove", (event) => {
      if (!this.writing) return;
      for (const each of event.getCoalescedEvents?.() ?? [event]) this.drawTo(this.position(each));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      element.addEventListener(end, () => {
        if (this.writing) element.dispatchEvent(new Event("stroke"));
        this.writing = false;
      });
    }
  }

  /** @param {PointerEvent} event */
  position(event) {
    const box = this.element.getBoundingClientRect();
    const factor = SIDE / box.width;
    return { x: (event.clientX - box.left) * factor, y: (event.clientY - box.top) * factor };
  }

  /** @param {{x: number, y: number}} position */
  drawTo(position) {
    const from = this.last ?? position;
    this.context.strokeStyle = getComputedStyle(this.element).color;
    this.context.lineWidth = STROKE_WIDTH;
    this.context.lineCap = "round";
    this.context.beginPath();
    this.context.moveTo(from.x, from.y);
    this.context.lineTo(position.x, position.y);
    this.context.stroke();
    this.last = position;
  }

  clear() {
    this.context.clearRect(0, 0, SIDE, SIDE);
    this.empty = true;
  }

  /**
   * The written digit, black on white.
   * @returns {Promise<Blob | null>}
   */
  async picture() {
    if (this.empty) return null;
    const copy = document.createElement("canvas");
    copy.width = copy.height = SIDE;
    const context = /** @type {CanvasRenderingContext2D} */ (copy.getContext("2d"));
    context.drawImage(this.element, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIDE, SIDE);
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SIDE, SIDE);
    return new Promise((resolve) => copy.toBlob(resolve, "image/png"));
  }
}
