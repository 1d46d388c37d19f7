"""Whether Discord would take a message: lengths, embeds, components, attachments."""

from __future__ import annotations

from typing import Any

from simulator import rest_errors
from simulator.rest_errors import RestError

CONTENT_MAX = 2_000
_EMBEDS_MAX, _EMBED_TEXT_MAX, _FIELDS_MAX = 10, 6_000, 25
_EMBED_LIMITS = {"title": 256, "description": 4_096}
_ROWS_MAX, _BUTTONS_MAX = 5, 5
_CUSTOM_ID_MAX, _LABEL_MAX, _ALT_MAX = 100, 80, 1_024
_ROW, _BUTTON = 1, 2
_LINK_STYLE, _PREMIUM_STYLE = 5, 6
_COLOUR_MAX = 0xFFFFFF


def _bad(field: str, message: str, code: str = "BASE_TYPE_BAD_LENGTH") -> RestError:
    return rest_errors.invalid_form(field, code, message)


def check_message(body: dict[str, Any], files: dict[str, bytes], *, is_edit: bool = False) -> None:
    """Accept a message's body.

    Args:
        body: the decoded JSON.
        files: uploaded files by part name, such as ``files[0]``.
        is_edit: an edit may leave everything as it is.

    Raises:
        RestError: 400 as Discord answers.
    """
    content = body.get("content")
    if content is not None and (not isinstance(content, str) or len(content) > CONTENT_MAX):
        raise _bad("content", "Must be 2000 or fewer in length.", "BASE_TYPE_MAX_LENGTH")
    embeds, components = body.get("embeds") or [], body.get("components") or []
    if not is_edit and not (content or embeds or components or files):
        raise RestError(400, 50_006, "Cannot send an empty message")
    _check_embeds(embeds)
    _check_components(components)
    _check_attachments(body.get("attachments") or [], files)
    mentions = body.get("allowed_mentions")
    if mentions is not None and not (isinstance(mentions, dict) and isinstance(mentions.get("parse", []), list)):
        raise _bad("allowed_mentions", "Not an allowed mentions object", "MODEL_TYPE_CONVERT")


def _check_embeds(embeds: list[dict[str, Any]]) -> None:
    if len(embeds) > _EMBEDS_MAX:
        raise _bad("embeds", "Must be 10 or fewer in length.")
    total = 0
    for index, embed in enumerate(embeds):
        where = f"embeds.{index}"
        for name, limit in _EMBED_LIMITS.items():
            total += _length(f"{where}.{name}", embed.get(name), limit)
        total += _length(f"{where}.footer.text", (embed.get("footer") or {}).get("text"), 2_048)
        total += _length(f"{where}.author.name", (embed.get("author") or {}).get("name"), 256)
        fields = embed.get("fields") or []
        if len(fields) > _FIELDS_MAX:
            raise _bad(f"{where}.fields", "Must be 25 or fewer in length.")
        for field in fields:
            total += _length(f"{where}.fields.name", field.get("name"), 256, required=True)
            total += _length(f"{where}.fields.value", field.get("value"), 1_024, required=True)
        colour = embed.get("color", 0)
        if not isinstance(colour, int) or not 0 <= colour <= _COLOUR_MAX:
            raise _bad(f"{where}.color", "int value should be 0 to 16777215.", "NUMBER_TYPE_MAX")
    if total > _EMBED_TEXT_MAX:
        raise _bad("embeds", "Embed size exceeds maximum size of 6000", "MAX_EMBED_SIZE_EXCEEDED")


def _length(where: str, text: Any, limit: int, *, required: bool = False) -> int:
    if text is None and not required:
        return 0
    if not isinstance(text, str) or len(text) > limit or (required and not text.strip()):
        raise _bad(where, f"Must be {limit} or fewer in length.", "BASE_TYPE_MAX_LENGTH")
    return len(text)


def _check_components(rows: list[dict[str, Any]]) -> None:
    if len(rows) > _ROWS_MAX:
        raise _bad("components", "Must be 5 or fewer in length.")
    seen: set[str] = set()
    for row in rows:
        buttons = row.get("components") or []
        if row.get("type") != _ROW or not 1 <= len(buttons) <= _BUTTONS_MAX:
            raise _bad("components", "An action row has one to five buttons.")
        for button in buttons:
            _check_button(button, seen)


def _check_button(button: dict[str, Any], seen: set[str]) -> None:
    style = button.get("style")
    if button.get("type") != _BUTTON or not isinstance(style, int) or not 1 <= style < _PREMIUM_STYLE:
        raise _bad("components.type", "The simulator knows buttons only", "UNION_TYPE_CHOICES")
    _length("components.label", button.get("label"), _LABEL_MAX)
    if style == _LINK_STYLE:
        if not str(button.get("url", "")).startswith(("http://", "https://", "discord://")) or "custom_id" in button:
            raise _bad("components.url", "Scheme must be http, https or discord", "URL_TYPE_INVALID_SCHEME")
        return
    custom_id = button.get("custom_id")
    if not isinstance(custom_id, str) or not 1 <= len(custom_id) <= _CUSTOM_ID_MAX:
        raise _bad("components.custom_id", "Must be between 1 and 100 in length.")
    if custom_id in seen:
        raise _bad("components.custom_id", "Component custom id cannot be duplicated", "COMPONENT_CUSTOM_ID_DUPLICATED")
    seen.add(custom_id)


def _check_attachments(attachments: list[dict[str, Any]], files: dict[str, bytes]) -> None:
    named = {f"files[{attachment.get('id')}]" for attachment in attachments}
    if files.keys() - named:
        raise _bad("attachments", "A file has no attachment of its number", "ATTACHMENT_NOT_FOUND")
    for attachment in attachments:
        description = attachment.get("description")
        if description is not None and (not isinstance(description, str) or len(description) > _ALT_MAX):
            raise _bad("attachments.description", "Must be 1024 or fewer in length.", "BASE_TYPE_MAX_LENGTH")


def shown_attachments(body: dict[str, Any], files: dict[str, bytes], names: dict[str, str]) -> list[dict[str, Any]]:
    """The attachments of a message as Discord shows them; ``names`` are the file names by part."""
    shown = []
    for attachment in body.get("attachments") or []:
        part = f"files[{attachment.get('id')}]"
        name = attachment.get("filename") or names.get(part, "unknown")
        url = f"https://cdn.discordapp.com/ephemeral-attachments/1/{name}"
        shown.append(
            {
                "id": str(attachment.get("id")),
                "filename": name,
                "description": attachment.get("description"),
                "size": len(files.get(part, b"")),
                "url": url,
                "proxy_url": url,
                "content_type": "image/png" if files.get(part, b"").startswith(b"\x89PNG") else "application/octet-stream",
                "ephemeral": True,
            }
        )
    return shown
