"""Whatever is told and whoever is in it: every message is within Discord's limits, and no name says anything but itself."""

from __future__ import annotations

import re
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from attendance.domain.log_contents import CheckpointTold, EntryTold, PeriodTold, SessionTold, SigningTold
from attendance.domain.log_messages import MAX_CHARACTERS, MAX_DESCRIPTION, MAX_EMBEDS, compose, duration

MARKER = "AZhvPHwAcACAAAEjRWeJqw"
INSTANTS = st.integers(0, 4_000_000_000_000)
LENGTHS = st.integers(0, 10**12)
NAMES = st.one_of(
    st.text(max_size=100),
    st.text(alphabet="*_`~|<>@#[]()\\\n\u202e\u200b\ufdfd\U0001f469a", max_size=100),
    st.sampled_from(
        ["@everyone", "<@&1>", "[a](https://b)", "</x:1>", "<t:1:R>", "``` `", "\ufdfd" * 100, "\U0001f468\u200d" * 40]
    ),
)
IDS = st.integers(0, 2**63 - 1)
REASONS = st.sampled_from(
    ["leave", "move", "rules", "untracked", "period", "opted_out", "channel_deleted", "guild_left", "gap"]
)

SESSIONS = st.builds(
    SessionTold, st.uuids(), IDS, st.none() | NAMES, IDS, NAMES, INSTANTS, INSTANTS, REASONS,
    LENGTHS, LENGTHS, LENGTHS, LENGTHS, LENGTHS, st.booleans(),
)  # fmt: skip
ENTRIES = st.builds(EntryTold, st.integers(1, 10**6), st.none() | IDS, st.none() | NAMES, LENGTHS)
PERIODS = st.builds(
    PeriodTold, st.booleans(), st.integers(0, 2**31 - 1), INSTANTS, INSTANTS, st.sampled_from([None, "schedule", "manual"]),
    st.integers(0, 10**6), st.lists(ENTRIES, max_size=10).map(tuple),
)  # fmt: skip
SIGNING = st.builds(SigningTold, INSTANTS, st.just("k" * 43), st.none() | st.just("r" * 100), st.none() | st.just("rotate"))
CHECKPOINTS = st.builds(CheckpointTold, INSTANTS, st.just("example.org/log\n1\n"), st.integers(0, 2**53))
TOLD = st.lists(st.one_of(SESSIONS, PERIODS, SIGNING, CHECKPOINTS), min_size=1, max_size=12)
URLS = st.sampled_from([None, "https://rollcall.example", "https://" + "a" * 400])


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def check(embeds) -> str:
    """Discord's limits, in the unit that is never smaller than its own; returns all that is shown."""
    assert 1 <= len(embeds) <= MAX_EMBEDS
    total, texts = 0, []
    for embed in embeds:
        assert 0 < units(embed.title) <= 256
        assert 0 < units(embed.description) <= MAX_DESCRIPTION
        assert len(embed.fields) <= 25
        for field in embed.fields:
            assert 0 < units(field.name) <= 256
            assert 0 < units(field.value) <= 1_024
        footer = embed.footer or ""
        assert units(footer) <= 2_048
        shown = [embed.title, embed.description, footer, *(field.name for field in embed.fields)]
        shown += [field.value for field in embed.fields]
        total += sum(map(units, shown))
        texts += shown
    assert total <= MAX_CHARACTERS
    assert embeds[-1].footer.endswith(MARKER)
    return "\n".join(texts)


@settings(max_examples=80)
@given(TOLD, URLS)
def test_any_message_is_within_the_limits(told, url) -> None:
    check(compose(told, MARKER, url))


@settings(max_examples=80)
@given(st.lists(SESSIONS, min_size=1, max_size=3), st.sampled_from([1, 4, 900]), URLS)
def test_however_many_sessions_are_told_they_are_one_message(sessions, times, url) -> None:
    check(compose(sessions * times, MARKER, url))


@settings(max_examples=80)
@given(st.lists(st.one_of(SESSIONS, PERIODS), min_size=1, max_size=4), st.integers(1, 4))
def test_no_name_pings_links_or_formats(told, times) -> None:
    text = check(compose(told * times, MARKER, None))
    ours = re.sub(r"<[@#]\d+>|<t:\d+:f>|`[0-9a-f-]{36}`|\*\*", "", text)
    bare = re.sub(r"\\.", "", ours)
    assert "<@" not in bare
    assert "<#" not in bare
    assert "](" not in bare
    assert "`" not in bare
    assert not re.search(r"[*_~|]", bare.replace("opted_out", ""))


def test_nothing_to_tell_is_no_message() -> None:
    assert compose([], MARKER, None) == ()


def test_a_session_links_to_its_verification_where_the_deployment_has_an_address() -> None:
    session = SessionTold(UUID(int=7), 1, None, 2, "Lobby", 0, 1, "leave", 0, 0, 0, 0, 0, below_minimum=True)
    (embed,) = compose([session], MARKER, "https://rollcall.example")
    assert embed.fields[-1].value == f"[`{UUID(int=7)}`](https://rollcall.example/verify/session/{UUID(int=7)})"


def test_lengths_of_time_read_well() -> None:
    told = [duration(ms) for ms in (0, 999, 12_345, 245_000, 3_600_000, 3_725_999, 360_000_000)]
    assert told == ["0 s", "0 s", "12 s", "4 min 05 s", "1 h 00 min", "1 h 02 min", "100 h 00 min"]
