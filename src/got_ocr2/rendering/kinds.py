"""Which kind of output a text is. The model marks none of them, so the text itself must tell.

| kind | is a text |
|---|---|
| music | that has a line beginning with the interpretation `**kern` (or `**ekern`, `**bekern`) |
| geometry | that begins with a `tikzpicture`, after a LaTeX preamble at most, or with a drawing command |
| chart | that begins with `{"name":`, in quotes of either sort |
| molecule | in `<smiles>` tags, or of one word that only a SMILES string would be |
| page | of any other sort |

Some words are SMILES strings too: CO, ICON, CO-OP, P=NP, CCCP. Without tags a molecule therefore has at least four
atoms, one of them carbon, and a double bond, ring, bracket or inner branch; of letters alone, five and mostly C. Short
ones such as CCO are read as words: name the kind. A page that holds a drawing or a score among other text is a page.
"""

from __future__ import annotations

import re

_MUSIC = re.compile(r"^\*\*(?:b?ekern\S*|kern)(?:[\t ]|\r?$)", re.MULTILINE)
_PREAMBLE = re.compile(
    r"(?:\s|%[^\n]*\n|\\documentclass\b[^\n]*|\\usepackage\b[^\n]*|\\usetikzlibrary\b[^\n]*|\\begin\{document\})*"
)
_DRAWING = re.compile(r"\\begin\{tikzpicture\}|\\(?:draw|filldraw)\b[^\n]*\([^\n]*;")
_CHART = re.compile(r"\s*\{\s*(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}')\s*:")
_TAGGED = re.compile(r"\s*<smiles>[^<]*(?:</smiles>\s*)?")
_ATOM = re.compile(r"\[[^\[\]\s]{1,30}\]|Br|Cl|[BCNOPSFI]|[bcnops]")
_BRACKET = re.compile(r"\[\d*(?:[A-Z][a-z]?|[bcnops]|se|as|\*)@{0,2}(?:H\d*)?(?:[+-]+\d*)?(?::\d+)?\]")
_TOKEN = re.compile(rf"{_ATOM.pattern}|%\d\d|\d|[().=#$:/\\~-]")
_LONGEST = 2000  # characters; no molecule in PubChem is written with more


def kind_of(text: str) -> str:
    """A name of `registry.KINDS`."""
    if _MUSIC.search(text):
        return "music"
    if _CHART.match(text):
        return "chart"
    start = _PREAMBLE.match(text)
    if start is not None and _DRAWING.match(text, start.end()):
        return "geometry"
    if _TAGGED.fullmatch(text) or _is_smiles(text.strip()):
        return "molecule"
    return "page"


def _is_smiles(word: str) -> bool:
    """Whether a word can hardly be anything else. Broken strings count if they are long enough to be sure."""
    if not word or len(word) > _LONGEST or not _ATOM.match(word):
        return False
    tokens = _TOKEN.findall(word)
    if sum(map(len, tokens)) != len(word):
        return False
    atoms = [token for token in tokens if _ATOM.fullmatch(token)]
    brackets = [atom for atom in atoms if atom[0] == "["]
    if not all(map(_BRACKET.fullmatch, brackets)):
        return False
    carbons = sum(atom in {"C", "c"} or atom[1:2] in {"C", "c"} for atom in atoms)
    if brackets and any(sign in bracket for bracket in brackets for sign in "+-@"):
        return True
    if not carbons or len(atoms) < 4:
        return False
    signs = [token for token in tokens if token in "()=#" or token.isdigit() or token[0] == "%"]
    if not signs:
        return len(atoms) == len(tokens) >= 5 and 3 * atoms.count("C") >= 2 * len(atoms)
    whole = _closed(tokens)
    only_a_last_branch = word.endswith(")") and not set(signs) - {"(", ")"} and word.count("(") == 1
    return not only_a_last_branch if whole else len(atoms) >= 8 and len(signs) >= 3


def _closed(tokens: list[str]) -> bool:
    """Whether branches and rings are closed and no bond or branch leads nowhere."""
    depth, rings, last = 0, dict[str, int](), ""
    for place, token in enumerate(tokens):
        if token == "(":
            depth += 1
        elif token == ")":
            depth -= 1
            if depth < 0 or last in "(=#-":
                return False
        elif token.isdigit() or token[0] == "%":
            number = token.lstrip("%0")
            if number in rings and place - rings[number] < 3:  # a ring of two atoms
                return False
            rings.pop(number) if number in rings else rings.update({number: place})
        last = token
    return depth == 0 and not rings and last not in "=#-/\\.:$~"
