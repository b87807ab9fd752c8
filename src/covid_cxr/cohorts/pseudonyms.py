"""Pseudonyms: patient ids that only the holder of a salt can make again."""

import hmac

import pandas as pd

_N_HEX_DIGITS = 16  # 64 bits: a collision among a million patients has odds of 3e-8


def pseudonyms(ids: pd.Series, *, salt: str) -> pd.Series:
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
