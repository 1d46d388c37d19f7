"""The wire of ``/receipts``: docs/formats.md says what each text holds."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from api.schemas.wire import Wire

Signature = Annotated[str, Meta(description="64 bytes of Ed25519 over the record's bytes, base64url")]
PublicKey = Annotated[str, Meta(description="The 32 bytes of the key that signed, base64url")]
RecordText = Annotated[str, Meta(description="Exactly the bytes that were signed")]
Proof = Annotated[str, Meta(description="A C2SP tlog-proof file: inclusion proof and checkpoint")]


class KeyRecordBody(Wire, frozen=True, kw_only=True):
    """A record that says from or until which position the key is good."""

    record: RecordText
    signature: Signature
    public_key: PublicKey
    proof: Proof


class ReceiptBody(Wire, frozen=True, kw_only=True):
    """A receipt, as `rollcall verify` takes it."""

    v: Literal[1]
    type: Literal["rollcall.receipt"]
    record: RecordText
    signature: Signature
    public_key: PublicKey
    proof: Proof
    timeline: Annotated[str, Meta(description="Canonical JSON: `[[start_ms, end_ms, status], ...]`")]
    rules: Annotated[str, Meta(description="Canonical JSON of the rules in force")]
    key_records: list[KeyRecordBody]
    log_key: Annotated[str, Meta(description="The log's verifier key (C2SP signed-note)")]
