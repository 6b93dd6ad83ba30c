"""The browser draws what the service draws."""

import io
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from harness.launcher import running
from model.checkpoint import PAYLOAD, PRETRAINED, read_checkpoint, write_checkpoint
from model.noise import hand, line_noise
from tests.browser.conftest import OpenPage
from tests.browser.picture import (
    STYLE,
    differences,
    fetched,
    open_picture,
    picture,
    wait_for_picture,
)

DRAW = """async (search) => {
    const { DecoderClient } = await import("./page/decoder-client.js");
    const { DEFAULTS, readQuery } = await import("./page/query.js");
    const { gridOf } = await import("./page/digit-grid.js");
    const { sheetOf } = await import("./page/marks.js");
    const card = await (await fetch("model")).json();
    const { latent, classes } = card.architecture;
    const decoder = await DecoderClient.open(document.querySelector("#weights").href);
    const { query } = readQuery(search, DEFAULTS);
    const grid = gridOf(query, { hash: card.model, latentSize: latent, classes });
    const pictures = await decoder.draw(grid);
    const { width, height, levels } = sheetOf(pictures, grid, query);
    return { width, height, levels: Array.from(levels) };
}"""
NOISE = """async ([seed, row, position, size]) => {
    const { digitNoise, hand } = await import("./page/noise.js");
    return [Array.from(digitNoise(seed, row, position, size)), Array.from(hand(seed, row, size))];
}"""
# Integer products are exact, but the first layer and the sigmoid may differ in their last bits,
# which rounds a pixel the other way, or, in a digit of some hundreds, an activation. That moves the
# edges of the digit by up to 18 levels. All other pixels are within one level.
MAX_DIFFERENCE = 24  # grey levels of 255
MAX_SHARE = 0.0003  # of the pixels differ by more than one level: one such digit of some hundreds
MAX_MEAN_DIFFERENCE = 0.01  # grey levels of 255


@pytest.mark.parametrize(
    "query",
    [
        "digits=0123456789012345678901234567890123456789&seed=1&rows=8",
        "digits=2018&seed=14",
        "digits=2018&seed=4294967295&rows=3&variation=0.2&temperature=1.5",
        "digits=31415926&seed=5&spacing=tight&gap=-3&rows=2",
        "digits=777&seed=6&gap=-12&variation=0",
        "digits=777&seed=6&gap=28&temperature=0",
        "digits=1111&seed=8&spacing=tight&gap=-12",
        "digits=2018&seed=2&style={style}",
        "text=3.14&seed=14",
        "text=-12:30&seed=14&rows=3&spacing=tight&gap=2",
        "text=1,000/2%203&seed=14&spacing=tight&variation=0",
    ],
)
def test_browser_draws_what_the_service_draws(page: Page, address: str, query: str) -> None:
    page.goto(address)
    style = page.evaluate(STYLE, read_checkpoint(PRETRAINED).config.latent)
    query = query.format(style=style)
    drawn = page.evaluate(DRAW, query)
    levels = np.array(drawn["levels"]).reshape(drawn["height"], drawn["width"])
    expected = np.load(io.BytesIO(fetched(f"{address}/generate?{query}&format=npy"))).astype(int)
    assert levels.shape == expected.shape
    difference = abs(levels - expected)
    assert difference.max() <= MAX_DIFFERENCE
    assert (difference > 1).mean() <= MAX_SHARE
    assert difference.mean() <= MAX_MEAN_DIFFERENCE


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_browser_makes_the_same_noise_as_the_model(page: Page, address: str, seed: int) -> None:
    page.goto(address)
    for row, position, size in ((0, 0, 24), (15, 63, 3), (2, 5, 256)):
        own, shared = page.evaluate(NOISE, [seed, row, position, size])
        expected = line_noise(seed, row, position + 1, size)[position]
        np.testing.assert_allclose(own, expected, rtol=2e-7, atol=1e-9)
        np.testing.assert_allclose(shared, hand(seed, row, size), rtol=2e-7, atol=1e-9)


def test_switch_makes_the_service_draw_the_same_picture(page: Page, address: str) -> None:
    open_picture(page, f"{address}/?digits=2018&seed=14")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    by_browser = picture(page)
    switch = page.get_by_role("switch", name="Draw in the browser")
    expect(switch).to_be_checked()
    switch.uncheck()
    expect(page.locator("#draw-time")).to_contain_text("by the service")
    assert sum("/generate?" in url for url in requests) == 1
    # Edges of strokes are steep: a tenth of a level can change the shade of a pixel.
    assert differences(by_browser, picture(page)).mean() < 0.1
    page.locator("#digits").fill("5")
    wait_for_picture(page, "5")
    assert sum("/generate?" in url for url in requests) == 2
    page.reload()
    wait_for_picture(page)
    expect(switch).not_to_be_checked()


def test_service_draws_if_the_checkpoint_has_no_rounded_weights(
    open_page: OpenPage, tmp_path: Path
) -> None:
    complete = read_checkpoint(PRETRAINED)
    files = {name: (PRETRAINED / name).read_bytes() for name in PAYLOAD}
    folder = tmp_path / "checkpoint"
    write_checkpoint(folder, complete.config, complete.manifest.provenance, files, lambda _: None)
    with (
        running(CVAE_CHECKPOINT=str(folder), CVAE_PRECISION="float") as service,
        open_page(service.address) as page,
    ):
        open_picture(page, f"{service.address}/?digits=2018&seed=14")
        expect(page.locator("#draw-time")).to_contain_text("by the service")
        switch = page.get_by_role("switch", name="Draw in the browser")
        expect(switch).to_be_disabled()
        expect(switch).not_to_be_checked()
        page.locator("#digits").fill("77")
        wait_for_picture(page, "77")
        entry = page.get_by_role("button", name="Draw 77 with seed 14 again")
        expect(entry.locator("img")).to_be_visible()
        expect(page.locator("#style-pad-help")).to_contain_text("Not available")


def test_style_of_another_model_is_an_error(page: Page, address: str) -> None:
    page.goto(f"{address}/?digits=2018&seed=1&style=AAAA")
    error = "The style in this link belongs to a different model."
    expect(page.get_by_role("alert")).to_have_text(error)


def test_preloaded_card_and_weights_are_fetched_once(open_page: OpenPage, address: str) -> None:
    requests: list[str] = []
    with open_page(address, service_workers="block") as page:
        page.on("request", lambda request: requests.append(request.url))
        open_picture(page, address)
    assert requests.count(f"{address}/model") == 1, requests
    assert sum(url.endswith(".safetensors") for url in requests) == 1
