"""Reading single fields of Discord's JSON exactly: the right type in the right range, or `FieldError`.

Nothing here forgives: a field of another type than Discord documents means that we do not understand the payload, and a
payload that we half understand may have been a leave.
"""

from __future__ import annotations

from typing import Any

from attendance.domain.ids import MAX_SNOWFLAKE

MAX_NAME_LENGTH = 200
"""Discord's longest name is 100 characters (guilds, channels); twice that bounds memory without ever cutting a real one."""

_MAX_SNOWFLAKE_DIGITS = 19
_MAX_POSITION = 2**31


class FieldError(Exception):
    """A field is missing or is not what Discord documents. The message names it and never quotes its value."""


def snowflake(value: object, name: str) -> int:
    """Read a decimal string below 2^63, without sign, blanks or leading zeros.

    Raises:
        FieldError: for anything else.
    """
    # `int` would also take "+5", "1_000", " 5 " and full-width digits; the tests below are what keeps the hot path off `re`.
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= _MAX_SNOWFLAKE_DIGITS:
        number = int(value)
        if number <= MAX_SNOWFLAKE and (value[0] != "0" or value == "0"):
            return number
    raise FieldError(f"{name} is not an id")


def optional_snowflake(value: object, name: str) -> int | None:
    """Read an id or null.

    Raises:
        FieldError: for anything else.
    """
    return None if value is None else snowflake(value, name)


def flag(data: dict[str, Any], name: str) -> bool:
    """Read a boolean; a missing one is false, as in the trace.

    Raises:
        FieldError: for anything but true and false, null and numbers included.
    """
    value = data.get(name, False)
    if value is True:
        return True
    if value is False:
        return False
    raise FieldError(f"{name} is not a boolean")


def text(value: object, name: str) -> str:
    """Read a name that any database can store: no NUL, no half surrogate pair, at most `MAX_NAME_LENGTH` characters.

    Raises:
        FieldError: if it is not a string.
    """
    if type(value) is not str:
        raise FieldError(f"{name} is not a text")
    if len(value) > MAX_NAME_LENGTH:
        value = value[:MAX_NAME_LENGTH]
    if "\0" in value:
        value = value.replace("\0", "")
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def small_integer(value: object, name: str) -> int:
    """Read an integer of 32 bits.

    Raises:
        FieldError: for anything else, booleans and fractions included.
    """
    if type(value) is int and -_MAX_POSITION <= value < _MAX_POSITION:
        return value
    raise FieldError(f"{name} is not a small integer")


def mapping(value: object, name: str) -> dict[str, Any]:
    """Read an object.

    Raises:
        FieldError: for anything else.
    """
    if type(value) is dict:
        return value
    raise FieldError(f"{name} is not an object")


def items(data: dict[str, Any], name: str) -> list[Any]:
    """Read a list that must be there: an absent list is not an empty one.

    Raises:
        FieldError: if it is missing or is no list.
    """
    value = data.get(name)
    if type(value) is list:
        return value
    raise FieldError(f"{name} is not a list")


def required(data: dict[str, Any], name: str) -> object:
    """Return a value that may be null but must be named.

    Raises:
        FieldError: if the key is missing.
    """
    try:
        return data[name]
    except KeyError:
        raise FieldError(f"{name} is missing") from None
