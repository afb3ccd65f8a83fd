r"""Formulas compared as what they look like: two spellings of one formula become one list of tokens.

Normalised away: delimiters, spacing, sizes (`\left`, `\big`, `\displaystyle`), needless or missing braces,
the order of subscript and superscript, synonyms (`\le` and `\leq`), fonts of function names (`\sin`,
`\operatorname{sin}`, `\mathrm{sin}`), `'` and `^{\prime}`. Anything else is left as it is, so a match means
equal and a mismatch may still look alike: the rate is a lower bound of what comparing both as drawn would
give (CDM, olmOCR-bench).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .edit_distance import normalised_distance

# A nested list of tokens; a list is a braced group.
Tree = list["str | Tree"]

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\s+|.", re.DOTALL)
_DELIMITERS = re.compile(r"\A(?:\$\$?|\\\(|\\\[)|(?:\$\$?|\\\)|\\\])\Z")

_SPACING_AND_SIZES = r"""
\quad \qquad \thinspace \medspace \thickspace \enspace \displaystyle \textstyle \scriptstyle
\scriptscriptstyle \limits \nolimits \nonumber \notag \middle \big \Big \bigg \Bigg \bigl \Bigl \biggl \Biggl
\bigr \Bigr \biggr \Biggr \bigm \Bigm \biggm \Biggm
"""
_DROPPED = frozenset({"~", "\\ ", "\\\n", "\\,", "\\;", "\\:", "\\!", "\\>", *_SPACING_AND_SIZES.split()})
_SYNONYMS = {
    r"\le": r"\leq",
    r"\ge": r"\geq",
    r"\ne": r"\neq",
    r"\to": r"\rightarrow",
    r"\gets": r"\leftarrow",
    r"\iff": r"\Longleftrightarrow",
    r"\lbrace": r"\{",
    r"\rbrace": r"\}",
    r"\lbrack": "[",
    r"\rbrack": "]",
    r"\vert": "|",
    r"\lvert": "|",
    r"\rvert": "|",
    r"\mid": "|",
    r"\Vert": r"\|",
    r"\lVert": r"\|",
    r"\rVert": r"\|",
    r"\land": r"\wedge",
    r"\lor": r"\vee",
    r"\neg": r"\lnot",
    r"\dots": r"\ldots",
    r"\dotsc": r"\ldots",
    r"\dotsb": r"\cdots",
    r"\dfrac": r"\frac",
    r"\tfrac": r"\frac",
    r"\cfrac": r"\frac",
    r"\dbinom": r"\binom",
    r"\tbinom": r"\binom",
    r"\bm": r"\boldsymbol",
    r"\text": r"\mathrm",
    r"\textrm": r"\mathrm",
    r"\textnormal": r"\mathrm",
    r"\mbox": r"\mathrm",
    r"\operatorname": r"\mathrm",
    r"\operatorname*": r"\mathrm",
    r"\textbf": r"\mathbf",
    r"\textit": r"\mathit",
    r"\Bbb": r"\mathbb",
    r"\ast": "*",
    r"\colon": ":",
    r"\lt": "<",
    r"\gt": ">",
}
# Old commands that hold to the end of their group.
_SWITCHES = {r"\rm": r"\mathrm", r"\bf": r"\mathbf", r"\it": r"\mathit", r"\cal": r"\mathcal"}
_FUNCTION_NAMES = """
arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log max
min Pr sec sin sinh sup tan tanh
"""
_FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
_ONE_ARGUMENT = r"""
\sqrt \mathrm \mathbf \mathit \mathcal \mathbb \mathfrak \mathscr \mathsf \mathtt \boldsymbol \hat \bar \tilde
\vec \dot \ddot \widehat \widetilde \overline \underline \overbrace \underbrace \check \acute \grave \breve
"""
# How many arguments follow; a command that is not listed takes none, unless a brace stands right after it.
_ARGUMENTS = {r"\frac": 2, r"\binom": 2, r"\stackrel": 2, r"\overset": 2, r"\underset": 2} | dict.fromkeys(
    _ONE_ARGUMENT.split(), 1
)
# Deeper nesting than any formula has: what a looping model writes is read flat from there on.
_DEEPEST = 60


def normalise(latex: str) -> tuple[str, ...]:
    """The tokens of a formula in the one spelling this module knows; braces stand around every argument."""
    text = latex.strip()
    while (inner := _DELIMITERS.sub("", text).strip()) != text:
        text = inner
    return tuple(_flat(_canonical(_tree(_clean(_TOKEN.findall(text))))))


def formula_match(prediction: str, truth: str) -> bool:
    """Whether both formulas are the same after normalisation."""
    return normalise(prediction) == normalise(truth)


def formula_distance(prediction: str, truth: str) -> float:
    """Edits of normalised tokens divided by the longer length, 0 (same) to 1."""
    return normalised_distance(normalise(prediction), normalise(truth))


def _clean(tokens: Iterable[str]) -> list[str]:
    """Tokens without spacing and sizes, synonyms unified; `\\left.` and `\\right.` go with their dot."""
    kept: list[str] = []
    after_fence = False
    for token in tokens:
        if token.isspace() or token in _DROPPED:
            continue
        if token in (r"\left", r"\right"):
            after_fence = True
            continue
        if not (after_fence and token == "."):
            token = _SYNONYMS.get(token, token)
            if token == "'":
                kept += ["^", r"\prime"]
            elif token[0] == "\\" and token[1:].rstrip("*") in _FUNCTIONS:
                kept += [r"\mathrm", "{", *token[1:].rstrip("*"), "}"]
            else:
                kept.append(token)
        after_fence = False
    return kept


def _tree(tokens: list[str]) -> Tree:
    """Braces to nested lists; a brace without its partner is left out."""
    stack: list[Tree] = [[]]
    skipped = 0
    for token in tokens:
        if token == "{":
            if len(stack) > _DEEPEST:
                skipped += 1
            else:
                stack.append([])
        elif token == "}":
            if skipped:
                skipped -= 1
            elif len(stack) > 1:
                group = stack.pop()
                stack[-1].append(group)
        else:
            stack[-1].append(token)
    while len(stack) > 1:
        group = stack.pop()
        stack[-1].append(group)
    return stack[0]


def _canonical(tree: Tree) -> Tree:
    """Every argument a group, needless groups dissolved, scripts as `_{..}` before `^{..}`."""
    if r"\over" in tree:
        cut = tree.index(r"\over")
        return [r"\frac", _canonical(tree[:cut]), _canonical(tree[cut + 1 :])]
    out: Tree = []
    i = 0
    while i < len(tree):
        node = tree[i]
        if isinstance(node, list):
            i += 1
            group: Tree = _canonical(node)
            scripts: Tree = []
            if i < len(tree) and tree[i] in ("^", "_"):
                i = _scripts(tree, i, scripts)
            # Scripts of a group stand at all of it: {x^2}^3 is not x^{23}.
            out += [group] if scripts and len(group) > 1 else group
            out += scripts
        elif node in _SWITCHES:
            return [*out, _SWITCHES[node], _canonical(tree[i + 1 :])]
        elif node in ("^", "_"):
            i = _scripts(tree, i, out)
        elif node.startswith("\\"):
            i = _command(tree, i, out)
        else:
            out.append(node)
            i += 1
    return out


def _scripts(tree: Tree, i: int, out: Tree) -> int:
    """Writes the run of scripts at place `i`, subscript first; gives the place after it."""
    found: dict[str, Tree] = {"_": [], "^": []}
    while i < len(tree) and tree[i] in ("^", "_"):
        mark = str(tree[i])
        argument, i = _argument(tree, i + 1)
        found[mark] += argument
    for mark, argument in found.items():
        if argument:
            out += [mark, argument]
    return i


def _command(tree: Tree, i: int, out: Tree) -> int:
    """Writes the command at place `i` with its arguments; gives the place after them."""
    name = str(tree[i])
    out.append(name)
    i += 1
    if name == r"\sqrt" and i < len(tree) and tree[i] == "[" and "]" in tree[i:]:
        end = tree.index("]", i) + 1
        out += _canonical(tree[i:end])
        i = end
    wanted = _ARGUMENTS.get(name, 0)
    taken = 0
    while taken < wanted or (wanted == 0 and i < len(tree) and isinstance(tree[i], list)):
        argument, i = _argument(tree, i)
        out.append(argument)
        taken += 1
    return i


def _argument(tree: Tree, i: int) -> tuple[Tree, int]:
    """What the command or script before place `i` takes: a group, or a token with its own arguments."""
    if i >= len(tree):
        return [], i
    node = tree[i]
    if isinstance(node, list):
        return _canonical(node), i + 1
    end = i + 1 + (_ARGUMENTS.get(node, 0) if node.startswith("\\") else 0)
    return _canonical(tree[i:end]), end


def _flat(tree: Tree) -> list[str]:
    out: list[str] = []
    for node in tree:
        out += ["{", *_flat(node), "}"] if isinstance(node, list) else [node]
    return out
