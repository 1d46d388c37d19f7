"""Who looks at a metric finds it in docs/operating.md, and who is woken by an alert finds its metric."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from attendance import metrics

ROOT = Path(__file__).parents[2]
_SUFFIXES = {Counter: ("_total",), Gauge: ("",), Histogram: ("", "_bucket", "_count", "_sum")}


def families() -> dict[str, tuple[str, ...]]:
    """Each metric's constant, and the names under which it is served."""
    found = {}
    for name, metric in vars(metrics).items():
        if isinstance(metric, MetricWrapperBase):
            (described,) = metric.describe()
            found[name] = tuple(described.name + suffix for suffix in _SUFFIXES[type(metric)])
    return found


def test_every_metric_has_a_place_in_the_table_of_what_to_watch() -> None:
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    missing = [names[0] for names in families().values() if not re.search(rf"`{names[0]}[`{{]", page)]
    assert missing == []


def test_docs_and_alerts_name_no_metric_that_is_not_served() -> None:
    served = {name for names in families().values() for name in names}
    named = set()
    for file in ("docs/operating.md", "deploy/prometheus-alerts.yaml"):
        text = (ROOT / file).read_text(encoding="utf-8")
        named |= set(
            re.findall(r"\brollcall_[a-z_]*(?:seconds|total|records|observations|guilds|periods|bucket|count)\b", text)
        )
    assert named <= served


def test_every_metric_is_set_somewhere() -> None:
    code = "\n".join(
        file.read_text(encoding="utf-8")
        for folder in ("attendance", "api", "scheduler")
        for file in (ROOT / folder).rglob("*.py")
        if file.name != "metrics.py"
    )
    assert [name for name in families() if not re.search(rf"\b{name}\b\s*[.(]", code)] == []
