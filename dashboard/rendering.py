"""Templates: Jinja with everything escaped. What they may call: ``asset(name)``, and `dashboard.template_language`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboard.static_files import StaticFiles
from dashboard.template_language import teach
from dashboard.words import Words

TEMPLATE_FOLDER = Path(__file__).parent / "templates"


class Templates:
    """Every template, compiled once."""

    def __init__(self, words: Words, static: StaticFiles, folder: Path = TEMPLATE_FOLDER) -> None:
        self.words = words
        self.environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,  # a misspelt name is an error, not an empty place on a page
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        teach(self.environment, words, words.locale)
        self.environment.globals["asset"] = static.url

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """A page."""
        return self.environment.get_template(name).render(values)
