// The form: its inputs change the query in the store, and it shows the query.

import { debounce } from "./debounce.js";
import { button, input, part } from "./element.js";
import { MAX_SEED } from "./noise.js";
import { drawnByRule, readNumber } from "./number.js";
import { DEFAULTS, variationOf, writtenIn } from "./query.js";
import { START } from "./store.js";

/** @typedef {import("./store.js").Store} Store */

const SLIDERS = ["variation", "temperature", "rows", "gap", "pen"];
const CHOICES = /** @type {const} */ (["spacing", "render"]);
const PRESETS = [
  { name: "Blue-black on white", ink: "24407a", paper: "fffdf8" },
  { name: "White on black, as in MNIST", ink: "ffffff", paper: "000000" },
  { name: "Chalk on a green board", ink: "f4f1e6", paper: "21463b" },
  { name: "Sepia on cream", ink: "5a3319", paper: "f5e9d3" },
  { name: "Red on grey", ink: "b3261e", paper: "eceff1" },
  { name: "Cream on dark grey", ink: "ebe6da", paper: "1c1f26" },
  { name: "Blue-black on transparent", ink: "24407a", paper: "transparent" },
];

/** @param {Store} store */
export function bindControls(store) {
  hint(store);
  store.addEventListener("change", () => hint(store));
  bindNumber(store);
  bindSeed(store);
  bindSteps(store);
  for (const name of SLIDERS) {
    const slider = input(`#${name}`);
    slider.addEventListener("input", () => store.change({ [name]: Number(slider.value) }, name));
  }
  for (const name of CHOICES) {
    for (const choice of document.querySelectorAll(`input[name="${name}"]`)) {
      choice.addEventListener("change", () => store.change({ [name]: choice.getAttribute("value") }));
    }
  }
  for (const name of ["ink", "paper"]) {
    const field = input(`#${name}`);
    field.addEventListener("input", () => store.change({ [name]: field.value.slice(1) }, name));
  }
  bindPresets(store);
  store.addEventListener("change", () => show(store));
  show(store);
}

/**
 * Say something below the number, and which of its signs the model does not draw.
 * @param {Store} store
 * @param {string} [message]
 */
function hint({ query }, message = "") {
  part("#hint").textContent = [message, drawnByRule(query.text)].filter(Boolean).join(" ");
}

/** @param {Store} store */
function bindNumber(store) {
  const field = input("#digits");
  field.addEventListener("input", () => {
    const { written, digits, text, message } = readNumber(field.value);
    if (written !== field.value) {
      const before = field.value.slice(0, field.selectionStart ?? undefined);
      const caret = readNumber(before).written.length;
      field.value = written;
      field.setSelectionRange(caret, caret);
    }
    if (writtenIn({ ...store.query, digits, text }) !== writtenIn(store.query)) store.change({ digits, text }, "digits");
    hint(store, message);
  });
  part("#parameters").addEventListener("submit", (event) => {
    event.preventDefault();
    hint(store, store.query.digits ? store.changeHandwriting() : "Type a number.");
  });
}

/** @param {Store} store */
function bindSeed(store) {
  const seed = input("#seed");
  seed.addEventListener("input", () => {
    const typed = seed.value.replace(/[^0-9]/g, "");
    const value = Math.min(Number(typed), MAX_SEED);
    const kept = typed === seed.value && value === Number(typed);
    seed.value = String(value);
    store.change({ seed: value }, "seed");
    hint(store, kept ? "" : `The seed is now ${value}: seeds are whole numbers from 0 to ${MAX_SEED}.`);
  });
}

/** @param {Store} store */
function bindSteps(store) {
  const [undo, redo] = [button("#undo"), button("#redo")];
  undo.addEventListener("click", () => store.steps.go(-1));
  redo.addEventListener("click", () => store.steps.go(1));
  const show = () => {
    undo.disabled = !store.steps.undoable;
    redo.disabled = !store.steps.redoable;
  };
  store.addEventListener("change", show);
  show();
}

/** @param {Store} store */
function bindPresets(store) {
  for (const { name, ink, paper } of PRESETS) {
    const preset = document.createElement("button");
    preset.type = "button";
    preset.textContent = "2";
    preset.title = name;
    preset.setAttribute("aria-label", name);
    preset.classList.toggle("transparent", paper === "transparent");
    preset.style.setProperty("--preset-ink", `#${ink}`);
    if (paper !== "transparent") preset.style.setProperty("--paper", `#${paper}`);
    preset.addEventListener("click", () => store.change({ ink, paper }));
    const mark = () => {
      const chosen = store.query.ink === ink && store.query.paper === paper;
      preset.setAttribute("aria-pressed", String(chosen));
    };
    store.addEventListener("change", mark);
    mark();
    part("#presets").append(preset);
  }
}

/**
 * The value of a slider, with its default.
 * @param {string} name
 * @param {string} text
 */
function withDefault(name, text) {
  const usual = String(/** @type {Record<string, unknown>} */ ({ ...DEFAULTS, ...START })[name]);
  return text === usual ? `${text} (default)` : `${text} (default ${usual})`;
}

/** @param {Store} store */
function show({ query }) {
  const values = { ...query, digits: writtenIn(query), variation: variationOf(query) };
  document.title = query.digits ? `${writtenIn(query)}, handwritten` : "Type a number, get it handwritten";
  for (const name of [...SLIDERS, "digits", "seed"]) {
    const field = input(`#${name}`);
    const text = String(/** @type {Record<string, unknown>} */ (values)[name]);
    const unfinished = name === "digits" && text === "" && readNumber(field.value).digits === ""; // such as a minus sign
    if (field.value !== text && !unfinished) field.value = text;
    const output = document.getElementById(`${name}-value`);
    if (output) output.textContent = withDefault(name, text);
  }
  for (const name of CHOICES) input(`input[name="${name}"][value="${query[name]}"]`).checked = true;
  input("#pen").disabled = query.render === "pixels";
  input("#ink").value = `#${query.ink}`;
  if (query.paper !== "transparent") input("#paper").value = `#${query.paper}`;
}

const announce = debounce(1000, () => {
  part("#announcement").textContent = `Drew ${input("#digits").value} with seed ${input("#seed").value}.`;
});

/** Announce the picture to a screen reader, unless the user is typing the number. */
export function announcePicture() {
  if (document.activeElement !== input("#digits")) announce();
}
