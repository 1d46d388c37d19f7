"""What is answered: an `Answer`, and its JSON within Discord's limits. No answer ever pings anyone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

EPHEMERAL = 1 << 6
COLOUR, WARNING_COLOUR, GOOD_COLOUR = 0x5C6CEC, 0xE0A030, 0x43C47E
_TITLE_MAX, _DESCRIPTION_MAX, _FIELD_NAME_MAX, _FIELD_MAX, _FOOTER_MAX = 256, 4000, 256, 1024, 2048
_FIELDS_MAX, _EMBED_MAX = 25, 5800
_ALT_MAX = 1024
_DANGER, _SECONDARY, _LINK = 4, 2, 5


@dataclass(frozen=True, slots=True)
class File:
    """An attached file; ``alt`` is what screen readers say."""

    name: str
    content: bytes
    alt: str


@dataclass(frozen=True, slots=True)
class Button:
    """A button: with a ``custom_id`` it comes back as an interaction, with a ``url`` it is a link."""

    label: str
    custom_id: str = ""
    url: str = ""
    is_dangerous: bool = False

    def payload(self) -> dict[str, Any]:
        """As Discord wants it."""
        if self.url:
            return {"type": 2, "style": _LINK, "label": self.label, "url": self.url}
        style = _DANGER if self.is_dangerous else _SECONDARY
        return {"type": 2, "style": style, "label": self.label, "custom_id": self.custom_id}


@dataclass(frozen=True, slots=True)
class Answer:
    """A message. ``embed`` is made by `embed`."""

    content: str = ""
    embed: dict[str, Any] | None = None
    files: Sequence[File] = ()
    buttons: Sequence[Button] = ()

    def payload(self) -> dict[str, Any]:
        """The message's JSON; it replaces whatever the message showed before."""
        return {
            "content": self.content,
            "embeds": [] if self.embed is None else [self.embed],
            "components": [{"type": 1, "components": [it.payload() for it in self.buttons]}] if self.buttons else [],
            "attachments": [
                {"id": index, "filename": file.name, "description": _cut(file.alt, _ALT_MAX)}
                for index, file in enumerate(self.files)
            ],
            "allowed_mentions": {"parse": []},
        }


def embed(
    title: str,
    description: str = "",
    fields: Iterable[tuple[str, str]] = (),
    *,
    footer: str = "",
    colour: int = COLOUR,
    image: str = "",
) -> dict[str, Any]:
    """An embed within Discord's limits: what is too long is cut, fields that are too many are left out.

    Args:
        title: markdown.
        description: markdown; cut at the end of a line.
        fields: (name, value), both markdown; those without a value are left out.
        footer: shown as it is.
        colour: of the stripe beside it.
        image: the name of an attached file.
    """
    title, footer = _cut(title, _TITLE_MAX), _cut(footer, _FOOTER_MAX)
    room = _EMBED_MAX - len(title) - len(footer)
    made: dict[str, Any] = {"title": title, "color": colour}
    if description:
        made["description"] = _cut_lines(description, min(room, _DESCRIPTION_MAX))
        room -= len(made["description"])
    shown: list[dict[str, str]] = []
    for name, value in fields:
        field = {"name": _cut(name, _FIELD_NAME_MAX), "value": _cut_lines(value, _FIELD_MAX)}
        room -= len(field["name"]) + len(field["value"])
        if room < 0 or len(shown) == _FIELDS_MAX:
            break
        if value.strip():
            shown.append(field)
    if shown:
        made["fields"] = shown
    if footer:
        made["footer"] = {"text": footer}
    if image:
        made["image"] = {"url": f"attachment://{image}"}
    return made


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _cut_lines(text: str, limit: int) -> str:
    """Cut between lines: half an escape or half a timestamp would be shown as it is."""
    if len(text) <= limit:
        return text
    end = text.rfind("\n", 0, limit - 1)
    return text[: end if end > 0 else limit - 1] + "\n…"[-(limit - max(end, 0)) :]
