// Ten digits by one hand, one digit by many hands, and the article's model beside this one.

import { oneHot } from "./digit-grid.js";
import { canvas, find, part } from "./element.js";
import { digitNoise } from "./noise.js";
import { paintInk, palette } from "./painter.js";
import { RoundedNetwork } from "./rounded-network.js";
import { CELL, stitch } from "./sheet.js";
import { whenVisible } from "./when-visible.js";

/** @typedef {import("./digit-grid.js").Model} Model */
/** @typedef {import("./decoder-client.js").DecoderClient} DecoderClient */

const HANDS = 10;
const COMPARED = 10; // digits of a number, at most
const SCALE = 3; // canvas pixels along a pixel of the model
const SEED = 2018; // of the noise of all hands here

/**
 * Paint pictures of digits in a row, in the colours of the page.
 * @param {string} selector of a canvas
 * @param {Uint8Array} pictures one after the other
 * @param {number} [scale]
 */
export function paintRow(selector, pictures, scale = SCALE) {
  const sheet = stitch(pictures, 1, pictures.length / CELL ** 2, "cell", 0);
  const [red, green, blue] = getComputedStyle(canvas(selector)).color.match(/\d+/g) ?? ["0", "0", "0"];
  const ink = [red, green, blue].map((value) => Number(value).toString(16).padStart(2, "0")).join("");
  paintInk(canvas(selector), sheet, palette(ink, "transparent"), scale, 1);
}

/**
 * Both strips follow the noise and the digit of the network view.
 * @param {import("./network-view.js").NetworkView} network
 * @param {DecoderClient} decoder
 * @param {Model} model
 */
export function bindHands(network, decoder, model) {
  const labels = Array.from({ length: model.classes }, (_, label) => oneHot(label, model.classes));
  const noises = Array.from({ length: HANDS }, (_, row) => digitNoise(SEED, row, 0, model.latentSize).slice());
  const show = async () => {
    const { noise, digit } = network;
    const hand = labels.map((label) => ({ noise, label, presence: 1 }));
    const hands = noises.map((each) => ({ noise: each, label: labels[digit], presence: 1 }));
    const cells = [...hand, ...hands];
    const pictures = await decoder.draw({ rows: 1, count: cells.length, cells });
    paintRow("#one-hand", pictures.subarray(0, hand.length * CELL ** 2));
    paintRow("#many-hands", pictures.subarray(hand.length * CELL ** 2));
    canvas("#many-hands").setAttribute("aria-label", `The digit ${digit} in ${HANDS} hands`);
  };
  network.addEventListener("run", show);
  whenVisible("#hands", show);
}

/**
 * @param {import("./store.js").Store} store
 * @param {string | null} address of the article's decoder
 * @param {DecoderClient} decoder
 * @param {Model} model
 */
export function bindArticle(store, address, decoder, model) {
  if (!address || model.classes !== 10) return void (part("#article-comparison").hidden = true);
  whenVisible("#article-comparison", async () => {
    const article = await RoundedNetwork.open(address);
    let seed = SEED;
    const choice = find("#compared", HTMLSelectElement);
    const show = async () => {
      const digits = (choice.value === "number" && store.query.digits.slice(0, COMPARED)) || "0123456789";
      const cells = [...digits].map((digit, position) => ({
        noise: digitNoise(seed, 0, position, model.latentSize).slice(),
        label: oneHot(Number(digit), model.classes),
        presence: 1,
      }));
      const size = article.inputs - model.classes;
      const pictures = cells.flatMap(({ label }, position) => [...article.decode(digitNoise(seed, 0, position, size), label)]);
      paintRow("#by-article", Uint8Array.from(pictures));
      paintRow("#by-model", await decoder.draw({ rows: 1, count: cells.length, cells }));
    };
    choice.addEventListener("change", show);
    store.addEventListener("change", () => choice.value === "number" && show());
    part("#compare-again").addEventListener("click", () => {
      seed++;
      show();
    });
    await show();
    part("#article-comparison").dataset.state = "ready";
  });
}
