"""A photo of a digit: made small, cropped and turned by hand, read, and what cannot be opened."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.site.latent import read_digits
from tests.browser.conftest import OpenPage
from tests.browser.picture import link_parameters, open_picture
from tests.browser.test_handwriting import drag

UPRIGHT_AFTER_A_QUARTER = 6  # EXIF: to be turned by 90 degrees to the right
# Where the picture of the number, which stays at the top of the window, does not cover it.
TO_THE_MIDDLE = "element => element.scrollIntoView({ block: 'center', behavior: 'instant' })"
NATURAL_SIZE = "image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])"


def digit(label: int, which: int = 0) -> Image.Image:
    """A real test digit, ink 255."""
    pictures, labels = read_digits()
    return Image.fromarray(pictures[np.flatnonzero(labels == label)[which]])


def sheet(labels: list[int], width: int, height: int, side: int) -> Image.Image:
    """Digits in dark ink, in equal parts of a sheet of paper."""
    paper = Image.new("RGB", (width, height), (236, 230, 214))
    for place, label in enumerate(labels):
        ink = digit(label).resize((side, side), Image.Resampling.BICUBIC)
        left = round((place + 0.5) * width / len(labels) - side / 2)
        paper.paste((30, 34, 60), (left, (height - side) // 2), ink)
    return paper


def ruled(paper: Image.Image) -> Image.Image:
    """The same sheet with blue lines, which cross what is written."""
    for row in range(40, paper.height, 90):
        paper.paste((140, 170, 215), (0, row, paper.width, row + 5))
    return paper


def jpeg(picture: Image.Image, orientation: int | None = None) -> dict[str, object]:
    """The file of a phone."""
    exif, file = Image.Exif(), io.BytesIO()
    if orientation is not None:
        exif[0x0112] = orientation
    picture.save(file, "JPEG", quality=88, exif=exif)
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def choose(page: Page, file: dict[str, object]) -> None:
    """Choose a file as the photo."""
    page.locator("#photo").set_input_files(files=file)  # type: ignore[arg-type]


def sent_size(page: Page) -> list[int]:
    """Width and height of the picture that was sent."""
    size: list[int] = page.locator("#reading-original").evaluate(NATURAL_SIZE)
    return size


def test_large_photo_is_sent_upright_and_small_and_shown_with_what_was_seen(
    page: Page, address: str
) -> None:
    open_picture(page, address)
    # 12 megapixels, stored lying on the side as phones do it
    photo = sheet([7], 3000, 4000, 900).transpose(Image.Transpose.ROTATE_90)
    choose(page, jpeg(photo, UPRIGHT_AFTER_A_QUARTER))
    expect(page.locator("#own-digit-status")).to_contain_text("Recognised as 7. Confidence")
    assert sent_size(page) == [1200, 1600]
    expect(page.get_by_role("img", name="The 7, cut out")).to_be_visible()
    expect(page.get_by_role("img", name="The 7, drawn by the decoder").first).to_be_visible()
    assert link_parameters(page)["style"]
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator("#photo-picture")).to_be_hidden()
    expect(page.locator("#digit-pad")).to_be_visible()


def test_crop_by_hand_chooses_one_of_two_digits(open_page: OpenPage, address: str) -> None:
    with open_page(address, expected="422") as page:
        open_picture(page, address)
        choose(page, jpeg(sheet([7, 2], 900, 500, 300)))
        status = page.locator("#own-digit-status")
        seen = "The picture shows 2 digits, read as 7 and 2"
        expect(status).to_have_text(
            f"{seen}; frame one of them, or choose that it shows a line of digits."
        )
        expect(status).to_have_class("error")
        page.locator("#photo-picture").evaluate(TO_THE_MIDDLE)
        drag(page, "#photo-picture", (0.1, 0.18), (0.5, 0.9))
        expect(status).to_contain_text("Recognised as 7.")
        width, height = sent_size(page)
        assert max(abs(width - 0.4 * 900), abs(height - 0.72 * 500)) < 10  # pixels
        frame = page.get_by_role("application", name="Your photo, cropped to 40")
        frame.focus()
        for _ in range(21):  # steps of 2 %
            page.keyboard.press("ArrowRight")
        expect(status).to_contain_text("Recognised as 2.")


def test_photo_is_turned_by_hand(page: Page, address: str) -> None:
    open_picture(page, address)
    choose(page, jpeg(sheet([2], 700, 500, 300).transpose(Image.Transpose.ROTATE_90)))
    page.get_by_role("button", name="Rotate by 90°").click()
    expect(page.locator("#photo-angle-value")).to_have_text("90°")
    expect(page.locator("#own-digit-status")).to_contain_text("Recognised as 2.")
    assert sent_size(page) == [700, 500]
    page.get_by_label("Rotation").press("ArrowRight")
    expect(page.locator("#photo-angle-value")).to_have_text("91°")
    expect(page.locator("#own-digit-status")).to_contain_text("Recognised as 2.")


def test_line_of_digits_shows_each_of_them(open_page: OpenPage, address: str) -> None:
    with open_page(address, expected="422") as page:
        open_picture(page, address)
        page.get_by_label("It shows").evaluate("choice => choice.value = 'line'")
        choose(page, jpeg(sheet([7, 2, 0], 1200, 400, 260)))
        expect(page.locator("#own-digit-status")).to_contain_text("Recognised as 720.")
        expect(page.locator("#seen li")).to_have_count(3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x00\x00\x00\x18ftypheic" + bytes(40), "This browser cannot open HEIC photos."),
        (b"not an image", "photo.heic is not a picture that this browser can open."),
    ],
    ids=["heic", "text"],
)
def test_file_that_the_browser_cannot_open_is_explained(
    page: Page, address: str, content: bytes, sentence: str
) -> None:
    open_picture(page, address)
    choose(page, {"name": "photo.heic", "mimeType": "image/heic", "buffer": content})
    expect(page.locator("#own-digit-status")).to_contain_text(sentence)
    expect(page.locator("#digit-pad")).to_be_visible()
