// Starts the page: opens the model and connects the parts of index.html.

import { announcePicture, bindControls } from "./controls.js";
import { bindCopies } from "./copies.js";
import { DecoderClient } from "./decoder-client.js";
import { PictureFiles } from "./downloads.js";
import { canvas, input, part } from "./element.js";
import { EncodeView } from "./encode-view.js";
import { bindArticle, bindHands } from "./hands-view.js";
import { bindHistory } from "./history.js";
import { KeyBox } from "./key-box.js";
import { loadLatentSpace } from "./latent-space.js";
import { LatentView } from "./latent-view.js";
import { bindMorph } from "./morph-view.js";
import { NetworkView } from "./network-view.js";
import { OwnDigit } from "./own-digit.js";
import { bindSize, showSize } from "./picture-size.js";
import { PictureView } from "./picture-view.js";
import { showQuality } from "./quality.js";
import { writtenIn } from "./query.js";
import { clearReading, showReading } from "./reading-view.js";
import { RoundedNetwork } from "./rounded-network.js";
import { Service } from "./service.js";
import { readStored, writeStored } from "./storage.js";
import { Store } from "./store.js";
import { StylePad, bindStyle, disableStylePad } from "./style-pad.js";
import { decodeStyle } from "./style.js";
import { bindTour } from "./tour.js";
import { whenVisible } from "./when-visible.js";

/** @typedef {import("./digit-grid.js").Model} Model */

const ENGINE_KEY = "cvae-digits-engine";

/** @param {string} id of a link in the head; the build leaves out links to what is not available */
function addressOf(id) {
  const link = document.getElementById(id);
  return link instanceof HTMLLinkElement ? link.href : null;
}

/**
 * The names of the labels, in their order.
 * @param {any} card of the model
 * @returns {string[]}
 */
function namesOf({ label_names: names, architecture: { classes } }) {
  return names ?? Array.from({ length: classes }, (_, label) => String(label));
}

/** @param {unknown} error to show; null hides the last one */
function report(error) {
  const message = part("#error");
  message.hidden = error === null;
  if (error !== null) part("#loading").hidden = true;
  message.textContent = error === null ? "" : error instanceof Error ? error.message : String(error);
}

/** @param {string | null} weights their address */
async function openDecoder(weights) {
  if (!weights) return null;
  try {
    return await DecoderClient.open(weights);
  } catch (error) {
    console.warn("Drawing in the browser is not available.", error);
    return null;
  }
}

async function loadCard() {
  const response = await fetch(addressOf("card") ?? "model");
  if (!response.ok) throw new Error(`The model card could not be loaded (status ${response.status}).`);
  return response.json();
}

/**
 * Connect the switch between drawing in the browser and by the service.
 * @param {PictureView} view
 * @param {() => void} draw
 */
function bindEngine(view, draw) {
  const toggle = input("#local");
  const help = part("#local-help");
  const available = Boolean(view.decoder);
  const preferred = view.service ? readStored("localStorage", ENGINE_KEY) : "browser";
  toggle.checked = view.local = available && preferred !== "service";
  toggle.disabled = !available || !view.service;
  const explain = () => {
    help.textContent = !available
      ? "Not available: the service draws each picture."
      : view.local
        ? "Drawing sends no request and works offline."
        : "The service draws each picture.";
  };
  toggle.addEventListener("change", () => {
    view.local = toggle.checked;
    view.canvas.dataset.state = "drawing"; // forces the same picture to be drawn again
    writeStored("localStorage", ENGINE_KEY, view.local ? "browser" : "service");
    explain();
    draw();
  });
  explain();
}

/**
 * @param {PictureView} view
 * @param {KeyBox} keyBox
 * @param {() => void} draw
 */
function describePicture(view, keyBox, draw) {
  view.addEventListener("shown", (event) => {
    const { query, msPerDigit } = /** @type {CustomEvent} */ (event).detail;
    report(null);
    if (performance.getEntriesByName("first-digit").length === 0) performance.mark("first-digit");
    view.canvas.setAttribute("aria-label", writtenIn(query));
    part("#loading").hidden = true;
    const where = view.local ? "in your browser" : "by the service";
    part("#draw-time").textContent = `${msPerDigit.toFixed(1)} ms per digit, ${where}`;
    if (view.sheet) showSize(query, view.sheet);
    announcePicture();
  });
  view.addEventListener("error", (event) => {
    const { detail } = /** @type {CustomEvent} */ (event);
    if (!keyBox.ask(detail, part("#hint"), draw)) report(detail);
  });
}

/**
 * Use the handwriting of a style for the number, and put it in the centre of the style pad.
 * @param {string} style
 * @param {Store} store
 * @param {StylePad | null} pad
 * @param {Model} model
 */
function applyStyle(style, store, pad, model) {
  store.change({ style, variation: null });
  const noise = decodeStyle(style, model);
  if (noise) pad?.setCentre(noise);
}

/**
 * What encodes on this page, each opened when it is first needed.
 * @param {DecoderClient | null} decoder
 * @param {Model & {names: string[]}} model
 * @returns {{read: import("./own-digit.js").Read | null, show: (sight: import("./service.js").Sight) => void}}
 */
function bindEncoder(decoder, model) {
  const [encoderAddress, latentAddress, readerAddress] = ["encoder", "latent", "reader"].map(addressOf);
  if (!decoder || !encoderAddress || !latentAddress) {
    for (const name of ["#encode", "#latent-space"]) part(name).hidden = true;
    return { read: null, show: () => {} };
  }
  /** @template T @param {() => Promise<T>} open */
  const once = (open) => {
    /** @type {Promise<T> | undefined} */
    let opened;
    return () => (opened ??= open().catch((error) => {
      opened = undefined; // the connection may come back
      throw error;
    }));
  };
  const space = once(() => loadLatentSpace(latentAddress));
  const encoder = once(() => RoundedNetwork.open(encoderAddress));
  const reader = once(async () => {
    const { LocalReader } = await import("./local-reader.js"); // few visits need it
    const opened = new LocalReader(decoder, await encoder(), model);
    await opened.load(/** @type {string} */ (readerAddress));
    return opened;
  });
  const view = once(async () => new EncodeView(decoder, await encoder(), (await space()).examples, model));
  whenVisible("#encode", async () => {
    const shown = await view();
    await shown.show(shown.chosen);
  });
  whenVisible("#latent-space", async () => void new LatentView(decoder, await space(), model));
  return {
    read: readerAddress ? async (...picture) => (await reader()).read(...picture) : null,
    show: async ({ label, digit }) => (await view()).show({ label: Number(label), levels: digit }),
  };
}

async function main() {
  const store = new Store();
  bindControls(store);
  bindSize(store);
  const root = addressOf("service");
  const service = root ? new Service(root) : null;
  for (const element of document.querySelectorAll("[data-service]")) {
    /** @type {HTMLElement} */ (element).hidden = !service;
  }
  const [card, decoder] = await Promise.all([loadCard(), openDecoder(addressOf("weights"))]);
  const { latent: latentSize, classes } = card.architecture;
  const model = { hash: card.model, latentSize, classes, names: namesOf(card) };
  const view = new PictureView(canvas("#picture"), model, decoder, service);
  const draw = () => view.show(store.query);
  const keyBox = new KeyBox(service);
  describePicture(view, keyBox, draw);
  bindEngine(view, draw);
  store.addEventListener("change", draw);
  draw();
  if (store.ignored.length) part("#hint").textContent = `Ignored invalid parameters of this link: ${store.ignored.join(", ")}.`;

  new PictureFiles(store, view, service, keyBox);
  bindCopies(store, service);
  bindHistory(store, view);
  bindStyle(store);
  const pad = decoder ? new StylePad(store, decoder, model) : null;
  if (!pad) disableStylePad();
  const encoder = bindEncoder(decoder, model);
  /** @type {import("./own-digit.js").Read | null} */
  const read = service && ((picture, label, shows) => service.restyle(picture, label, shows));
  const apply = (/** @type {import("./service.js").Found} */ found, /** @type {Blob} */ picture) => {
    applyStyle(found.style, store, pad, model);
    showReading(picture, found, model);
    if (found.seen.length === 1) encoder.show(found.seen[0]);
  };
  new OwnDigit(read, encoder.read, apply, clearReading, keyBox);
  if (decoder) {
    bindHands(new NetworkView(store, decoder, model), decoder, model);
    bindArticle(store, addressOf("article"), decoder, model);
    bindMorph(store, decoder, model, service, keyBox);
  } else {
    for (const name of ["#network", "#hands", "#article-comparison", "#morph"]) part(name).hidden = true;
  }
  showQuality(card);
  if (decoder) bindTour();
}

main().catch(report);
if ("serviceWorker" in navigator) {
  if (navigator.serviceWorker.controller) {
    navigator.serviceWorker.addEventListener("controllerchange", () => {
      part("#hint").textContent = "A new version is available. Reload the page.";
    });
  }
  addEventListener("load", () => navigator.serviceWorker.register("service-worker.js").catch(() => {}));
}
