"""Encryption at rest for callback IDs and secrets: AES-256-GCM with a ring of keys.

A sealed value is `key id length (1 byte) | key id | nonce (12) | ciphertext and tag`.
The associated data names the column and the row, so that a ciphertext copied into another
column or row does not open: nobody with the database alone can move an answer.
"""

from __future__ import annotations

import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

NONCE_BYTES = 12


class SealBroken(Exception):
    """The value was not sealed by this ring for this place, or was altered."""


def seal(plain: bytes, *, place: str) -> bytes:
    """Encrypt PLAIN with the current key, bound to PLACE ("request.callback_id:<row>")."""
    key_id = settings.FIELD_KEYS[0][0]
    nonce = os.urandom(NONCE_BYTES)
    head = bytes([len(key_id)]) + key_id.encode()
    return head + nonce + _cipher(key_id).encrypt(nonce, plain, place.encode())


def unseal(sealed: bytes | memoryview, *, place: str) -> bytes:
    """Decrypt what `seal` made for PLACE.

    Raises:
        SealBroken: the key is not on the ring, or the value was altered or moved.
    """
    sealed = bytes(sealed)
    split = 1 + sealed[0]
    key_id = sealed[1:split].decode()
    nonce, ciphertext = sealed[split : split + NONCE_BYTES], sealed[split + NONCE_BYTES :]
    try:
        return _cipher(key_id).decrypt(nonce, ciphertext, place.encode())
    except KeyError:
        raise SealBroken(f"No key {key_id!r} in FIELD_KEYS: put the former key back.") from None
    except InvalidTag:
        raise SealBroken(f"A sealed {place} was altered or belongs elsewhere.") from None


@lru_cache(maxsize=16)
def _cipher(key_id: str) -> AESGCM:
    return AESGCM(dict(settings.FIELD_KEYS)[key_id])
