// The animation between two numbers, and its download from the service.

import { gridOf, interpolate } from "./digit-grid.js";
import { button, canvas, find, input, part } from "./element.js";
import { readNumber } from "./number.js";
import { paintInk, palette, screenScale } from "./painter.js";
import { stitch } from "./sheet.js";
import { whenVisible } from "./when-visible.js";

/** @typedef {import("./query.js").Query} Query */

const FRAMES = 24;
const FPS = 12;
const MAX_DIGITS = 16;
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
    const [from, to] = fields.map((field) => readNumber(field.value).digits);
    const fits = from.length === to.length && from.length > 0 && from.length <= MAX_DIGITS;
    status.textContent = fits ? "" : `Type two numbers with equally many digits, 1 to ${MAX_DIGITS}.`;
    /** @type {Query} */
    const shared = { ...store.query, rows: 1, spacing: "cell" };
    return fits ? [from, to].map((digits) => ({ ...shared, digits })) : null;
  };

  /** @param {number} frame */
  const draw = async (frame) => {
    const queries = ends();
    if (!queries) return false;
    const way = (1 - Math.cos((2 * Math.PI * frame) / FRAMES)) / 2; // as in app/drawing/morph.py
    const grid = interpolate(gridOf(queries[0], model), gridOf(queries[1], model), way, 1);
    const [{ gap, ink, paper, render }] = queries;
    const sheet = stitch(await decoder.draw(grid), 1, grid.count, "cell", gap);
    const target = canvas("#morph-picture");
    const scale = render === "pixels" ? 4 : screenScale(sheet, target.clientWidth * devicePixelRatio);
    paintInk(target, sheet, palette(ink, paper), scale, 1);
    target.setAttribute("aria-label", `${queries[0].digits} becomes ${queries[1].digits}`);
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
      const blob = await service.morph(queries[0], queries[1].digits, { frames: FRAMES, fps: FPS, format });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${queries[0].digits}-${queries[1].digits}.${format === "apng" ? "png" : format}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    } catch (error) {
      if (!keyBox.ask(error, status, () => save.click())) status.textContent = error instanceof Error ? error.message : String(error);
    }
  });

  fields[0].value = store.query.digits.slice(0, 4) || "2018";
  fields[1].value = [...fields[0].value].map((digit) => (Number(digit) + 3) % 10).join("");
  whenVisible("#morph", async () => {
    await draw(0);
    part("#morph").dataset.state = "ready";
    if (!reducedMotion.matches) play.click();
  });
}
