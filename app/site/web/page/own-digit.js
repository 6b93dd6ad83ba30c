// The visitor's own digit, from the pad or from a photo, whose handwriting the number then takes.

import { debounce } from "./debounce.js";
import { DigitPad } from "./digit-pad.js";
import { button, canvas, find, input, part } from "./element.js";
import { PhotoEditor } from "./photo-editor.js";
import { PictureError } from "./picture-error.js";
import { ServiceError } from "./service.js";

/** @typedef {import("./service.js").Found} Found */
/** @typedef {(picture: Blob, label: string, shows: string) => Promise<Found>} Read */

const PAUSE_MS = 700; // longer than the pause between two strokes of a digit
const LIKELY = 0.005; // confidence from which another digit is offered
const ADVICE = {
  no_ink: { photo: ".", pad: "." },
  no_digit: {
    photo: ". Frame and rotate one upright digit, or choose the digit below.",
    pad: ". Write it again, or choose the digit below.",
  },
  several_digits: { photo: "; frame one of them, or choose that it shows a line of digits.", pad: "; write one digit." },
};

export class OwnDigit {
  /**
   * @param {Read | null} service null: there is none
   * @param {Read | null} local reads in the browser; null: not available
   * @param {(found: Found, picture: Blob) => void} apply
   * @param {() => void} clear called when there is nothing to show any more
   * @param {import("./key-box.js").KeyBox} keyBox
   */
  constructor(service, local, apply, clear, keyBox) {
    this.readers = [service, local].flatMap((read) => read ?? []);
    this.apply = apply;
    this.clear = clear;
    this.keyBox = keyBox;
    this.label = find("#digit-label", HTMLSelectElement);
    this.pad = new DigitPad(canvas("#digit-pad"));
    this.photo = new PhotoEditor();
    this.run = 0; // of the last reading: an older one does not replace its result
    if (this.readers.length) this.bind();
    else this.disable();
  }

  bind() {
    const readSoon = debounce(PAUSE_MS, () => void (this.pad.writing || this.read()));
    this.pad.element.addEventListener("stroke", readSoon);
    this.photo.addEventListener("change", readSoon);
    this.label.addEventListener("change", () => (this.pad.empty && !this.photo.photo ? undefined : this.read()));
    button("#use-handwriting").addEventListener("click", () => this.read());
    button("#clear-digit").addEventListener("click", () => {
      this.reset();
      this.say("");
    });
    input("#photo").addEventListener("change", () => this.open());
  }

  /** Take away pad, photo and label. */
  reset() {
    this.run++;
    this.photo.close();
    this.pad.clear();
    this.label.value = "";
    this.offer(null);
    this.clear();
  }

  async open() {
    const file = input("#photo").files?.[0];
    if (!file) return;
    this.reset();
    this.say("Opening the photo…");
    try {
      await this.photo.open(file);
    } catch (error) {
      this.say(error);
    }
    input("#photo").value = ""; // so that the same file can be chosen again
  }

  async read() {
    const run = ++this.run;
    const picture = (await this.photo.picture()) ?? (await this.pad.picture());
    if (!picture) return this.say("Write a digit first.");
    this.say("Reading…");
    this.offer(null);
    try {
      const found = await this.ask(picture);
      if (run !== this.run) return;
      this.apply(found, picture);
      this.say(sentence(found, this.chosen));
      this.offer(found);
    } catch (error) {
      if (run !== this.run) return;
      this.clear();
      this.say("");
      if (!this.keyBox.ask(error, part("#own-digit-status"), () => this.read())) this.say(error);
    }
  }

  /** What the picture shows: digit or line. */
  get shows() {
    return this.photo.photo ? this.photo.shows : "digit";
  }

  /** The label that the visitor gave to the digit; empty: none. */
  get chosen() {
    return this.shows === "line" ? "" : this.label.value;
  }

  /**
   * Ask the service; without a connection, read in the browser.
   * @param {Blob} picture
   * @returns {Promise<Found>}
   */
  async ask(picture) {
    const [first, second] = this.readers.map((read) => () => read(picture, this.chosen, this.shows));
    try {
      return await first();
    } catch (error) {
      if (second && error instanceof ServiceError && error.status === 0) return second();
      throw error;
    }
  }

  /** @param {Found | null} found whose other labels can be chosen */
  offer(found) {
    const others = found?.seen.length === 1 ? found.seen[0].runners_up : [];
    const likely = others.filter(({ confidence }) => confidence === null || confidence >= LIKELY);
    const choices = likely.map(({ label, confidence }) => {
      const choice = document.createElement("button");
      choice.type = "button";
      choice.textContent = confidence === null ? label : `${label} (${percent(confidence)})`;
      choice.addEventListener("click", () => {
        this.label.value = label;
        this.read();
      });
      return choice;
    });
    part("#runners-up").hidden = !choices.length;
    part("#runners-up").replaceChildren("Or is it:", ...choices);
  }

  /** @param {unknown} message a text, or an error */
  say(message) {
    const status = part("#own-digit-status");
    status.classList.toggle("error", message instanceof Error);
    status.textContent = message instanceof PictureError ? this.refusal(message) : message instanceof Error ? message.message : String(message);
  }

  /** @param {PictureError} error whose advice names what to press here */
  refusal({ fault, message }) {
    return `The picture ${message}${ADVICE[fault][this.photo.photo ? "photo" : "pad"]}`;
  }

  disable() {
    this.say("Not available: without a service, reading handwriting needs a model with networks for it.");
    for (const control of document.querySelectorAll("#own-digit :is(button, input, select)")) {
      control.toggleAttribute("disabled", true);
    }
  }
}

/**
 * @param {Found} found
 * @param {string} chosen the label that the visitor gave; empty: none
 */
function sentence({ label, confidence, warning, seen }, chosen) {
  if (chosen) return `Used as ${label}.`;
  const sure = confidence === null ? "" : `Confidence ${percent(confidence)}.`;
  const advice = warning && seen.length === 1 ? "If it is wrong, choose the digit." : "";
  return [`Recognised as ${label}.`, sure, warning, advice].filter(Boolean).join(" ");
}

/** @param {number} share in [0, 1] */
export function percent(share) {
  return share > 0.995 ? "over 99\u00a0%" : `${(100 * share).toFixed(share < 0.095 ? 1 : 0)}\u00a0%`;
}
