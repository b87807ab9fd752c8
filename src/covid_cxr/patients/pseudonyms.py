"""Pseudonyms: patient ids that only the holder of a salt can make again."""

import hmac

import pandas as pd

_SHORTEST_SALT = 16
_N_HEX_DIGITS = 16  # 64 bits: a collision among a million patients has odds of 3e-8


def pseudonymise(ids: pd.Series, *, salt: str) -> pd.Series:
    """Return the first 16 hexadecimal digits of HMAC-SHA256(salt, id); missing stays.

    Args:
        ids: Patient ids as the cohort has them.
        salt: The project's secret. The same salt gives the same pseudonyms.
    """
    key = salt.encode()
    return ids.map(
        {
            name: hmac.digest(key, name.encode(), "sha256").hex()[:_N_HEX_DIGITS]
            for name in ids.dropna().unique()
        }
    ).astype("str")


def check_salt(salt: object) -> None:
    """Refuse a salt that can be guessed.

    Args:
        salt: As given; None: there is none.

    Raises:
        ValueError: If it is no text, or too short; the message does not show it.
    """
    if salt is not None and (not isinstance(salt, str) or len(salt) < _SHORTEST_SALT):
        raise ValueError(
            f"<cohort>_ingestion.pseudonym_salt must be a text of at least "
            f"{_SHORTEST_SALT} characters, in quotation marks, or null; it is not "
            f"shown here. Write another one into conf/local."
        )
