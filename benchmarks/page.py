"""`make pagebench`: what the page costs its visitor, in a real Chromium on this machine.

Prints bytes sent, the time from the navigation to the first number standing (each visit with an
empty cache), from a key to the picture, of a digit in the browser's kernel, and how far the
browser's pictures are from the service's.
"""

import json
import os
import shutil
import statistics
from typing import Any

from playwright.sync_api import Browser, Response, sync_playwright

from docs.pictures import service

VISITS = 9
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
KERNEL = """async () => {
    const [{ Artist }, { latent }, { oneHot, sceneOf }, { DEFAULTS }] = await Promise.all(
        ["artist", "noise", "scene", "order"].map((name) => import(`./page/${name}.js`)));
    const card = await (await fetch("model")).json();
    const { latent: size, classes } = card.architecture;
    const artist = await Artist.open(document.querySelector("#weights").href);
    const cells = Array.from({ length: 500 }, (_, seed) => ({
        noise: latent(seed, 0, 0, size), label: oneHot(seed % classes, classes), presence: 1 }));
    await artist.draw({ rows: 1, count: 500, cells });
    await artist.draw({ rows: 1, count: 500, cells });
    const digit = artist.spent;
    const facts = { model: card.model, latent: size, classes };
    const order = { ...DEFAULTS, digits: "0123456789".repeat(6), rows: 16, seed: 1 };
    const levels = await artist.draw(sceneOf(order, facts));
    return { digit, levels: Array.from(levels) };
}"""
TYPE = """async (digits) => {
    const [field, sheet] = [document.querySelector("#digits"), document.querySelector("#sheet")];
    const start = performance.now();
    const stands = new Promise((done) => {
        new MutationObserver(() => sheet.dataset.state === "still" && done())
            .observe(sheet, { attributes: true });
    });
    field.value = digits;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await stands;
    return performance.now() - start;
}"""
QUERY = f"digits={'0123456789' * 6}&rows=16&seed=1&format=npy"


def main() -> None:
    """Measure and print."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with service() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        visits = [visit(browser, address) for _ in range(VISITS)]
        figures = {
            "page_bytes": visits[0]["bytes"],
            "first_number_ms": statistics.median(visit["first_number_ms"] for visit in visits),
            "first_number_worst_ms": max(visit["first_number_ms"] for visit in visits),
            "key_to_picture_ms": typing(browser, address),
            **kernel(browser, address),
        }
        browser.close()
    print(json.dumps(figures, indent=2))  # noqa: T201 - this is a command


def visit(browser: Browser, address: str) -> dict[str, float]:
    """Open the page as somebody who never saw it."""
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    sent: list[Response] = []
    page.on("response", lambda response: sent.append(response))
    page.goto(address)
    page.locator("#sheet[data-state=still]").wait_for()
    page.wait_for_load_state("networkidle")
    first = page.evaluate("performance.getEntriesByName('first-digit')[0].startTime")
    size = sum(response.request.sizes()["responseBodySize"] for response in sent)
    context.close()
    return {"first_number_ms": first, "bytes": size}


def typing(browser: Browser, address: str) -> float:
    """The median time from a key to the whole picture of 8 digits, without gliding."""
    page = browser.new_page(reduced_motion="reduce")
    page.goto(address)
    page.locator("#sheet[data-state=still]").wait_for()
    times = [page.evaluate(TYPE, f"3141592{last % 10}") for last in range(20)]
    page.close()
    return float(statistics.median(times))


def kernel(browser: Browser, address: str) -> dict[str, float]:
    """The time of a digit, and its distance from the service's, over 960 digits."""
    page = browser.new_page()
    page.goto(address)
    found: dict[str, Any] = page.evaluate(KERNEL)
    distances = page.evaluate(
        """async ([query, levels]) => {
            const file = await (await fetch(`generate?${query}`)).arrayBuffer();
            const sheet = new Uint8Array(file, 10 + new DataView(file).getUint16(8, true));
            const width = 28 * 60;
            const off = levels.map((level, at) => {
                const cell = Math.floor(at / 784);
                const x = 28 * (cell % 60) + (at % 28);
                const y = 28 * Math.floor(cell / 60) + (Math.floor(at / 28) % 28);
                return Math.abs(level - sheet[y * width + x]);
            });
            const most = off.reduce((a, b) => Math.max(a, b));
            return [most, off.reduce((a, b) => a + b) / off.length];
        }""",
        [QUERY, found["levels"]],
    )
    return {
        "digit_ms": found["digit"],
        "largest_difference_from_service_grey_levels": distances[0],
        "mean_difference_from_service_grey_levels": distances[1],
    }


if __name__ == "__main__":
    main()
