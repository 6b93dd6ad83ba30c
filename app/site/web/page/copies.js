// Lines to copy: the link of the page, and the picture as a link, as HTML and with curl.

/** @typedef {import("./service.js").Service} Service */
/** @typedef {import("./store.js").Store} Store */

/**
 * @param {Store} store
 * @param {Service | null} service null: not available
 */
export function bindCopies(store, service) {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-copy]"));
  const fill = () => {
    const { digits } = store.query;
    const image = service?.link(store.query) ?? "";
    /** @type {Record<string, string>} */
    const lines = {
      page: new URL(store.address, location.href).href,
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
