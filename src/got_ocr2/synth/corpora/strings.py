"""Random strings that no language model can guess: made-up words, codes, numbers, dates, addresses, noise.

A model trained on prose alone learns to complete it; these teach it to read what stands there.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeVar

from ...errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

StringKind = Literal[
    "word", "letters", "code", "integer", "decimal", "money", "percentage", "date", "time", "phone", "url",
    "email", "path", "hash", "version", "reference", "noise",
]  # fmt: skip
T = TypeVar("T")

UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = UPPER.lower()
DIGITS = "0123456789"
ACCENTED_LOWER = "àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿßčďěňřšťůžąćęłńśźżőűğışăâîșțāēīūģķļņ"
ACCENTED_UPPER = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞČĎĚŇŘŠŤŮŽĄĆĘŁŃŚŹŻŐŰĞŞĂÂÎȘȚĀĒĪŪĢĶĻŅ"
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

_ONSETS = (
    "b bl br c ch cl cr d dr f fl fr g gl gr h j k l m n p pl pr qu r s sc sh sl sp st str t th tr v w x y z"
)
_VOWELS = "a e i o u ai au ea ee ei ia ie io oa oi oo ou ue y"
_CODAS = "  b ck d f g l ll lt m mp n nd ng nt p r rd rk rn rt s ss st t th w x z"
_TLDS = ("com", "org", "net", "edu", "io", "de", "fr", "co.uk", "info", "eu", "nl", "pl", "es", "it")
_EXTENSIONS = ("txt", "pdf", "py", "csv", "tar.gz", "html", "json", "cpp", "jpg", "md")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_CURRENCIES = ("$", "€", "£", "¥")
_CODES = ("EUR", "USD", "GBP", "CHF", "SEK", "PLN")


def random_string(rng: np.random.Generator, kind: StringKind | None = None, *, accents: bool = False) -> str:
    """One random string without line breaks; of a random kind if none is given.

    Args:
        rng: source of randomness.
        kind: one of `STRING_KINDS`.
        accents: letters of words may carry the accents of Latin languages.

    Raises:
        InvalidOptionError: an unknown kind.
    """
    if kind is None:
        kind = _choose(rng, STRING_KINDS)
    if kind not in _MAKERS:
        raise InvalidOptionError(f"Unknown kind of string {kind!r}; it is one of {', '.join(STRING_KINDS)}.")
    text = _MAKERS[kind](rng)
    return _accented(rng, text) if accents and kind in ("word", "letters") else text


def _choose(rng: np.random.Generator, items: Sequence[T]) -> T:
    return items[int(rng.integers(len(items)))]


def _chars(rng: np.random.Generator, alphabet: str, low: int, high: int) -> str:
    """Between `low` and `high` characters, both included."""
    count = int(rng.integers(low, high + 1))
    return "".join(alphabet[i] for i in rng.integers(len(alphabet), size=count))


def _cased(rng: np.random.Generator, text: str) -> str:
    return _choose(rng, (text, text, text.capitalize(), text.upper()))


def _accented(rng: np.random.Generator, text: str) -> str:
    def accent(letter: str) -> str:
        if not letter.isalpha() or rng.random() > 0.3:
            return letter
        return _choose(rng, ACCENTED_UPPER if letter.isupper() else ACCENTED_LOWER)

    return "".join(map(accent, text))


def _syllables(rng: np.random.Generator, low: int, high: int) -> str:
    onsets, vowels, codas = _ONSETS.split(" "), _VOWELS.split(" "), _CODAS.split(" ")
    count = int(rng.integers(low, high + 1))
    return "".join(_choose(rng, onsets) + _choose(rng, vowels) + _choose(rng, codas) for _ in range(count))


def _word(rng: np.random.Generator) -> str:
    return _cased(rng, _syllables(rng, 1, 4))


def _letters(rng: np.random.Generator) -> str:
    return _chars(rng, _choose(rng, (UPPER, LOWER, UPPER + LOWER)), 2, 12)


def _code(rng: np.random.Generator) -> str:
    groups = [
        _chars(rng, _choose(rng, (UPPER, DIGITS, UPPER + DIGITS)), 1, 5)
        for _ in range(int(rng.integers(1, 5)))
    ]
    return _choose(rng, ("-", "-", "/", ".", "_", "", " ")).join(groups)


def _whole(rng: np.random.Generator) -> int:
    return int(rng.integers(10 ** int(rng.integers(1, 10))))


def _grouped(rng: np.random.Generator, text: str) -> str:
    """Thousands in English, German, Swiss or no grouping."""
    separators = _choose(rng, ((",", "."), (".", ","), ("'", "."), ("", "."), ("", ",")))
    whole, _, fraction = text.partition(".")
    whole = f"{int(whole):,}".replace(",", separators[0])
    return f"{whole}{separators[1]}{fraction}" if fraction else whole


def _integer(rng: np.random.Generator) -> str:
    return _choose(rng, ("", "", "", "-", "+")) + _grouped(rng, str(_whole(rng)))


def _decimal(rng: np.random.Generator) -> str:
    return _choose(rng, ("", "", "-")) + _grouped(rng, f"{_whole(rng) % 10**6}.{_chars(rng, DIGITS, 1, 5)}")


def _money(rng: np.random.Generator) -> str:
    amount = _grouped(rng, f"{_whole(rng) % 10**7}.{_chars(rng, DIGITS, 2, 2)}")
    sign, code = _choose(rng, _CURRENCIES), _choose(rng, _CODES)
    return _choose(rng, (f"{sign}{amount}", f"{amount} {sign}", f"{amount} {code}", f"{code} {amount}"))


def _percentage(rng: np.random.Generator) -> str:
    value = _choose(
        rng, (f"{rng.uniform(0, 100):.1f}", f"{rng.uniform(0, 1000):.2f}", str(int(rng.integers(101))))
    )
    return value + _choose(rng, ("%", "%", " %"))


def _date(rng: np.random.Generator) -> str:
    day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), int(rng.integers(1600, 2100))
    name = _MONTHS[month - 1]
    return _choose(rng, (
        f"{year}-{month:02}-{day:02}", f"{day:02}/{month:02}/{year}", f"{month}/{day}/{year % 100:02}",
        f"{day}.{month}.{year}", f"{day} {name} {year}", f"{name} {day}, {year}", f"{day}-{name[:3]}-{year}",
        f"{name[:3]} {year}",
    ))  # fmt: skip


def _time(rng: np.random.Generator) -> str:
    hour, minute, second = int(rng.integers(24)), int(rng.integers(60)), int(rng.integers(60))
    half = f"{hour % 12 or 12}:{minute:02} {'am' if hour < 12 else 'pm'}"
    return _choose(rng, (f"{hour:02}:{minute:02}", f"{hour:02}:{minute:02}:{second:02}", half, half.upper()))


def _phone(rng: np.random.Generator) -> str:
    return _choose(rng, (
        f"+{_chars(rng, DIGITS, 1, 3)} {_chars(rng, DIGITS, 2, 3)} {_chars(rng, DIGITS, 5, 8)}",
        f"({_chars(rng, DIGITS, 3, 3)}) {_chars(rng, DIGITS, 3, 3)}-{_chars(rng, DIGITS, 4, 4)}",
        f"0{_chars(rng, DIGITS, 2, 4)}/{_chars(rng, DIGITS, 5, 8)}",
    ))  # fmt: skip


def _host(rng: np.random.Generator) -> str:
    return f"{_syllables(rng, 1, 3)}.{_choose(rng, _TLDS)}"


def _url(rng: np.random.Generator) -> str:
    parts = [_choose(rng, (_syllables(rng, 1, 2), _chars(rng, LOWER + DIGITS + "-_", 2, 9)))
             for _ in range(int(rng.integers(0, 4)))]  # fmt: skip
    query = (
        f"?{_chars(rng, LOWER, 1, 4)}={_chars(rng, LOWER + UPPER + DIGITS, 1, 8)}"
        if rng.random() < 0.25
        else ""
    )
    return _choose(rng, ("https://", "http://", "www.", "")) + "/".join([_host(rng), *parts]) + query


def _email(rng: np.random.Generator) -> str:
    user = _choose(rng, (".", "_", "-", "")).join((_syllables(rng, 1, 2), _syllables(rng, 1, 2)))
    return f"{user}{_chars(rng, DIGITS, 0, 2)}@{_host(rng)}"


def _path(rng: np.random.Generator) -> str:
    parts = [_syllables(rng, 1, 2) for _ in range(int(rng.integers(1, 5)))]
    file = f"{parts.pop()}.{_choose(rng, _EXTENSIONS)}"
    return _choose(rng, ("/", "./", "~/", "")) + "/".join([*parts, file])


def _hash(rng: np.random.Generator) -> str:
    return _chars(rng, _choose(rng, (DIGITS + "abcdef", DIGITS + "ABCDEF", LOWER + UPPER + DIGITS)), 6, 24)


def _version(rng: np.random.Generator) -> str:
    numbers = ".".join(str(int(rng.integers(30))) for _ in range(int(rng.integers(2, 4))))
    return _choose(rng, ("v", "", "")) + numbers + _choose(rng, ("", "", "-rc1", "b2", "+dev"))


def _reference(rng: np.random.Generator) -> str:
    number, name = int(rng.integers(1, 400)), _syllables(rng, 1, 3).capitalize()
    end, year = number + int(rng.integers(1, 40)), int(rng.integers(1900, 2030))
    return _choose(rng, (
        f"[{number}]", f"({name}, {year})", f"pp. {number}–{end}", f"§ {number}", f"Fig. {number % 30}",
        f"No. {number}", f"#{number}", f"{number}th", f"© {name}",
    ))  # fmt: skip


def _noise(rng: np.random.Generator) -> str:
    return _chars(rng, UPPER + LOWER + DIGITS + PUNCTUATION, 3, 14)


_MAKERS: Mapping[str, Callable[[np.random.Generator], str]] = MappingProxyType({
    "word": _word, "letters": _letters, "code": _code, "integer": _integer, "decimal": _decimal,
    "money": _money, "percentage": _percentage, "date": _date, "time": _time, "phone": _phone, "url": _url,
    "email": _email, "path": _path, "hash": _hash, "version": _version, "reference": _reference,
    "noise": _noise,
})  # fmt: skip
STRING_KINDS: tuple[StringKind, ...] = tuple(_MAKERS)  # type: ignore[assignment]
