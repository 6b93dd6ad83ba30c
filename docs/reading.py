"""The last part of `make pictures`: understanding.md as a page of the site, with its plots."""

import re
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from PIL import Image

from app.site.documents import FOLDER, SOURCES

HERE = Path(__file__).parent
COLOURS = 16  # of the plots, to keep them small
LINKS = {f"../{path}": name for path, name in SOURCES.items()}
TEMPLATE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Understanding CVAEs</title>
    <link rel="stylesheet" href="page.css">
    <link rel="icon" href="icon.svg" type="image/svg+xml">
  </head>
  <body>
    <header class="top"><a class="brand" href="../">cvae-digits</a></header>
    <main class="document">
{content}    </main>
  </body>
</html>
"""


def main() -> None:
    """Write the page and its plots into app/site."""
    text = (HERE / "understanding.md").read_text()
    (FOLDER / "understanding.html").write_text(page_of(text))
    for name in re.findall(r"!\[.*\]\((.*\.png)\)", text):
        plot = Image.open(HERE / name).convert("RGB").quantize(COLOURS)
        plot.save(FOLDER / name, optimize=True)


def page_of(text: str) -> str:
    """A document of the repository as a page of the site.

    Links to files that are not part of the site become plain text.

    Args:
        text: Markdown.
    """
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(text)
    for heading, inside in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet(
                "id", re.sub(r"[^a-z0-9-]", "", inside.content.lower().replace(" ", "-"))
            )
        if inside.children:
            inside.children = _with_links_of_the_site(inside.children)
    return TEMPLATE.format(content=markdown.renderer.render(tokens, markdown.options, {}))


def _with_links_of_the_site(tokens: list[Token]) -> list[Token]:
    kept, inside_a_link = [], False
    for token in tokens:
        if token.type == "link_open":
            address = str(token.attrGet("href"))
            inside_a_link = address in LINKS or address.startswith(("#", "https://"))
            token.attrSet("href", LINKS.get(address, address))
        if inside_a_link or token.type not in {"link_open", "link_close"}:
            kept.append(token)
    return kept


if __name__ == "__main__":
    main()
