"""Views: one vocabulary for the headers and the manifests of all sources.

What hospitals write in ViewPosition (PS3.3 C.8.7.1.1.1), in a code or in a column of
English, Spanish, French, German, Italian or Portuguese becomes one of `VIEWS`.
"""

import re
import unicodedata

PA, AP, FRONTAL = "PA", "AP", "frontal"
LATERAL, OBLIQUE, DECUBITUS = "lateral", "oblique", "decubitus"
NOT_STATED, NOT_UNDERSTOOD = "not stated", "not understood"
VIEWS = (PA, AP, FRONTAL, LATERAL, OBLIQUE, DECUBITUS, NOT_STATED, NOT_UNDERSTOOD)
OTHER_THAN_FRONTAL = (LATERAL, OBLIQUE, DECUBITUS)

_NOTHING = "NA NAN NONE NULL UNKNOWN UNK UNSPECIFIED"
_BLANK = frozenset({"", "N A", "NOT STATED", *_NOTHING.split()})
# Words that begin like this, in the order in which they decide; accents are taken off.
_WORDS = (
    (OBLIQUE, r"OBL|OBLIC\w*|OBLIQ\w*|SCHRAG\w*|[LR][APL]O|[LR]AO|[AP]PO|LATO"),
    (LATERAL, r"X ?TABLE|XTL|CROSS ?TABLE|TRANSLATERAL\w*"),
    (DECUBITUS, r"[LR]LD|DECUB\w*"),
    (LATERAL, r"L|R?LL?|[LR]?LAT\w*|PROFIL\w*|PERFIL\w*|SEITLICH\w*|SEITE|SEITENBILD"),
    (PA, r"PA[ESU]?|P ?A|POSTERO ?ANTERI\w*|DORSO ?VENTRAL\w*"),
    (AP, r"AP[ESU]?|A ?P|ANTERO ?POSTERI\w*|VENTRO ?DORSAL\w*|APPORT\w*"),
    (FRONTAL, r"FRONTAL\w*|FRENTE|FACE|FACIES"),
)
_DECIDING = tuple((v, re.compile(rf"\b(?:{words})\b")) for v, words in _WORDS)
# In a description other words stand too, so that single letters mean nothing.
_UNMISTAKABLE = re.compile(
    r"\b(?:[LR]?LAT(?:ERAL\w*|ERO\w*)?|LL|PROFILO?|PERFIL|SEITLICH\w*|SEITENBILD"
    r"|X ?TABLE|CROSS ?TABLE|OBLI\w*|SCHRAG\w*|[LR]LD|DECUB\w*|SUPIN\w*|DORSAL\w*)\b"
)
_NOT_ALONE = re.compile(
    r"\b(?:P ?A|A ?P|FRONT\w*|FRENTE|FACE|[AP]\w{2,4}ERO ?\w*|VIEWS|EBENEN"
    r"|[2-9] ?(?:V|VIEWS?|PROJ\w*|PROY\w*))\b"
)
_LYING = re.compile(r"\b(?:SUPIN\w*|PRON\w*|DORSAL\w*|LIEGEND\w*)\b")

# Of CID 4010, and of the modifiers in CID 4011 and CID 20 (PS3.16), in SNOMED RT and
# CT; those not here are read by their meaning.
_CODED = {
    LATERAL: "R-10236 399173006 R-10232 399198007 R-102CD 399067008 R-10228 399352003 "
    "R-10224 399260004 G-A145 30730003 111069",
    OBLIQUE: "R-10210 399038007 R-10212 399006002 R-10220 399135007 R-40985 399356000 "
    "R-10234 399236003 R-10238 399184004 R-102C1 399182000 R-10204 399160007 R-10208 "
    "399312000 R-10216 399059000 R-40782 260426006 R-40783 260427002",
    DECUBITUS: "F-10317 102535000 F-10318 32185000 F-10319 102536004",
    PA: "R-10214 R-40888 272479007",
    AP: "R-10206 399348003",
}
_VIEW_OF_CODE = {code: view for view, codes in _CODED.items() for code in codes.split()}


def read_view(text: str) -> str:
    """Return which of `VIEWS` a text means.

    A patient who lies is "AP" in "AP decúbito supino", not in decubitus; a view that
    names both PA and AP is not understood.

    Args:
        text: As stated; case, accents and punctuation do not matter.
    """
    words = plain_words(text)
    if says_nothing(words):
        return NOT_STATED
    found = [view for view, pattern in _DECIDING if pattern.search(words)]
    if found[:1] == [DECUBITUS] and _LYING.search(words) and LATERAL not in found:
        found = [view for view in found if view != DECUBITUS] or [AP]
    if not found or (found[0] == PA and AP in found):
        return NOT_UNDERSTOOD
    return found[0]


def read_description(text: str) -> str:
    """Return the view that a free description names, if it is from the side alone.

    Args:
        text: As in "CHEST LAT"; "not stated" for "CHEST PA AND LAT", of both.
    """
    words = plain_words(text)
    if _NOT_ALONE.search(words):
        return NOT_STATED
    view = read_view(" ".join(_UNMISTAKABLE.findall(words)))
    return view if view in OTHER_THAN_FRONTAL else NOT_STATED


def read_view_code(value: str, meaning: str) -> str:
    """Return which of `VIEWS` a coded view means (PS3.16 CID 4010).

    Args:
        value: Code value of SNOMED RT ("R-10236") or CT ("399198007").
        meaning: Code meaning, read as a text where the value is another one.
    """
    return _VIEW_OF_CODE.get(value.strip().upper()) or read_view(meaning)


def read_orientation(row: str) -> str:
    r"""Return the view that an orientation of the rows means (PS3.3 C.7.6.1.1.1).

    Args:
        row: The first value of PatientOrientation: "A" and "P" run along a lateral
            view, "AL" and the like along an oblique one, "L" and "R" along the others.
    """
    letters = row.strip().upper()
    if letters[:1] not in {"A", "P"}:
        return NOT_STATED
    return LATERAL if set(letters) <= {"A", "P", "H", "F"} else OBLIQUE


def says_nothing(words: str) -> bool:
    """Return whether words of `plain_words` say nothing."""
    return words in _BLANK


def plain_words(text: str) -> str:
    """Return capitals without accents, words separated by one blank."""
    letters = unicodedata.normalize("NFKD", text).upper()
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^A-Z0-9]+", " ", bare).split())
