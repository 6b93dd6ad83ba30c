"""`make pagebench`: measures the page in a real Chromium.

Prints the bytes sent at first and when everything has been in view and used, the time from the
navigation to the first number (with an empty cache), from a key to the picture, and of a digit in
the decoder of the browser, and how far the pictures of the browser are from those of the service.
The aims: 1.5 MB in all, 1 s to the first number, 50 ms from a key to the picture.
"""

import json
import os
import shutil
import statistics
from typing import Any

from playwright.sync_api import Browser, Response, sync_playwright

from harness.launcher import running

VISITS = 9
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
READY = "#picture[data-state=ready]"
PARTS = ("#encode", "#latent-space", "#article-comparison")  # load more when they come into view
OPEN_READER = """async () => {
    const { LocalReader } = await import("./page/local-reader.js");
    await new LocalReader(null, null, null).load(document.querySelector("#reader").href);
}"""  # which a page with a service loads only when it loses its connection
DECODE = """async () => {
    const [{ DecoderClient }, { digitNoise }, { oneHot, gridOf }, { DEFAULTS }] = await Promise.all(
        ["decoder-client", "noise", "digit-grid", "query"].map(
            (name) => import(`./page/${name}.js`)));
    const card = await (await fetch("model")).json();
    const { latent: latentSize, classes } = card.architecture;
    const decoder = await DecoderClient.open(document.querySelector("#weights").href);
    const cells = Array.from({ length: 500 }, (_, seed) => ({
        noise: digitNoise(seed, 0, 0, latentSize), label: oneHot(seed % classes, classes) }));
    await decoder.draw({ rows: 1, count: 500, cells });
    await decoder.draw({ rows: 1, count: 500, cells });
    const digit = decoder.msPerDigit;
    const query = { ...DEFAULTS, digits: "0123456789".repeat(6), rows: 16, seed: 1 };
    const levels = await decoder.draw(gridOf(query, { hash: card.model, latentSize, classes }));
    return { digit, levels: Array.from(levels) };
}"""
TYPE = """async (digits) => {
    const [field, canvas] = ["#digits", "#picture"].map((id) => document.querySelector(id));
    const start = performance.now();
    const ready = new Promise((done) => {
        new MutationObserver(() => canvas.dataset.state === "ready" && done())
            .observe(canvas, { attributes: true });
    });
    field.value = digits;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await ready;
    return performance.now() - start;
}"""
DISTANCE = """async ([query, levels]) => {
    const file = await (await fetch(`generate?${query}`)).arrayBuffer();
    const sheet = new Uint8Array(file, 10 + new DataView(file).getUint16(8, true));
    const width = 28 * 60;
    const off = levels.map((level, at) => {
        const cell = Math.floor(at / 784);
        const x = 28 * (cell % 60) + (at % 28);
        const y = 28 * Math.floor(cell / 60) + (Math.floor(at / 28) % 28);
        return Math.abs(level - sheet[y * width + x]);
    });
    return [off.reduce((a, b) => Math.max(a, b)), off.reduce((a, b) => a + b) / off.length];
}"""
QUERY = f"digits={'0123456789' * 6}&rows=16&seed=1&format=npy"


def main() -> None:
    """Measure and print."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with running() as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        visits = [visit(browser, service.address) for _ in range(VISITS)]
        figures = {
            "first_view_bytes": visits[0]["first_view_bytes"],
            "page_bytes": visits[0]["bytes"],
            "first_number_ms": statistics.median(visit["first_number_ms"] for visit in visits),
            "first_number_worst_ms": max(visit["first_number_ms"] for visit in visits),
            **typing(browser, service.address),
            **decoding(browser, service.address),
        }
        browser.close()
    print(json.dumps(figures, indent=2))  # noqa: T201 - this is a command


def visit(browser: Browser, address: str) -> dict[str, float]:
    """Time to the first number and bytes sent when the page is opened for the first time."""
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    sent: list[Response] = []
    page.on("response", lambda response: sent.append(response))  # noqa: PLW0108 - takes no builtin
    page.goto(address)
    page.locator(READY).wait_for()
    page.wait_for_load_state("networkidle")
    first = page.evaluate("performance.getEntriesByName('first-digit')[0].startTime")
    at_first = body_bytes(sent)
    for part in PARTS:
        page.locator(part).scroll_into_view_if_needed()
        page.locator(f"{part}[data-state=ready]").wait_for()
    page.evaluate(OPEN_READER)
    page.wait_for_load_state("networkidle")
    size = body_bytes(sent)
    context.close()
    return {"first_number_ms": first, "first_view_bytes": at_first, "bytes": size}


def body_bytes(responses: list[Response]) -> int:
    """The bytes of all bodies, as they were sent."""
    return sum(response.request.sizes()["responseBodySize"] for response in responses)


def typing(browser: Browser, address: str) -> dict[str, float]:
    """Milliseconds from a key to the finished picture of 8 digits, without animation."""
    page = browser.new_page(reduced_motion="reduce")
    page.goto(address)
    page.locator(READY).wait_for()
    times = [page.evaluate(TYPE, f"3141592{last % 10}") for last in range(20)]
    page.close()
    return {"key_to_picture_ms": statistics.median(times), "key_to_picture_worst_ms": max(times)}


def decoding(browser: Browser, address: str) -> dict[str, float]:
    """Milliseconds per digit, and the distance from the service's pictures over 960 digits."""
    page = browser.new_page()
    page.goto(address)
    found: dict[str, Any] = page.evaluate(DECODE)
    largest, mean = page.evaluate(DISTANCE, [QUERY, found["levels"]])
    page.close()
    return {
        "digit_ms": found["digit"],
        "largest_difference_from_service_grey_levels": largest,
        "mean_difference_from_service_grey_levels": mean,
    }


if __name__ == "__main__":
    main()
