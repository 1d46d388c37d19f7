"""Every word that the dashboard says, from its catalogue (``text/<locale>/*.ftl``, Project Fluent)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from fluent.runtime import FluentBundle, FluentResource

TEXT_FOLDER = Path(__file__).parent / "text"

_log = structlog.get_logger("dashboard")


class Words:
    """One language's words. Files of one folder are one catalogue; a key lives in the file of its area."""

    def __init__(self, locale: str, folder: Path = TEXT_FOLDER) -> None:
        self.locale = locale
        # Without isolation marks around what is put in: they end up in copied text. Names of people stand in <bdi>.
        self._bundle = FluentBundle([locale], use_isolating=False)
        for path in sorted((folder / locale).glob("*.ftl")):
            self._bundle.add_resource(FluentResource(path.read_text(encoding="utf-8")))

    def __contains__(self, key: str) -> bool:
        return self._bundle.has_message(key)

    def __call__(self, key: str, **values: Any) -> str:
        """The words of ``key`` with ``values`` put in: ``t("leaderboard-members", n=3)``.

        A key that is not there, or a value that it needs and did not get, is a fault of ours: logged, and the page stands.
        """
        if key not in self:
            _log.error("words are missing", key=key, locale=self.locale)
            return key
        pattern = self._bundle.get_message(key).value
        if pattern is None:
            _log.error("words are missing", key=key, locale=self.locale)
            return key
        text, errors = self._bundle.format_pattern(pattern, values)
        if errors:
            _log.error("words do not fit together", key=key, locale=self.locale, problems=[str(error) for error in errors])
        return str(text)
