"""The conventions that every body follows: ids as strings, times as RFC 3339, lists with a total, strict request bodies."""

from __future__ import annotations

import re
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from litestar.dto import AbstractDTO
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from attendance.errors import InvalidInputError

T = TypeVar("T")

# Exactly what parse_snowflake takes: 0 to 2^63 - 1. The parts are the 19-digit numbers, by the first digit that is lower.
DECIMAL_ID = (
    r"^(0|[1-9][0-9]{0,17}|[1-8][0-9]{18}|9[01][0-9]{17}|92[01][0-9]{16}|922[0-2][0-9]{15}|9223[0-2][0-9]{14}"
    r"|92233[0-6][0-9]{13}|922337[01][0-9]{12}|92233720[0-2][0-9]{10}|922337203[0-5][0-9]{9}|9223372036[0-7][0-9]{8}"
    r"|92233720368[0-4][0-9]{7}|922337203685[0-3][0-9]{6}|9223372036854[0-6][0-9]{5}|92233720368547[0-6][0-9]{4}"
    r"|922337203685477[0-4][0-9]{3}|9223372036854775[0-7][0-9]{2}|922337203685477580[0-7])$"
)

# As we write them; other spellings of the same number (braces, a URN) are no ids of ours. Python's `$` alone would let a last
# line break pass.
UUID_TEXT = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?!\n)$"

# What a person is told in place of an expression. Others are described where /docs describes the member.
_IN_WORDS = {DECIMAL_ID: "a Discord id: decimal digits, below 2^63", UUID_TEXT: "a UUID"}
_EXPRESSION = re.compile(r"Expected `?str`? matching regex '(.*)'", re.DOTALL)
_BOUND = re.compile(r"Expected `?(int|float|str|array)`?( of length)? (<=|>=|<|>) (-?[0-9.]+)")
_BOUNDS = {"<=": "at most", ">=": "at least", "<": "below", ">": "above"}
_COUNTED = {"str": " characters", "array": " items"}


def in_words(problem: str) -> str:
    """A decoder's sentence as a person reads it, for a bound or an expression that was not met; others are as they were."""
    if (bound := _BOUND.fullmatch(problem)) is not None:
        kind, _, sign, number = bound.groups()
        counted = _COUNTED.get(kind, "")
        return f"{_BOUNDS[sign]} {number}{counted.removesuffix('s') if number == '1' else counted}"
    match = _EXPRESSION.match(problem)
    return problem if match is None else _IN_WORDS.get(match[1].replace("\\\\", "\\"), "not of the form that /docs describes")


Snowflake = Annotated[
    str, msgspec.Meta(pattern=DECIMAL_ID, description="A Discord id, decimal", examples=["81384788765712384"])
]
Instant = Annotated[str, msgspec.Meta(description="RFC 3339, UTC, milliseconds", examples=["2027-01-15T08:00:00.000Z"])]
Seconds = Annotated[int, msgspec.Meta(ge=0, description="Whole seconds")]
Difference = Annotated[int, msgspec.Meta(description="Whole seconds, negative where it is less")]
# A correction counts at its session's last millisecond, so that what ends there may come out below nothing.
PartSeconds = Annotated[int, msgspec.Meta(description="Whole seconds; below 0 only by a correction", examples=[5400])]


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    """A response body."""


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request body: members that it does not name are refused."""


class Page(Wire, Generic[T], frozen=True, kw_only=True):
    """A list: the items asked for and how many there are in all."""

    items: list[T]
    total: int


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What every error looks like."""

    error: str
    details: dict[str, str] | None = None


class Strict(AbstractDTO[T]):
    """Reads a JSON body exactly as its struct says: no text for numbers, no numbers for flags, no unknown members.

    Litestar by itself converts laxly, so that ``"1"`` would pass for true. Use as ``dto=Strict[TheBody], return_dto=None``.
    """

    def decode_bytes(self, value: bytes) -> T:
        """The body.

        Raises:
            InvalidInputError: it does not fit; the details name the member.
        """
        try:
            return msgspec.json.decode(value, type=self.model_type, strict=True)
        except msgspec.ValidationError as error:
            raise _invalid_body(str(error)) from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise InvalidInputError("the body is not JSON", details={"body": "one JSON object"}) from None

    def decode_builtins(self, value: Any) -> T:
        """Forms are never asked for, so nothing comes here but a body of another media type."""
        raise InvalidInputError("the body is not JSON", details={"body": f"one JSON object, not {type(value).__name__}"})

    @classmethod
    def create_for_field_definition(cls, field_definition: FieldDefinition, handler_id: str, backend_cls: Any = None) -> None:
        """Nothing to prepare: the struct is its own transfer model."""

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any
    ) -> Reference | Schema:
        """The struct's own schema."""
        del handler_id
        schema: Reference | Schema = schema_creator.for_field_definition(field_definition)
        return schema

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Any:
        """Not used: there is no backend."""
        del model_type
        return iter(())

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        """Not used: there is no backend."""
        del field_definition
        return False


def _invalid_body(message: str) -> InvalidInputError:
    """From msgspec: ``Expected `bool`, got `str` - at `$.member` ``; the member goes into the details."""
    problem, _, place = message.partition(" - at `$")
    member = place.strip("`.") or "body"
    return InvalidInputError("the body is not valid", details={member: in_words(problem.replace("`", ""))})
