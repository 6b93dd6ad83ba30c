"""The browser draws what the service draws."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from playwright.sync_api import Page, Request, expect

from model.checkpoint import PAYLOAD, PRETRAINED, read_checkpoint, write_checkpoint
from model.noise import hand, line_noise
from tests.browser.conftest import OpenPage, Serve
from tests.browser.sheet import opened, picture, stands

DRAW = """async (query) => {
    const [{ Artist }, { DEFAULTS, readOrder }, { sceneOf }, { stitch }] = await Promise.all(
        ["artist", "order", "scene", "sheet"].map((name) => import(`./page/${name}.js`)));
    const card = await (await fetch("model")).json();
    const { latent, classes } = card.architecture;
    window.artist ??= await Artist.open(document.querySelector("#weights").href);
    const { order } = readOrder(query, DEFAULTS);
    const scene = sceneOf(order, { model: card.model, latent, classes });
    const pictures = await window.artist.draw(scene);
    const { width, height, levels } =
        stitch(pictures, scene.rows, scene.count, order.spacing, order.gap);
    return { width, height, levels: Array.from(levels) };
}"""
NOISE = """async ([seed, row, position, size]) => {
    const { hand, latent } = await import("./page/noise.js");
    return [Array.from(latent(seed, row, position, size)), Array.from(hand(seed, row, size))];
}"""
# Integer products are exact; the first layer and the sigmoid may differ in their last bits, which
# now and then rounds an activation or a pixel the other way.
MAX_DIFFERENCE = 3  # grey levels of 255
MEAN_DIFFERENCE = 0.01


def served_sheet(address: str, query: str) -> np.ndarray:
    with urlopen(f"{address}/generate?{query}&format=npy") as answer:
        sheet: np.ndarray = np.load(io.BytesIO(answer.read())).astype(int)
    return sheet


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
    ],
)
def test_browser_draws_what_the_service_draws(page: Page, address: str, query: str) -> None:
    page.goto(address)
    found = page.evaluate(DRAW, query)
    expected = served_sheet(address, query)
    drawn = np.array(found["levels"]).reshape(found["height"], found["width"])
    assert drawn.shape == expected.shape
    difference = abs(drawn - expected)
    assert difference.max() <= MAX_DIFFERENCE
    assert difference.mean() <= MEAN_DIFFERENCE


def test_browser_draws_a_style_as_the_service_does(page: Page, address: str) -> None:
    page.goto(address)
    style = page.evaluate(
        """async (size) => {
            const { encodeStyle } = await import("./page/style.js");
            const { model } = await (await fetch("model")).json();
            return encodeStyle(Float32Array.from({ length: size }, (_, z) => z / 9 - 1), model);
        }""",
        read_checkpoint(PRETRAINED).config.latent,
    )
    query = f"digits=2018&seed=2&style={style}"
    found = page.evaluate(DRAW, query)
    expected = served_sheet(address, query)
    assert abs(np.array(found["levels"]) - expected.ravel()).max() <= MAX_DIFFERENCE


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_browser_has_the_noise_of_the_rule(page: Page, address: str, seed: int) -> None:
    page.goto(address)
    for row, position, size in ((0, 0, 24), (15, 63, 3), (2, 5, 256)):
        own, shared = page.evaluate(NOISE, [seed, row, position, size])
        expected = line_noise(seed, row, position + 1, size)[position]
        np.testing.assert_allclose(own, expected, rtol=2e-7, atol=1e-9)
        np.testing.assert_allclose(shared, hand(seed, row, size), rtol=2e-7, atol=1e-9)


def test_switch_lets_the_service_draw_the_same(page: Page, address: str) -> None:
    opened(page, f"{address}/?digits=2018&seed=14")
    asked: list[str] = []

    def watch(request: Request) -> None:
        if "/generate?" in request.url:
            asked.append(request.url)

    page.on("request", watch)
    own = picture(page)
    switch = page.get_by_role("switch", name="Draw in the browser")
    expect(switch).to_be_checked()
    switch.uncheck()
    expect(page.locator("#cost")).to_contain_text("by the service")
    assert len(asked) == 1
    sheets = page.evaluate(
        """async (addresses) => Promise.all(addresses.map(async (address) => {
            const image = new Image();
            image.src = address;
            await image.decode();
            const canvas = new OffscreenCanvas(image.width, image.height);
            const pen = canvas.getContext("2d");
            pen.drawImage(image, 0, 0);
            return Array.from(pen.getImageData(0, 0, image.width, image.height).data);
        }))""",
        [own, picture(page)],
    )
    difference = abs(np.array(sheets[0]) - np.array(sheets[1]))
    assert (
        difference.mean() < 0.1
    )  # strokes: edges are steep, so a level's tenth is a pixel's shade
    page.locator("#digits").fill("5")
    stands(page, "5")
    assert len(asked) == 2
    page.reload()
    stands(page)
    expect(switch).not_to_be_checked()


@pytest.fixture(scope="module")
def without_rounding(tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[str]:
    """A service whose checkpoint has no rounded decoder."""
    old = read_checkpoint(PRETRAINED)
    files = {name: (PRETRAINED / name).read_bytes() for name in PAYLOAD}
    folder: Path = tmp_path_factory.mktemp("old") / "checkpoint"
    write_checkpoint(folder, old.config, old.manifest.provenance, files, lambda _: None)
    with serve(CVAE_CHECKPOINT=str(folder), CVAE_PRECISION="float") as address:
        yield address
    shutil.rmtree(folder)


def test_without_rounded_weights_the_service_draws(
    open_page: OpenPage, without_rounding: str
) -> None:
    with open_page(without_rounding) as page:
        opened(page, f"{without_rounding}/?digits=2018&seed=14")
        expect(page.locator("#cost")).to_contain_text("by the service")
        switch = page.get_by_role("switch", name="Draw in the browser")
        expect(switch).to_be_disabled()
        expect(switch).not_to_be_checked()
        page.locator("#digits").fill("77")
        stands(page, "77")
        expect(page.get_by_role("button", name="77, seed 14, again").locator("img")).to_be_visible()
        expect(page.locator("#pad-help")).to_contain_text("needs the browser's own drawing")


def test_style_of_another_model_is_said_in_words(page: Page, address: str) -> None:
    page.goto(f"{address}/?digits=2018&seed=1&style=AAAA")
    expect(page.get_by_role("alert")).to_have_text("The style in this link is of another model.")


def test_card_and_weights_come_before_they_are_asked_for(page: Page, address: str) -> None:
    """Both are fetched once, although a script asks for them again after they were preloaded."""
    asked: list[str] = []

    def watch(request: Request) -> None:
        if request.service_worker is None:
            asked.append(request.url.removeprefix(f"{address}/"))

    page.on("request", watch)
    opened(page, address)
    assert asked.count("model") == 1, json.dumps(asked)
    assert len([name for name in asked if name.startswith("page/decoder-")]) == 1
