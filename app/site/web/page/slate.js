// The slate: write one digit, and see the number in that hand.

import { afterPause, button, canvas, find, input, part } from "./element.js";

const SIDE = 280;
const STROKE = 20;
const PAUSE_MS = 700; // between the strokes of one digit

/**
 * @param {import("./desk.js").Desk} desk
 * @param {import("./service.js").Service | null} service
 * @param {(style: string) => void} taken
 * @param {(error: unknown) => void} report
 */
export function bindSlate(desk, service, taken, report) {
  const label = find("#label", HTMLSelectElement);
  const said = part("#own-said");
  if (!service) {
    said.textContent = "Reading your hand needs the service, which is not here.";
    for (const part of document.querySelectorAll("#own button, #own input, #own select")) {
      part.toggleAttribute("disabled", true);
    }
    return;
  }
  /** @type {Blob | null} */
  let photo = null;
  const slate = new Slate(canvas("#slate"));
  const send = async () => {
    const picture = photo ?? (await slate.picture());
    if (!picture) {
      said.textContent = "Write a digit first.";
      return;
    }
    said.textContent = "Reading …";
    try {
      const order = desk.order.digits ? desk.order : { ...desk.order, digits: "2018" };
      const found = await service.restyle(picture, order, label.value);
      taken(found.style);
      said.textContent = `Taken for a ${found.label}. Not so? Say what it is.`;
    } catch (error) {
      said.textContent = error instanceof Error ? error.message : String(error);
      report(error);
    }
  };
  const sendSoon = afterPause(PAUSE_MS, () => void (slate.still && send()));
  slate.element.addEventListener("stroke", () => {
    photo = null;
    sendSoon();
  });
  label.addEventListener("change", () => (slate.empty && !photo ? undefined : send()));
  button("#own-send").addEventListener("click", send);
  button("#own-clear").addEventListener("click", () => {
    photo = null;
    slate.wipe();
    label.value = said.textContent = "";
  });
  input("#photo").addEventListener("change", () => {
    photo = input("#photo").files?.[0] ?? null;
    if (!photo) return;
    slate.wipe();
    input("#photo").value = "";
    send();
  });
}

/** A canvas to write on; its element fires "stroke" after each stroke. */
class Slate {
  /** @param {HTMLCanvasElement} element */
  constructor(element) {
    this.element = element;
    this.pen = /** @type {CanvasRenderingContext2D} */ (element.getContext("2d"));
    this.still = this.empty = true;
    /** @type {{x: number, y: number} | null} */
    this.last = null;
    element.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      element.setPointerCapture(event.pointerId);
      this.still = this.empty = false;
      this.last = this.place(event);
      this.draw(this.last);
    });
    element.addEventListener("pointermove", (event) => {
      if (this.still) return;
      for (const each of event.getCoalescedEvents?.() ?? [event]) this.draw(this.place(each));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      element.addEventListener(end, () => {
        if (!this.still) element.dispatchEvent(new Event("stroke"));
        this.still = true;
      });
    }
  }

  /** @param {PointerEvent} event */
  place(event) {
    const box = this.element.getBoundingClientRect();
    const factor = SIDE / box.width;
    return { x: (event.clientX - box.left) * factor, y: (event.clientY - box.top) * factor };
  }

  /** @param {{x: number, y: number}} place */
  draw(place) {
    const from = this.last ?? place;
    this.pen.strokeStyle = getComputedStyle(this.element).color;
    this.pen.lineWidth = STROKE;
    this.pen.lineCap = "round";
    this.pen.beginPath();
    this.pen.moveTo(from.x, from.y);
    this.pen.lineTo(place.x, place.y);
    this.pen.stroke();
    this.last = place;
  }

  wipe() {
    this.pen.clearRect(0, 0, SIDE, SIDE);
    this.empty = true;
  }

  /**
   * What is written, black on white.
   * @returns {Promise<Blob | null>}
   */
  async picture() {
    if (this.empty) return null;
    const copy = document.createElement("canvas");
    copy.width = copy.height = SIDE;
    const pen = /** @type {CanvasRenderingContext2D} */ (copy.getContext("2d"));
    pen.drawImage(this.element, 0, 0);
    pen.globalCompositeOperation = "source-in";
    pen.fillStyle = "#000";
    pen.fillRect(0, 0, SIDE, SIDE);
    pen.globalCompositeOperation = "destination-over";
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, SIDE, SIDE);
    return new Promise((resolve) => copy.toBlob(resolve, "image/png"));
  }
}
