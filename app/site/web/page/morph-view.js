// The animation between two numbers, and its download from the service.

import { gridOf, interpolate } from "./digit-grid.js";
import { button, canvas, find, input, part } from "./element.js";
import { sheetOf, withoutDigits } from "./marks.js";
import { readNumber } from "./number.js";
import { paintInk, paintPixels, palette, screenScale } from "./painter.js";
import { writtenIn } from "./query.js";
import { whenVisible } from "./when-visible.js";

/** @typedef {import("./query.js").Query} Query */

const FRAMES = 24;
const FPS = 12;
const MAX_SIGNS = 16;
const USUAL_SIGNS = 10; // of the number at first: a longer one is too small
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * @param {import("./store.js").Store} store
 * @param {import("./decoder-client.js").DecoderClient} decoder
 * @param {import("./digit-grid.js").Model} model
 * @param {import("./service.js").Service | null} service
 * @param {import("./key-box.js").KeyBox} keyBox
 */
export function bindMorph(store, decoder, model, service, keyBox) {
  const fields = [input("#morph-from"), input("#morph-to")];
  const status = part("#morph-status");
  const play = button("#morph-play");
  let playing = 0;

  /** The query of both ends, or null if they cannot be reached from each other. */
  const ends = () => {
    const numbers = fields.map((field) => readNumber(field.value));
    const [from, to] = numbers.map(({ digits, written }) => (digits ? withoutDigits(written) : ""));
    const fits = from === to && from.length > 0 && from.length <= MAX_SIGNS;
    status.textContent = fits ? "" : `Type two numbers with the same number of digits and the same marks, up to ${MAX_SIGNS} characters.`;
    /** @type {Query} */
    const shared = { ...store.query, rows: 1, spacing: "cell" };
    return fits ? numbers.map(({ digits, text }) => ({ ...shared, digits, text })) : null;
  };

  /** @param {number} frame */
  const draw = async (frame) => {
    const queries = ends();
    if (!queries) return false;
    const way = (1 - Math.cos((2 * Math.PI * frame) / FRAMES)) / 2; // as in app/drawing/morph.py
    const grid = interpolate(gridOf(queries[0], model), gridOf(queries[1], model), way, 1);
    const [{ ink, paper, render, pen }] = queries;
    const sheet = sheetOf(await decoder.draw(grid), grid, queries[0]);
    const target = canvas("#morph-picture");
    target.classList.toggle("pixels", render === "pixels");
    if (render === "pixels") paintPixels(target, sheet, palette(ink, paper));
    else paintInk(target, sheet, palette(ink, paper), screenScale(sheet, target.clientWidth * devicePixelRatio), pen);
    target.setAttribute("aria-label", `${writtenIn(queries[0])} becomes ${writtenIn(queries[1])}`);
    return true;
  };

  play.addEventListener("click", async () => {
    const own = ++playing;
    const stopped = play.getAttribute("aria-pressed") === "true";
    play.setAttribute("aria-pressed", String(!stopped));
    play.textContent = stopped ? "Play" : "Stop";
    if (stopped) return;
    for (let frame = 0; own === playing && (await draw(frame)); frame++) {
      await new Promise((next) => setTimeout(next, 1000 / FPS));
    }
  });
  for (const field of fields) field.addEventListener("input", () => draw(0));
  store.addEventListener("change", () => part("#morph").dataset.state === "ready" && draw(0));

  const save = button("#morph-save");
  save.addEventListener("click", async () => {
    const queries = ends();
    if (!queries || !service) return;
    const format = find("#morph-format", HTMLSelectElement).value;
    try {
      const blob = await service.morph(queries[0], writtenIn(queries[1]), { frames: FRAMES, fps: FPS, format });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      const name = queries.map(writtenIn).join("-").replace(/[/: ]/g, "_");
      link.download = `${name}.${format === "apng" ? "png" : format}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    } catch (error) {
      if (!keyBox.ask(error, status, () => save.click())) status.textContent = error instanceof Error ? error.message : String(error);
    }
  });

  const written = writtenIn(store.query);
  fields[0].value = written.length > USUAL_SIGNS ? store.query.digits.slice(0, 4) : written || "2018";
  fields[1].value = fields[0].value.replace(/[0-9]/g, (digit) => String((Number(digit) + 3) % 10));
  whenVisible("#morph", async () => {
    await draw(0);
    part("#morph").dataset.state = "ready";
    if (!reducedMotion.matches) play.click();
  });
}
