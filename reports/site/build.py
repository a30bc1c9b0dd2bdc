"""Builds the documentation as a site, without network, by Sphinx: `make docs`, or
`python -m reports.site.build FOLDER`. A warning is an error."""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from reports.output import whole_folder
from reports.site.pages import DOCS, site_pages
from workloads.files import write_text
from workloads.refusal import Defect, Refusal

ASSETS = Path(__file__).parent / "assets"
LIGHT = {"color-brand-primary": "#1f4e79", "color-brand-content": "#1a5c99"}
DARK = {"color-brand-primary": "#7db8ee", "color-brand-content": "#7db8ee"}


class SiteError(Defect):
    """What Sphinx warned of in pages that are ours."""


def settings() -> dict[str, Any]:
    """What Sphinx is told. Fonts are those of the system, so that nothing is fetched."""
    return {
        "project": "archsim",
        "author": "The archsim authors",
        "release": version("archsim"),
        "extensions": ["myst_parser"],
        "myst_enable_extensions": ["deflist"],
        "myst_heading_anchors": 4,
        "highlight_language": "none",
        "pygments_style": "friendly",
        "html_theme": "furo",
        "html_title": "archsim",
        "html_static_path": [str(ASSETS)],
        "html_css_files": ["site.css"],
        "html_logo": str(ASSETS / "chip.svg"),
        "html_favicon": str(ASSETS / "chip.svg"),
        "html_show_sphinx": False,
        "html_show_copyright": False,
        "html_copy_source": False,
        "html_show_sourcelink": False,
        # The lines around what was found would be fetched from the pages, which a page from disk may not.
        "html_show_search_summary": False,
        "html_theme_options": {"light_css_variables": LIGHT, "dark_css_variables": DARK},
    }


def write_sources(folder: Path) -> None:
    """Writes every page of the site, and what lies beside the pages of `docs`, into a folder."""
    for page, text in site_pages().items():
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        write_text(folder / page, text)
    for path in DOCS.rglob("*"):
        if path.is_file() and path.suffix != ".md":
            target = folder / path.relative_to(DOCS)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)


def build(target: Path) -> None:
    """Writes the site into a folder, which appears whole. Raises SiteError where a page, a link or an anchor
    is amiss, and Refusal where Sphinx is not installed."""
    try:
        from sphinx.application import Sphinx
        from sphinx.util.docutils import docutils_namespace
    except ImportError:
        raise Refusal(
            "docs are a site made by Sphinx, which is not installed: pip install 'archsim[docs]'"
        ) from None
    warned = io.StringIO()
    with tempfile.TemporaryDirectory() as room, whole_folder(target) as out:
        sources = Path(room) / "sources"
        sources.mkdir()
        write_sources(sources)
        # What extensions register is for the whole process, in which a second build would be told so.
        with docutils_namespace():
            application = Sphinx(
                sources,
                None,
                out,
                Path(room) / "read",
                "html",
                confoverrides=settings(),
                status=None,
                warning=warned,
                freshenv=True,
            )
            application.build()
        if complaints := warned.getvalue().replace(f"{sources}/", "").strip():
            raise SiteError(complaints)
        (out / ".buildinfo").unlink(missing_ok=True)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def main(folder: Path) -> None:
    """Build the documentation into FOLDER."""
    try:
        build(folder)
    except (SiteError, Refusal) as error:
        raise SystemExit(f"archsim: {error}") from None
    click.echo(f"The site is {folder / 'index.html'}", file=sys.stdout)


if __name__ == "__main__":
    main()
