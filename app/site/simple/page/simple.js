// The page for models that do not write the ten digits of MNIST. The service draws every picture.

import { Photo, WHOLE } from "./photo.js";

const MAX_LINE = 64;
const PEN = 18; // pixels of the pad

/**
 * @typedef {object} Card what the page reads of the model card
 * @property {string} model
 * @property {string[]} label_names
 * @property {{conditional: boolean}} architecture
 * @property {{data_set: string}} provenance
 */
/** @typedef {"digits" | "text" | "labels" | "count"} Parameter */

const TITLES = {
  digits: "Type a number, get it drawn.",
  text: "Type a text, get it drawn.",
  labels: "Choose what to draw.",
  count: "See what the model has learned.",
};
const LABELS = { digits: "Your number", text: "Your text", labels: "Your choice", count: "How many" };

/** @param {string} id @returns {any} */
const part = (id) => document.getElementById(id);

/** @param {Card} card @returns {Parameter} what asks for a line, see model/alphabet.py */
function parameterOf(card) {
  if (!card.architecture.conditional) return "count";
  if (card.label_names.join() === "0,1,2,3,4,5,6,7,8,9") return "digits";
  return card.label_names.every((name) => [...name].length === 1) ? "text" : "labels";
}

/** @param {string} name @returns {string} as it is spelled in a line of words */
const escaped = (name) => name.replace(/[,\\]/g, "\\$&");

/** @param {string} line @returns {string} the first of its labels, as it is spelled */
function firstOf(line) {
  return parameter === "labels" ? (line.match(/(?:[^,\\]|\\.)*/)?.[0] ?? "") : ([...line][0] ?? "");
}

export const card = /** @type {Card} */ (await (await fetch(part("card").href)).json());
const parameter = parameterOf(card);
let style = "";
let key = "";
let mapped = "";

/** @param {string} path @param {RequestInit} [options] @returns {Promise<Response>} a good answer */
async function ask(path, options = {}) {
  const headers = { ...options.headers, ...(key ? { "X-API-Key": key } : {}) };
  const answer = await fetch(path, { ...options, headers });
  if (answer.ok) return answer;
  if (answer.status === 401 && (key = prompt("This service needs an API key.") ?? "")) return ask(path, options);
  throw new Error((await answer.json()).detail);
}

/** @param {string} id of an image @param {string} path */
async function show(id, path) {
  const image = part(id);
  try {
    const address = URL.createObjectURL(await (await ask(path)).blob());
    if (image.src) URL.revokeObjectURL(image.src);
    image.src = address;
    part("error").hidden = true;
  } catch (error) {
    part("error").textContent = /** @type {Error} */ (error).message;
    part("error").hidden = false;
  }
}

/** @returns {URLSearchParams} of what the form asks for */
function query() {
  const values = new URLSearchParams({ [parameter]: part("line").value, seed: part("seed").value });
  for (const name of ["rows", "scale"]) if (part(name).value !== "1") values.set(name, part(name).value);
  if (part("render").value === "ink") values.set("render", "ink");
  if (part("variation").value !== "1" || style) values.set("variation", part("variation").value);
  if (part("temperature").value !== "1") values.set("temperature", part("temperature").value);
  if (style) values.set("style", style);
  return values;
}

let timer = 0;
function drawSoon() {
  clearTimeout(timer);
  timer = setTimeout(draw, 150);
}

async function draw() {
  const values = query();
  history.replaceState(null, "", `?${parameter}=${encodeURIComponent(part("line").value)}&seed=${part("seed").value}`);
  part("picture").alt = parameter === "count" ? `${part("line").value} pictures` : part("line").value;
  for (const format of ["png", "svg"]) part(format).href = `generate?${values}&format=${format}`;
  await show("picture", `generate?${values}`);
  const label = firstOf(part("line").value).replace(/\\(.)/g, "$1");
  const map = new URLSearchParams({ cells: "9", scale: "2" });
  if (parameter === "digits") map.set("digit", label);
  else if (parameter !== "count") map.set("label", label);
  if (part("error").hidden && mapped !== String(map)) {
    mapped = String(map);
    await show("map", `latent-map?${map}`);
  }
}

/** @param {string} name */
function add(name) {
  const line = part("line").value;
  part("line").value = line ? `${line},${escaped(name)}` : escaped(name);
  drawSoon();
}

/** @param {Blob} picture */
async function useStyle(picture) {
  const values = new URLSearchParams({ [parameter]: part("line").value });
  if (parameter !== "count") values.set("label", firstOf(part("line").value).replace(/\\(.)/g, "$1"));
  try {
    const answer = await ask(`restyle?${values}`, { method: "POST", body: picture, headers: { "Content-Type": picture.type } });
    style = answer.headers.get("x-style") ?? "";
    part("variation").value = "0";
    part("found").textContent = "The pictures have your style now; move Variation to depart from it.";
    await draw();
  } catch (error) {
    part("found").textContent = /** @type {Error} */ (error).message;
  }
}

function bindPad() {
  const pad = part("pad");
  const context = pad.getContext("2d");
  const clear = () => {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, pad.width, pad.height);
    style = "";
    part("found").textContent = "";
  };
  /** @param {PointerEvent} event @returns {[number, number]} */
  const place = (event) => [event.offsetX * pad.width / pad.clientWidth, event.offsetY * pad.height / pad.clientHeight];
  pad.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    pad.setPointerCapture(event.pointerId);
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...place(event));
  });
  pad.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    if (!event.buttons) return;
    context.lineTo(...place(event));
    context.stroke();
  });
  part("clear").addEventListener("click", () => {
    clear();
    drawSoon();
  });
  part("use").addEventListener("click", () => pad.toBlob(useStyle, "image/png"));
  part("file").addEventListener("change", async () => {
    try {
      if (part("file").files[0]) useStyle(await (await Photo.open(part("file").files[0])).file(0, WHOLE));
    } catch (error) {
      part("found").textContent = /** @type {Error} */ (error).message;
    }
  });
  clear();
}

function start() {
  const asked = new URLSearchParams(location.search);
  const names = card.label_names;
  document.title = part("title").textContent = TITLES[parameter];
  part("line-label").textContent = LABELS[parameter];
  part("about").textContent = `A neural network that was trained on this data draws the pictures: ${card.provenance.data_set}.`;
  const sample = { digits: "2018", text: names.slice(0, 5).join(""), labels: names.slice(0, 3).map(escaped).join(","), count: "12" };
  part("line").value = asked.get(parameter) ?? sample[parameter];
  part("seed").value = asked.get("seed") ?? "1";
  // Letters and digits are lines of a pen; what other labels stand for may be grey all over.
  part("render").value = parameter === "text" || parameter === "digits" ? "ink" : "pixels";
  part("hint").textContent = {
    digits: "The digits 0 to 9.",
    text: `It can write these characters: ${names.join(" ")}`,
    labels: "Press a name to add it to the line; names have commas between them.",
    count: `From 1 to ${MAX_LINE} pictures. The model takes no label: what it draws is left to chance.`,
  }[parameter];
  if (parameter === "labels") {
    part("names").hidden = false;
    part("names").append(...names.map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", () => add(name));
      return button;
    }));
  }
  if (parameter === "count") {
    part("line").type = "number";
    part("line").min = "1";
    part("line").max = String(MAX_LINE);
    part("morphs").hidden = false;
    show("morph", "morph?count=4&seed=1&scale=4");
  } else {
    part("own-help").textContent = "Draw the first one of the line here, and the whole line takes its style.";
  }
  part("parameters").addEventListener("input", drawSoon);
  part("parameters").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    part("seed").value = String(Math.floor(Math.random() * 2 ** 32));
    draw();
  });
  bindPad();
  draw();
}

start();
