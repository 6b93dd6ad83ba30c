// Caches the page's files, so that after one visit the page opens and draws offline.

/** @type {string} */
const VERSION = "{{version}}";
/** @type {string[]} paths relative to this file; "./" is index.html */
const FILES = JSON.parse(`{{files}}`);

const addresses = new Set(FILES.map((file) => new URL(file, location.href).href));

/** @typedef {{waitUntil: (work: Promise<unknown>) => void}} LifecycleEvent */
/** @typedef {{request: Request, respondWith: (response: Promise<Response>) => void}} FetchEvent */
const worker = /** @type {any} */ (self);

worker.addEventListener("install", (/** @type {LifecycleEvent} */ event) => {
  const cacheAll = async () => {
    const cache = await caches.open(VERSION);
    // From the network: the HTTP cache may hold files of an older version.
    await cache.addAll(FILES.map((file) => new Request(file, { cache: "reload" })));
    await worker.skipWaiting();
  };
  event.waitUntil(cacheAll());
});

worker.addEventListener("activate", (/** @type {LifecycleEvent} */ event) => {
  const deleteOld = async () => {
    const old = (await caches.keys()).filter((name) => name.startsWith("cvae-digits-") && name !== VERSION);
    await Promise.all(old.map((name) => caches.delete(name)));
    await worker.clients.claim();
  };
  event.waitUntil(deleteOld());
});

worker.addEventListener("fetch", (/** @type {FetchEvent} */ event) => {
  const address = new URL(event.request.url);
  address.hash = "";
  if (event.request.mode === "navigate") address.search = ""; // only the page reads it
  if (event.request.method !== "GET" || !addresses.has(address.href)) return;
  const respond = async () => {
    const cache = await caches.open(VERSION);
    return (await cache.match(address.href)) ?? fetch(event.request);
  };
  event.respondWith(respond());
});
