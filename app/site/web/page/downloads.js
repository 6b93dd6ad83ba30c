// The picture as a file: to download, to copy or to share.

import { button, part } from "./element.js";
import { paintInk, paintPixels, palette } from "./painter.js";
import { writtenIn } from "./query.js";
import { ServiceError } from "./service.js";

/** @typedef {import("./key-box.js").KeyBox} KeyBox */
/** @typedef {import("./picture-view.js").PictureView} PictureView */
/** @typedef {import("./query.js").Query} Query */
/** @typedef {import("./service.js").Service} Service */
/** @typedef {import("./store.js").Store} Store */

/** Makes files of the current picture. */
export class PictureFiles {
  /**
   * @param {Store} store
   * @param {PictureView} view
   * @param {Service | null} service null: not available
   * @param {KeyBox} keyBox
   */
  constructor(store, view, service, keyBox) {
    this.store = store;
    this.view = view;
    this.service = service;
    this.keyBox = keyBox;
    this.bindButtons();
    store.addEventListener("change", () => this.say(""));
  }

  bindButtons() {
    for (const choice of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-format]"))) {
      const format = choice.dataset.format ?? "png";
      if (!this.service && format === "svg") disable(choice, "SVG needs the service.");
      choice.addEventListener("click", () => this.attempt(() => this.save(format)));
    }
    const [copy, share] = [button("#copy-picture"), button("#share-picture")];
    if (!navigator.clipboard || !("ClipboardItem" in window)) {
      disable(copy, "This browser cannot copy pictures from this page.");
    }
    copy.addEventListener("click", () => this.attempt(() => this.copy()));
    const example = new File([], "1.png", { type: "image/png" });
    share.hidden = !navigator.canShare?.({ files: [example] });
    share.addEventListener("click", () => this.attempt(() => this.share()));
  }

  /**
   * Do what a button says, and show beside it what went wrong.
   * @param {() => Promise<void>} action
   */
  async attempt(action) {
    if (!this.store.query.digits) return this.say("Type a number first.");
    this.say("");
    try {
      await action();
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return; // closed the share sheet
      if (this.keyBox.ask(error, part("#save"), () => this.attempt(action))) return;
      const message = part("#save-error");
      message.textContent = error instanceof Error ? error.message : String(error);
      message.hidden = false;
    }
  }

  /** @param {string} text what happened; also hides the last error */
  say(text) {
    part("#save-status").textContent = text;
    part("#save-error").hidden = true;
  }

  /** @param {string} format */
  async save(format) {
    const file = await this.file(format);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = file.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  async copy() {
    // Safari wants the promise of the file, so that the copy belongs to the click.
    const file = this.file("png");
    file.catch(() => {}); // the line below reports it
    await navigator.clipboard.write([new ClipboardItem({ "image/png": file })]).catch(async (error) => {
      await file; // an error of the service says more than the clipboard's
      throw new Error(`The browser did not copy the picture: ${error.message}`);
    });
    this.say("The picture was copied.");
  }

  async share() {
    const number = writtenIn(this.store.query);
    await navigator.share({ files: [await this.file("png")], title: `${number}, handwritten`, url: new URL(this.store.address, location.href).href });
  }

  /**
   * The file of the service, or of the browser if the service cannot be reached.
   * @param {string} format
   */
  async file(format) {
    const { query } = this.store;
    const blob = await this.content(query, format);
    return new File([blob], `${writtenIn(query).replace(/[/: ]/g, "_")}-${query.seed}.${format}`, { type: blob.type });
  }

  /**
   * @param {Query} query
   * @param {string} format
   */
  async content(query, format) {
    try {
      if (this.service) return await this.service.picture(query, format);
    } catch (error) {
      const offline = error instanceof ServiceError && error.status === 0;
      if (!offline || format === "svg") throw error;
      this.say("The service cannot be reached, so the browser made this file.");
    }
    return browserFile(query, format, this.view);
  }
}

/**
 * @param {HTMLButtonElement} choice
 * @param {string} reason
 */
function disable(choice, reason) {
  choice.disabled = true;
  choice.dataset.unavailable = reason; // it stays disabled whatever the size
  choice.title = reason;
  part("#unavailable").textContent += ` ${reason}`;
}

/**
 * @param {Query} query
 * @param {string} format
 * @param {PictureView} view
 * @returns {Promise<Blob>}
 */
async function browserFile(query, format, view) {
  if (!view.sheet) throw new Error("There is no picture yet.");
  const canvas = document.createElement("canvas");
  const colours = palette(query.ink, query.paper);
  if (query.render === "ink") paintInk(canvas, view.sheet, colours, query.scale, query.pen);
  else paintPixels(canvas, view.sheet, colours, query.scale);
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, `image/${format}`, 1));
  if (blob?.type !== `image/${format}`) throw new Error(`This browser cannot write ${format} files. Choose PNG.`);
  return blob;
}
