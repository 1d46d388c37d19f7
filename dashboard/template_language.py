"""What templates can say beyond Jinja: filters and globals that the components (templates/components) use."""

from __future__ import annotations

from datetime import datetime

from jinja2 import Environment

from dashboard.charts.patterns import level_swatch, swatch
from dashboard.durations import Translate, duration_text
from dashboard.instants import Style, day_text, instant_iso, instant_text, time_zones
from dashboard.links import page_numbers, with_query


def teach(environment: Environment, t: Translate, locale: str = "en") -> None:
    """Adds the language to an environment whose words come from ``t`` and whose dates are written as ``locale`` writes them.

    Filters: ``duration`` (whole seconds), ``number``, ``instant(zone, style)``, ``day(style)``, ``iso``,
    ``with_query(**changes)``.
    Globals: ``t``, ``locale``, ``swatch(status)``, ``level_swatch(level)``, ``page_numbers(current, last)``, ``time_zones()``.
    """

    def instant(value: str | int | datetime, zone: str, style: Style = "datetime") -> str:
        return instant_text(value, zone, style, locale)

    environment.filters |= {
        "duration": lambda seconds: duration_text(seconds, t),
        "number": lambda n: t("ui-number", n=n),
        "instant": instant,
        "day": lambda day, style="full": day_text(day, style, locale),
        "iso": instant_iso,
        "with_query": with_query,
    }
    environment.globals |= {
        "t": t,
        "locale": locale,
        "swatch": swatch,
        "level_swatch": level_swatch,
        "page_numbers": page_numbers,
        "time_zones": time_zones,
    }
