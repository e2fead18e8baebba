"""How the words of single settings are read; says what to write, never what was written."""

from __future__ import annotations

import base64
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretBytes, SecretStr
from pydantic.functional_validators import BeforeValidator


def words(raw: object) -> object:
    """A list, written with commas or blanks between."""
    return raw.replace(",", " ").split() if isinstance(raw, str) else raw


def key_bytes(raw: object) -> object:
    """A key of 32 bytes, written as base64."""
    if not isinstance(raw, str):
        return raw
    try:
        key = base64.b64decode(raw, validate=True)
    except ValueError:
        raise ValueError("write 32 random bytes as base64") from None
    if len(key) != 32:
        raise ValueError(f"the key has {len(key)} bytes; write 32 random bytes as base64")
    return key


def hard_to_guess(token: SecretStr) -> SecretStr:
    """TOKEN, if it is long enough or empty."""
    if 0 < len(token) < 20:
        raise ValueError("write 20 random characters or more, or nothing")
    return token


def scheme(*allowed: str) -> BeforeValidator:
    """An address that starts with one of ALLOWED."""

    def check(raw: object) -> object:
        if isinstance(raw, str) and urlsplit(raw).scheme not in allowed:
            raise ValueError(
                f"write an address that starts with {' or '.join(filter(None, allowed))}://"
            )
        return raw

    return BeforeValidator(check)


class FieldKey(BaseModel):
    """One key of the ring that encrypts callback IDs and secrets at rest."""

    model_config = ConfigDict(frozen=True)
    key_id: str = Field(pattern=r"^[a-z0-9-]{1,16}$")
    key: Annotated[SecretBytes, BeforeValidator(key_bytes)]


def key_ring(raw: object) -> object:
    """The ring of keys, each written as id:base64."""
    if not isinstance(raw, str):
        return raw
    pairs = [item.partition(":") for item in raw.replace(",", " ").split()]
    if not pairs:
        raise ValueError("write at least one key as id:base64-of-32-bytes")
    return [{"key_id": key_id, "key": key} for key_id, _, key in pairs]
