// The page: what index.html shows comes to life here.

import { Artist } from "./artist.js";
import { announceShown, bindControls, showSize } from "./controls.js";
import { Desk } from "./desk.js";
import { button, canvas, input, part } from "./element.js";
import { Flow } from "./flow.js";
import { bindCopies, bindFiles } from "./keep.js";
import { Pad, bindStyle, closePad } from "./pad.js";
import { bindPast } from "./past.js";
import { showQuality } from "./quality.js";
import { Service, ServiceError } from "./service.js";
import { bindSlate } from "./slate.js";
import { Stage } from "./stage.js";
import { decodeStyle } from "./style.js";

const ENGINE = "cvae-digits-engine";

/** @param {string} id of a link in the head; the page's build leaves out what is not to be had */
function linked(id) {
  const link = document.getElementById(id);
  return link instanceof HTMLLinkElement ? link.href : null;
}

/** @param {unknown} error in words; null: all is well again */
function report(error) {
  const fault = part("#fault");
  fault.hidden = error === null;
  fault.textContent = error === null ? "" : error instanceof Error ? error.message : String(error);
  if (error instanceof ServiceError && error.status === 401) part("#key").hidden = false;
}

/** @param {string | null} address of the weights */
async function openArtist(address) {
  if (!address) return null;
  try {
    return await Artist.open(address);
  } catch (error) {
    console.warn("Drawing in the browser is not to be had.", error);
    return null;
  }
}

async function openCard() {
  const answer = await fetch(linked("card") ?? "model");
  if (!answer.ok) throw new Error(`The model's card did not come (${answer.status}).`);
  return answer.json();
}

/**
 * @param {Stage} stage
 * @param {() => void} again
 */
function bindEngine(stage, again) {
  const toggle = input("#local");
  const help = part("#local-help");
  const possible = Boolean(stage.artist);
  toggle.checked = stage.local = possible && !(stage.service && localStorage.getItem(ENGINE) === "service");
  toggle.disabled = !possible || !stage.service;
  const say = () => {
    help.textContent = !possible
      ? "Not to be had here: each picture comes from the service."
      : stage.local
        ? "No request for a picture; works without a connection."
        : "Each picture is a request to the service.";
  };
  toggle.addEventListener("change", () => {
    stage.local = toggle.checked;
    stage.canvas.dataset.state = "drawing"; // the same once more, by the other hand
    localStorage.setItem(ENGINE, stage.local ? "browser" : "service");
    say();
    again();
  });
  say();
}

/** @param {Stage} stage */
function bindView(stage) {
  for (const choice of document.querySelectorAll('input[name="view"]')) {
    choice.addEventListener("change", () => {
      stage.strokes = choice.getAttribute("value") === "strokes";
      stage.paint();
    });
  }
}

/**
 * @param {Service} service
 * @param {() => void} again
 */
function bindKey(service, again) {
  button("#key-use").addEventListener("click", () => {
    service.key = input("#key-text").value;
    part("#key").hidden = true;
    again();
  });
}

/** @param {Stage} stage */
function tellWhatIsShown(stage) {
  stage.addEventListener("shown", (event) => {
    const { order, cost } = /** @type {CustomEvent} */ (event).detail;
    report(null);
    if (performance.getEntriesByName("first-digit").length === 0) performance.mark("first-digit");
    stage.canvas.setAttribute("aria-label", order.digits);
    stage.canvas.dataset.query = new URLSearchParams(location.search).toString();
    const where = stage.local ? "in your browser" : "by the service";
    part("#cost").textContent = `${cost.toFixed(1)} ms a digit, ${where}`;
    showSize(order, stage.sheet?.width ?? 0);
    announceShown();
  });
  stage.addEventListener("fault", (event) => report(/** @type {CustomEvent} */ (event).detail));
}

async function main() {
  const desk = new Desk();
  bindControls(desk);
  const home = linked("service");
  const service = home ? new Service(home) : null;
  for (const element of document.querySelectorAll("[data-service]")) {
    /** @type {HTMLElement} */ (element).hidden = !service;
  }
  const [card, artist] = await Promise.all([openCard(), openArtist(linked("weights"))]);
  const facts = { model: card.model, latent: card.architecture.latent, classes: card.architecture.classes };
  const stage = new Stage(canvas("#sheet"), facts, artist, service);
  const draw = () => stage.show(desk.order);
  tellWhatIsShown(stage);
  bindEngine(stage, draw);
  bindView(stage);
  if (service) bindKey(service, draw);
  desk.addEventListener("change", draw);
  desk.write();
  draw();
  if (desk.ignored.length) part("#hint").textContent = `Not understood in this link: ${desk.ignored.join(", ")}.`;

  bindFiles(desk, stage, service, report);
  bindCopies(desk, service);
  bindPast(desk, stage);
  bindStyle(desk);
  const pad = artist ? new Pad(desk, artist, facts) : closePad();
  bindSlate(desk, service, (style) => takeHand(style, desk, pad ?? null, facts), report);
  if (artist) new Flow(desk, artist, facts);
  else part("#flow").hidden = true;
  showQuality(card);
}

/**
 * Write on in the hand that was given.
 * @param {string} style
 * @param {Desk} desk
 * @param {Pad | null} pad
 * @param {import("./scene.js").Facts} facts
 */
function takeHand(style, desk, pad, facts) {
  desk.change({ style, variation: null });
  const noise = decodeStyle(style, facts.model, facts.latent);
  if (noise) pad?.centre(noise);
}

main().catch(report);
if ("serviceWorker" in navigator) {
  if (navigator.serviceWorker.controller) {
    navigator.serviceWorker.addEventListener("controllerchange", () => {
      part("#hint").textContent = "There is a newer page or model: load the page again.";
    });
  }
  addEventListener("load", () => navigator.serviceWorker.register("service-worker.js").catch(() => {}));
}
