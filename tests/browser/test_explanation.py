"""The section "How it works": encoder, latent space, hands, morphs and the article's model."""

import io
import re

import numpy as np
from PIL import Image
from playwright.sync_api import Page, expect

from app.site.latent import read_digits
from model.checkpoint import PRETRAINED, read_checkpoint
from model.generator import open_generator
from tests.browser.picture import data_url, downloaded, link_parameters, open_picture
from tests.conftest import ROOT

ENCODE = """async ([levels, label]) => {
    const { RoundedNetwork } = await import("./page/rounded-network.js");
    const { oneHot } = await import("./page/digit-grid.js");
    const encoder = await RoundedNetwork.open(document.querySelector("link#encoder").href);
    const pixels = Float32Array.from(levels, (level) => level / 255);
    const { mean, deviation } = encoder.encode(pixels, oneHot(label, 10));
    return [Array.from(mean), Array.from(deviation)];
}"""
MAX_ENCODER_DIFFERENCE = 0.12  # of a mean, from that of float weights: 0.07 on average
TERMS = re.compile(r"Reconstruction ([0-9.]+) nats \+ KL ([0-9.]+) nats = ([0-9.]+) nats")


def open_part(page: Page, address: str, selector: str) -> None:
    """Open the page and wait until one of its parts is complete."""
    open_picture(page, f"{address}/?digits=2018&seed=14")
    page.locator(selector).scroll_into_view_if_needed()
    expect(page.locator(selector)).to_have_attribute("data-state", "ready")


def test_encoder_finds_what_the_encoder_of_the_service_finds(page: Page, address: str) -> None:
    page.goto(address)
    pictures, labels = read_digits()
    generator = open_generator(read_checkpoint(PRETRAINED))
    one_hot = generator.one_hot(labels[:8].astype(np.intp))
    expected = generator.style(pictures[:8] * np.float32(1 / 255), one_hot)
    found = [
        page.evaluate(ENCODE, [picture.ravel().tolist(), int(label)])
        for picture, label in zip(pictures[:8], labels[:8], strict=True)
    ]
    means, deviations = np.array(found).swapaxes(0, 1)
    assert abs(means - expected).mean() < MAX_ENCODER_DIFFERENCE
    assert (deviations > 0).all()
    assert deviations.mean() < 1  # narrower than the prior


def test_real_digit_is_encoded_and_drawn_again_with_its_loss(page: Page, address: str) -> None:
    open_part(page, address, "#encode")
    terms, redrawn = page.locator("#encode-terms"), data_url(page, "#encode-redrawn")
    found = TERMS.search(terms.inner_text())
    assert found is not None
    reconstruction, kl, total = map(float, found.groups())
    assert abs(reconstruction + kl - total) < 0.2
    page.get_by_role("button", name="Another sample").click()
    expect(terms).not_to_contain_text(f"Reconstruction {reconstruction} ")
    assert data_url(page, "#encode-redrawn") != redrawn
    expect(terms).to_contain_text(f"KL {kl} nats")  # the distribution is the same
    page.get_by_role("button", name="Encode a real 7").first.click()
    expect(page.get_by_role("img", name="The 7, drawn by the decoder")).to_be_visible()
    page.locator("#photo").set_input_files(ROOT / "docs" / "seven.png")
    expect(page.locator("#own-digit-status")).to_contain_text("Recognised as 7.")
    expect(terms).not_to_contain_text(f"KL {kl} nats")


def test_map_decodes_where_the_arrow_keys_lead(page: Page, address: str) -> None:
    open_part(page, address, "#latent-space")
    expect(page.locator("#latent-key li")).to_have_count(10)
    surface, drawn = page.get_by_role("slider", name="Map"), data_url(page, "#latent-digit")
    surface.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#latent-text")).to_contain_text("slant 0.8")  # that of the last press
    assert data_url(page, "#latent-digit") != drawn
    surface.hover(position={"x": 20, "y": 20})
    expect(page.locator("#latent-text")).to_contain_text("slant -")


def test_drag_on_the_map_walks_from_one_digit_to_another(page: Page, address: str) -> None:
    open_part(page, address, "#latent-space")
    surface, text = page.get_by_role("slider", name="Map"), page.locator("#latent-text")
    box = surface.bounding_box()
    assert box is not None
    surface.hover(position={"x": 0.3 * box["width"], "y": 0.5 * box["height"]})
    page.mouse.down()
    surface.hover(position={"x": 0.7 * box["width"], "y": 0.6 * box["height"]})
    end = data_url(page, "#latent-digit")
    page.mouse.up()
    expect(text).to_have_text(re.compile(r"^from \d to \d$"))
    assert data_url(page, "#latent-digit") != end
    expect(surface).to_have_attribute("aria-valuenow", re.compile("^0.[5-9]"))  # arrived
    surface.press("ArrowLeft")
    expect(text).to_contain_text("slant 0.")


def test_numbers_of_the_model_are_explained(page: Page, address: str) -> None:
    open_picture(page, address)
    rows = page.locator("#quality tbody th")
    expect(rows.first).to_contain_text("The judge is a classifier")
    expect(rows.locator("small")).to_have_count(rows.count())


def test_both_models_draw_the_same_labels(page: Page, address: str) -> None:
    open_part(page, address, "#article-comparison")
    first = [data_url(page, name) for name in ("#by-article", "#by-model")]
    assert first[0] != first[1]
    page.get_by_role("button", name="Other seeds").click()
    changed = "first => document.querySelector('#by-model').toDataURL() !== first"
    page.wait_for_function(changed, arg=first[1])
    page.locator("#compared").select_option("number")
    width = "canvas => canvas.width"
    for name in ("#by-article", "#by-model"):
        page.wait_for_function(
            "name => document.querySelector(name).width === 4 * 28 * 3", arg=name
        )
    page.locator("#digits").fill("77")
    page.wait_for_function("() => document.querySelector('#by-model').width === 2 * 28 * 3")
    assert page.locator("#by-article").evaluate(width) == 2 * 28 * 3


def test_animation_is_downloaded_in_the_chosen_format(page: Page, address: str) -> None:
    open_part(page, address, "#morph")
    page.get_by_label("From").fill("20")
    page.get_by_label("to", exact=True).fill("3")
    expect(page.locator("#morph-status")).to_contain_text("the same number of digits")
    page.get_by_label("From").fill("2.0")
    page.get_by_label("to", exact=True).fill("3.9")
    expect(page.get_by_role("img", name="2.0 becomes 3.9")).to_be_visible()
    page.get_by_label("Format").select_option("webp")
    animation = Image.open(io.BytesIO(downloaded(page, "Download the animation")))
    assert (animation.format, getattr(animation, "n_frames", 1)) == ("WEBP", 24)
    assert animation.width == animation.height * 3


def test_arrow_keys_change_a_noise_bar_and_the_number_can_use_it(page: Page, address: str) -> None:
    open_picture(page, f"{address}/?digits=2018&seed=14")
    bars = page.get_by_role("slider", name="Noise")
    bars.focus()
    expect(page.locator("#network-summary")).to_contain_text("pixels")
    before = bars.get_attribute("aria-valuetext")
    page.keyboard.press("ArrowUp")
    expect(bars).not_to_have_attribute("aria-valuetext", str(before))
    page.keyboard.press("ArrowRight")
    expect(bars).to_have_attribute("aria-valuetext", re.compile("^number 2 of"))
    page.get_by_role("button", name="Use it in my number").click()
    assert link_parameters(page)["style"]
