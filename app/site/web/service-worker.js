// Keeps the page's own files, so that it opens and draws without a connection after one visit.

/** @type {string} */
const VERSION = "{{version}}";
/** @type {string[]} relative to this file; "./" is the page itself */
const FILES = JSON.parse(`{{files}}`);

const scope = new URL("./", location.href);
const addresses = new Set(FILES.map((file) => new URL(file, scope).href));

/** @typedef {{waitUntil: (work: Promise<unknown>) => void}} Event_ */
/** @typedef {Event_ & {request: Request, respondWith: (answer: Promise<Response>) => void}} Fetch_ */
const worker = /** @type {any} */ (self);

worker.addEventListener("install", (/** @type {Event_} */ event) => {
  const keep = async () => {
    const cache = await caches.open(VERSION);
    await cache.addAll(FILES);
    await worker.skipWaiting();
  };
  event.waitUntil(keep());
});

worker.addEventListener("activate", (/** @type {Event_} */ event) => {
  const tidy = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("cvae-digits-") && name !== VERSION);
    await Promise.all(old.map((name) => caches.delete(name)));
    await worker.clients.claim();
  };
  event.waitUntil(tidy());
});

worker.addEventListener("fetch", (/** @type {Fetch_} */ event) => {
  const address = new URL(event.request.url);
  address.hash = "";
  if (event.request.mode === "navigate") address.search = ""; // the order is the page's own affair
  if (event.request.method !== "GET" || !addresses.has(address.href)) return;
  const answer = async () => {
    const cache = await caches.open(VERSION);
    return (await cache.match(address.href)) ?? fetch(event.request);
  };
  event.respondWith(answer());
});
