"""The page of a model that writes letters."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from harness.launcher import running
from tests import small_models as models
from tests.browser.conftest import OpenPage
from tests.browser.picture import fetched
from tests.browser.test_photo import jpeg, sheet

# Its source may change while it loads, so it is asked again until it is there.
DRAWN = "() => document.querySelector('#picture').naturalHeight === 4 * 28"


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service of letters."""
    folder: Path = tmp_path_factory.mktemp("models") / "letters"
    models.train(folder, *models.letters(np.random.default_rng(0)), models.LETTERS)
    with running("--checkpoint", str(folder)) as service:
        yield service.address


def test_letters_are_drawn_as_ink_and_in_the_style_of_a_photo(
    open_page: OpenPage, letters: str
) -> None:
    with open_page(letters) as page:
        page.goto(f"{letters}/?text=hello&seed=1")
        expect(page.get_by_role("img", name="hello")).to_be_visible()
        page.wait_for_function(DRAWN)
        link = str(page.get_by_role("link", name="PNG").get_attribute("href"))
        assert "render=ink" in link
        assert fetched(f"{letters}/{link}").startswith(b"\x89PNG")
        page.get_by_label("Strokes").select_option("pixels")
        expect(page.get_by_role("link", name="PNG")).not_to_have_attribute("href", link)
        page.locator("#file").set_input_files(files=jpeg(sheet([7], 3000, 2000, 900)))  # type: ignore[arg-type]
        expect(page.locator("#found")).to_contain_text("have your style now")
        assert Axe().run(page).response["violations"] == []
