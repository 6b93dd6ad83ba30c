// Downloads of the picture, and lines to copy.

import { part } from "./element.js";
import { paintPixels, palette } from "./painter.js";
import { ServiceError } from "./service.js";

/** @typedef {import("./picture-view.js").PictureView} PictureView */
/** @typedef {import("./query.js").Query} Query */
/** @typedef {import("./service.js").Service} Service */
/** @typedef {import("./store.js").Store} Store */

/**
 * @param {Store} store
 * @param {PictureView} view
 * @param {Service | null} service null: not available
 * @param {(error: unknown) => void} report
 */
export function bindDownloads(store, view, service, report) {
  const status = part("#download-status");
  for (const choice of document.querySelectorAll("[data-format]")) {
    const format = /** @type {HTMLElement} */ (choice).dataset.format ?? "png";
    if (!service && format === "svg") {
      choice.toggleAttribute("disabled", true);
      status.textContent = "SVG is not available: it needs the service.";
    }
    choice.addEventListener("click", async () => {
      if (!store.query.digits) return;
      try {
        save(await fileOf(store.query, format, view, service, status), store.query, format);
      } catch (error) {
        report(error);
      }
    });
  }
}

/**
 * The file of the service, or of the browser if the service cannot be reached.
 * @param {Query} query
 * @param {string} format
 * @param {PictureView} view
 * @param {Service | null} service
 * @param {HTMLElement} status
 */
async function fileOf(query, format, view, service, status) {
  try {
    if (service) return await service.picture(query, format);
  } catch (error) {
    const offline = error instanceof ServiceError && error.status === 0;
    if (!offline || format === "svg") throw error;
    status.textContent = "The service cannot be reached, so the browser made this file.";
  }
  return browserFile(query, format, view);
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
  paintPixels(canvas, view.sheet, palette(query.ink, query.paper), query.scale);
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, `image/${format}`, 1));
  if (blob?.type !== `image/${format}`) throw new Error(`This browser cannot write ${format} files. Choose PNG.`);
  return blob;
}

/**
 * @param {Blob} blob
 * @param {Query} query
 * @param {string} format
 */
function save(blob, query, format) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${query.digits}-${query.seed}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * @param {Store} store
 * @param {Service | null} service
 */
export function bindCopies(store, service) {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-copy]"));
  const fill = () => {
    const { digits } = store.query;
    const image = service?.link(store.query) ?? "";
    /** @type {Record<string, string>} */
    const lines = {
      page: location.href,
      image,
      curl: `curl -o ${digits}.png '${image}'`,
      html: `<img src="${image.replaceAll("&", "&amp;")}" alt="${digits}">`,
    };
    for (const field of fields) field.value = lines[field.dataset.copy ?? ""];
  };
  for (const field of fields) {
    const copy = /** @type {HTMLButtonElement} */ (field.nextElementSibling);
    copy.setAttribute("aria-label", `Copy: ${document.getElementById(`copy-${field.dataset.copy}`)?.textContent}`);
    copy.addEventListener("click", async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
        copy.textContent = "Copied";
      } catch {
        copy.textContent = "Ctrl+C"; // the clipboard is not allowed, but the line is selected
      }
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    });
  }
  store.addEventListener("change", fill);
  fill();
}
