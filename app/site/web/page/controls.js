// The form: what is typed, dragged and chosen goes to the desk, and what lies there is shown.

import { afterPause, button, input, part } from "./element.js";
import { MAX_SEED } from "./noise.js";
import { MAX_DIGITS, handShare } from "./order.js";
import { CELL } from "./sheet.js";

/** @typedef {import("./desk.js").Desk} Desk */

const RANGES = ["variation", "temperature", "rows", "gap", "scale"];
const MAX_PIXELS = 2 ** 24; // that the service draws
const PAIRS = [
  { name: "Blue-black on white", ink: "24407a", paper: "fffdf8" },
  { name: "White on black, as MNIST", ink: "ffffff", paper: "000000" },
  { name: "Chalk on a green board", ink: "f4f1e6", paper: "21463b" },
  { name: "Sepia on cream", ink: "5a3319", paper: "f5e9d3" },
  { name: "Red on grey", ink: "b3261e", paper: "eceff1" },
  { name: "Paper on ink", ink: "ebe6da", paper: "1c1f26" },
  { name: "Ink without paper", ink: "24407a", paper: "transparent" },
];

/** @param {Desk} desk */
export function bindControls(desk) {
  bindNumber(desk);
  bindSeed(desk);
  for (const name of RANGES) {
    input(`#${name}`).addEventListener("input", (event) => {
      desk.change({ [name]: Number(/** @type {HTMLInputElement} */ (event.target).value) });
    });
  }
  for (const choice of document.querySelectorAll('input[name="spacing"]')) {
    choice.addEventListener("change", () => {
      desk.change({ spacing: choice.getAttribute("value") === "tight" ? "tight" : "cell" });
    });
  }
  for (const name of ["ink", "paper"]) {
    const field = input(`#${name}`);
    field.addEventListener("input", () => desk.change({ [name]: field.value.slice(1) }));
  }
  bindSwatches(desk);
  desk.addEventListener("change", () => show(desk));
  show(desk);
}

/** @param {Desk} desk */
function bindNumber(desk) {
  const field = input("#digits");
  const hint = part("#hint");
  field.addEventListener("input", () => {
    const digits = field.value.replace(/[^0-9]/g, "").slice(0, MAX_DIGITS);
    const place = (field.selectionStart ?? digits.length) - (field.value.length - digits.length);
    hint.textContent = digits === field.value ? "" : `The digits 0 to 9, at most ${MAX_DIGITS}.`;
    if (digits !== field.value) {
      field.value = digits;
      field.setSelectionRange(place, place);
    }
    if (!digits) hint.textContent = "Type a number.";
    if (digits !== desk.order.digits) desk.change({ digits });
  });
  part("#order").addEventListener("submit", (event) => {
    event.preventDefault();
    desk.roll();
  });
}

/** @param {Desk} desk */
function bindSeed(desk) {
  const [seed, lock] = [input("#seed"), input("#lock")];
  seed.addEventListener("input", () => {
    const typed = seed.value.replace(/[^0-9]/g, "");
    seed.value = String(Math.min(Number(typed), MAX_SEED));
    desk.locked = true;
    desk.change({ seed: Number(seed.value) });
  });
  lock.addEventListener("change", () => {
    desk.locked = lock.checked;
    show(desk);
  });
}

/** @param {Desk} desk */
function bindSwatches(desk) {
  for (const { name, ink, paper } of PAIRS) {
    const swatch = document.createElement("button");
    swatch.type = "button";
    swatch.textContent = "2";
    swatch.title = name;
    swatch.setAttribute("aria-label", name);
    swatch.classList.toggle("clear", paper === "transparent");
    swatch.style.setProperty("--of", `#${ink}`);
    if (paper !== "transparent") swatch.style.setProperty("--paper", `#${paper}`);
    swatch.addEventListener("click", () => desk.change({ ink, paper }));
    const mark = () => {
      const chosen = desk.order.ink === ink && desk.order.paper === paper;
      swatch.setAttribute("aria-pressed", String(chosen));
    };
    desk.addEventListener("change", mark);
    mark();
    part("#swatches").append(swatch);
  }
}

/** @param {Desk} desk */
function show({ order, locked }) {
  const values = { ...order, variation: handShare(order) };
  for (const name of [...RANGES, "digits", "seed"]) {
    const field = input(`#${name}`);
    const text = String(/** @type {Record<string, unknown>} */ (values)[name]);
    if (field.value !== text) field.value = text;
    const shown = document.getElementById(`${name}-value`);
    if (shown) shown.textContent = name === "scale" ? `× ${text}` : text;
  }
  input("#lock").checked = locked;
  button("#roll").disabled = locked;
  button("#roll").title = locked ? "The seed is kept" : "";
  input(`input[name="spacing"][value="${order.spacing}"]`).checked = true;
  input("#ink").value = `#${order.ink}`;
  if (order.paper !== "transparent") input("#paper").value = `#${order.paper}`;
}

const announce = afterPause(1000, () => {
  part("#said").textContent = `${input("#digits").value} stands, seed ${input("#seed").value}.`;
});

/**
 * Say how large the finished picture is.
 * @param {import("./order.js").Order} order
 * @param {number} width of its sheet, in pixels
 */
export function showSize({ scale, rows }, width) {
  const [across, down] = [width * scale, rows * CELL * scale];
  const fits = across * down <= MAX_PIXELS && Math.max(across, down) <= 16383;
  part("#size").textContent = `${across} × ${down} pixels${fits ? "" : ": too many, choose a lower size"}`;
}

/** Tell a screen reader what stands, once nothing moves any more. */
export function announceShown() {
  if (document.activeElement !== input("#digits")) announce();
}
