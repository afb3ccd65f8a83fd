"""The small rules of the formula grammar: signs, scripts, factors, terms and sums.

Nothing is parsed back: every rule returns a `Math`, which knows both its LaTeX and its Typst.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..markup import math_notation as mx
from ..markup.math_notation import Math
from ..markup.math_symbols import BINARY, GREEK_LOWER, GREEK_UPPER, LIMIT_OPERATORS, RELATIONS

T = TypeVar("T")
Rule = Callable[[int], Math]

_COMMON_LETTERS = "xyztnkijabcfghmpqrsuvwdelNMTKSABCDEFGHLPQRUVWXYZIJO"
_INDEX_LETTERS = "ijknmtlrsabpq"
FUNCTION_LETTERS = "fghFGHuvpqwKLPTV"
_COMMON_GREEK = ("alpha", "beta", "gamma", "delta", "lambda", "mu", "sigma", "theta", "pi", "omega", "phi", "psi",
                 "rho", "tau", "epsilon", "varepsilon", "xi", "eta", "nu", "kappa", "varphi", "chi")  # fmt: skip
_COMMON_RELATIONS = ("leq", "geq", "neq", "approx", "sim", "equiv", "propto", "in", "subset", "subseteq",
                     "ll")  # fmt: skip
_COMMON_BINARY = ("cdot", "times", "otimes", "oplus", "circ", "wedge", "cup", "cap", "pm", "*")
_NAMED = ("tr", "diag", "rank", "Var", "Cov", "sgn", "span", "supp", "KL", "Hom", "Aut", "End", "Spec", "vol",
          "div", "softmax", "erf", "id", "Ker", "ReLU", "dist")  # fmt: skip
_LABELS = ("max", "min", "eff", "tot", "eq", "ext", "in", "out", "loc", "obs", "model", "train", "test", "kin", "B",
           "F", "T", "loss", "free", "int", "rad", "crit", "opt")  # fmt: skip
_MAX_TRIES = 40


class FormulaTerms:
    """Random parts of formulas; the same `rng` state gives the same part.

    Args:
        rng: source of randomness.
        rare: how often a sign is drawn from all known ones rather than from those that papers use most, 0 to 1.
    """

    def __init__(self, rng: random.Random, rare: float = 0.15) -> None:
        self._rng = rng
        self._rare = rare

    # Choices

    def _weighted(self, options: Sequence[tuple[float, T]]) -> T:
        return self._rng.choices([option for _, option in options], [weight for weight, _ in options])[0]

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _fitting(
        self, make: Callable[[], Math], max_width: float, *, flat: bool = False, first: bool = False
    ) -> Math:
        """The first of several tries that fits; one letter where none does.

        Args:
            make: gives a try.
            max_width: in em.
            flat: no higher than a line of text.
            first: for the start of a row, where LaTeX would take a bracket for an option.
        """
        for _ in range(_MAX_TRIES):
            formula = make()
            if (
                formula.width > max_width
                or (flat and formula.tall)
                or (first and formula.tex.startswith("["))
            ):
                continue
            return formula
        return self._letter()

    # Signs

    def _letter(self) -> Math:
        return mx.letter(self._rng.choice(_COMMON_LETTERS))

    def _letter_of(self, letters: str) -> Math:
        return mx.letter(self._rng.choice(letters))

    def _greek(self) -> Math:
        if self._chance(self._rare):
            return mx.symbol(self._rng.choice((*GREEK_LOWER, *GREEK_UPPER)))
        return mx.symbol(self._rng.choice(_COMMON_GREEK))

    def _number(self) -> Math:
        kind = self._rng.random()
        if kind < 0.6:
            return mx.number(str(self._rng.randint(0, 9)))
        if kind < 0.85:
            return mx.number(str(self._rng.randint(10, 9999)))
        return mx.number(f"{self._rng.randint(0, 99)}.{self._rng.randint(0, 999)}")

    def _relation(self) -> str:
        if self._chance(0.55):
            return "="
        if self._chance(0.2):
            return self._rng.choice("<>")
        names = tuple(RELATIONS) if self._chance(self._rare) else _COMMON_RELATIONS
        return self._rng.choice(names)

    def _sign(self) -> str:
        if self._chance(0.8):
            return self._rng.choice("++-")
        return self._rng.choice(tuple(BINARY) if self._chance(self._rare) else _COMMON_BINARY)

    def _atom(self) -> Math:
        kind = self._rng.random()
        if kind < 0.5:
            return self._letter()
        if kind < 0.72:
            return self._greek()
        if kind < 0.92:
            return self._styled_letter()
        return mx.symbol(
            self._rng.choice(("infty", "hbar", "ell", "nabla", "partial", "aleph", "emptyset", "top"))
        )

    def _styled_letter(self) -> Math:
        kind = self._rng.random()
        capital, small = (
            self._rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            self._rng.choice("abcdghnpqrstuvwxyz"),
        )
        if kind < 0.2:
            return mx.alphabet("mathbf", self._rng.choice((capital, small)))
        if kind < 0.35:
            return mx.alphabet("mathcal", capital)
        if kind < 0.47:
            return mx.alphabet("mathbb", self._rng.choice("RRNZCQEPFHKTS"))
        if kind < 0.53:
            return mx.alphabet("mathfrak", self._rng.choice((capital, small)))
        if kind < 0.6:
            return mx.alphabet("mathrm", self._rng.choice((capital, small)))
        if kind < 0.65:
            return mx.alphabet("mathsf", capital)
        if kind < 0.73:
            return mx.bold_symbol(self._rng.choice((self._greek(), mx.letter(small))))
        name = self._rng.choice(
            ("hat", "hat", "tilde", "tilde", "bar", "bar", "vec", "dot", "ddot", "check", "breve")
        )
        return mx.accent(name, self._rng.choice((mx.letter(capital), mx.letter(small), self._greek())))

    # Scripts

    def _index(self) -> Math:
        return self._letter_of(_INDEX_LETTERS)

    def _range(self) -> Math:
        return mx.chain([mx.number(str(self._rng.randint(0, 2))), mx.symbol("ldots"), self._index()], ",")

    def _small_sum(self) -> Math:
        first = self._indexed(0) if self._chance(0.7) else mx.number(str(self._rng.randint(0, 99)))
        if self._chance(0.5):
            return first
        second = self._indexed(0) if self._chance(0.5) else mx.number(str(self._rng.randint(1, 9)))
        return mx.binary(first, self._rng.choice("+-"), second)

    def _subscript(self) -> Math:
        return self._weighted((
            (5, self._index),
            (3, lambda: mx.number(str(self._rng.randint(0, 12)))),
            (2, lambda: mx.join(self._index(), self._index())),
            (1.5, lambda: mx.chain([self._index(), self._index()], ",")),
            (1.5, lambda: mx.binary(self._index(), self._rng.choice("+-"), mx.number("1"))),
            (2.5, self._label),
            (1, self._greek),
        ))()  # fmt: skip

    def _label(self) -> Math:
        """An upright word under a letter; the spelling depends on the word, because the picture does not."""
        label = self._rng.choice(_LABELS)
        if label in LIMIT_OPERATORS:
            return mx.operator(label)
        return mx.words(label) if len(label) > 1 else mx.alphabet("mathrm", label)

    def _superscript(self) -> Math:
        return self._weighted((
            (5, lambda: mx.number(str(self._rng.randint(2, 4)))),
            (2, self._index),
            (1, lambda: mx.delimited("(", self._index(), ")")),
            (1, lambda: mx.join(mx.symbol("-"), mx.number(str(self._rng.randint(1, 3))))),
            (1, lambda: mx.symbol(self._rng.choice(("*", "dagger", "top", "circ", "infty", "perp")))),
            (1, lambda: mx.binary(self._index(), self._rng.choice("+-"), mx.number("1"))),
            (0.6, lambda: mx.join(self._greek(), self._index())),
            (0.5, lambda: mx.join(mx.number("1"), mx.symbol("/"), mx.number(str(self._rng.randint(2, 4))))),
        ))()  # fmt: skip

    def _indexed(self, depth: int) -> Math:
        base = self._atom()
        kind = self._rng.random()
        if kind < 0.3:
            return base
        if kind < 0.62:
            return mx.scripts(base, sub=self._subscript())
        if kind < 0.82:
            return mx.scripts(base, sup=self._superscript())
        if kind < 0.93:
            return mx.scripts(base, self._subscript(), self._superscript())
        letter = self._letter()
        return mx.prime(letter, self._rng.choice((1, 1, 2)), self._index() if self._chance(0.3) else None)

    # Expressions

    def _factor(self, depth: int) -> Math:
        if depth <= 0:
            return self._indexed(depth)
        rules: tuple[tuple[float, Rule], ...] = (
            (10, self._indexed),
            (3, self._fraction),
            (2.5, self._application),
            (1.5, self._group),
            (1, self._root),
            (1.2, self._named_function),
            (1, self._norm),
            (0.4, self._binomial),
            (0.6, self._exponential),
            (0.5, self._small_sum_operator),
            (0.4, self._wide_accent),
        )
        return self._weighted(rules)(depth - 1)

    def _term(self, depth: int) -> Math:
        factors = [self._factor(depth) for _ in range(self._rng.choice((1, 1, 1, 2, 2, 3)))]
        if self._chance(0.25):
            factors.insert(0, mx.number(str(self._rng.randint(2, 99))))
        if len(factors) > 1 and self._chance(0.12):
            return mx.chain(factors, self._rng.choice(("cdot", "times", "otimes", "circ", "wedge")))
        return mx.join(*factors)

    def _sum(self, depth: int, most: int = 3) -> Math:
        total = self._term(depth)
        if self._chance(0.08):
            total = mx.join(mx.symbol("-"), total)
        for _ in range(self._rng.randint(0, most - 1)):
            last = self._number() if self._chance(0.12) else self._term(depth)
            total = mx.binary(total, self._sign(), last)
        return total

    def _list(self, least: int, most: int) -> list[Math]:
        items = [self._indexed(0) for _ in range(self._rng.randint(least, most))]
        if len(items) > 2 and self._chance(0.4):
            items[-2] = mx.symbol("ldots")
        return items

    def _fraction(self, depth: int) -> Math:
        above = self._number() if self._chance(0.25) else self._sum(depth, 2)
        below = self._number() if self._chance(0.2) else self._sum(depth, 2)
        if self._chance(0.15):
            mark = mx.symbol("partial") if self._chance(0.6) else mx.letter("d")
            above, below = mx.join(mark, self._indexed(0)), mx.join(mark, self._letter_of("xytrsu"))
        return mx.fraction(above, below)

    def _application(self, depth: int) -> Math:
        head = self._rng.choice((self._letter_of(FUNCTION_LETTERS), self._greek(), self._styled_letter()))
        if self._chance(0.3):
            head = mx.scripts(head, self._subscript(), None if self._chance(0.7) else self._superscript())
        inside = mx.chain(self._list(1, 3), ",") if self._chance(0.7) else self._sum(depth, 2)
        opening, closing = self._weighted(((8, "()"), (1, "[]")))
        return mx.join(head, mx.delimited(opening, inside, closing))

    def _group(self, depth: int) -> Math:
        opening, closing = self._weighted(((6, "()"), (2, "[]"), (1, "{}")))
        inside = self._sum(depth, 3)
        if self._chance(0.15):
            size = "bigg" if inside.tall else self._rng.choice(("big", "Big"))
            group = mx.big_delimited(size, opening, inside, closing)
        else:
            group = mx.delimited(opening, inside, closing)
        return mx.scripts(group, sup=self._superscript()) if self._chance(0.35) else group

    def _root(self, depth: int) -> Math:
        index = mx.number(str(self._rng.randint(3, 5))) if self._chance(0.2) else None
        return mx.root(self._sum(depth, 2), index)

    def _named_function(self, depth: int) -> Math:
        name = self._rng.choice(("sin", "cos", "log", "ln", "exp", "tan", "sinh", "cosh", "tanh", "arctan", "det",
                                 "dim", "ker", "arg", "arcsin", "cot", *_NAMED))  # fmt: skip
        head = mx.operator(name)
        if name in ("sin", "cos", "log", "tan") and self._chance(0.25):
            head = mx.scripts(head, sup=mx.number("2")) if name != "log" else mx.scripts(head, mx.number("2"))
        if name in ("sin", "cos", "log", "ln", "tan") and self._chance(0.5):
            return mx.join(head, self._indexed(0))
        return mx.join(head, mx.delimited("(", self._sum(depth, 2), ")"))

    def _norm(self, depth: int) -> Math:
        fence = self._weighted(((3, ("||", "||")), (3, ("|", "|")), (1, ("lfloor", "rfloor")),
                                (1, ("lceil", "rceil")), (1.5, ("<", ">"))))  # fmt: skip
        inside = self._sum(depth, 2)
        if fence[0] == "<":
            inside = mx.chain([inside, self._indexed(0)], ",")
        body = mx.delimited(fence[0], inside, fence[1])
        if fence[0] == "||" and self._chance(0.6):
            return mx.scripts(
                body, mx.number(str(self._rng.randint(1, 2))), mx.number("2") if self._chance(0.5) else None
            )
        return body

    def _binomial(self, depth: int) -> Math:
        return mx.binomial(self._index(), self._index())

    def _exponential(self, depth: int) -> Math:
        sign = [mx.symbol("-")] if self._chance(0.6) else []
        power = self._rng.choice((
            mx.join(*sign, self._greek(), self._index()),
            mx.join(*sign, mx.letter("i"), self._letter(), self._index()),
            mx.join(*sign, self._indexed(0), mx.symbol("/"), mx.number(str(self._rng.randint(2, 9)))),
        ))  # fmt: skip
        return mx.scripts(mx.letter("e"), sup=power)

    def _small_sum_operator(self, depth: int) -> Math:
        return mx.join(self._big(), self._term(min(depth, 1)))

    def _wide_accent(self, depth: int) -> Math:
        name = self._rng.choice(
            ("overline", "overline", "widehat", "widetilde", "underline", "overrightarrow")
        )
        return mx.accent(name, mx.join(self._letter_of("ABXYZfg"), self._letter_of("BCDTUxy")))

    def _power_of_number(self) -> Math:
        power = mx.join(
            *([mx.symbol("-")] if self._chance(0.5) else []), mx.number(str(self._rng.randint(1, 20)))
        )
        ten = mx.scripts(mx.number("10"), sup=power)
        return mx.binary(self._number(), "times", ten) if self._chance(0.6) else ten

    def _big(self) -> Math:
        """A large operator with its limits."""
        name = self._weighted(((8, "sum"), (3, "prod"), (1, "bigcup"), (1, "bigcap"), (1, "bigoplus"),
                               (0.4, "bigotimes"), (0.3, "coprod"), (0.3, "bigvee"), (0.3, "bigwedge"),
                               (0.2, "bigsqcup")))  # fmt: skip
        kind = self._rng.random()
        if kind < 0.6:
            start = mx.binary(self._index(), "=", mx.number(str(self._rng.randint(0, 2))))
            end = (
                mx.symbol("infty")
                if self._chance(0.3)
                else self._rng.choice((self._index(), self._letter_of("NMKT")))
            )
            return mx.scripts(mx.big_operator(name), start, end)
        if kind < 0.8:
            return mx.scripts(mx.big_operator(name), mx.binary(self._index(), "in", self._styled_letter()))
        if kind < 0.92:
            return mx.scripts(mx.big_operator(name), self._index())
        lines = [
            mx.binary(self._index(), "=", mx.number("1")),
            mx.binary(self._index(), "neq", self._index()),
        ]
        return mx.scripts(mx.big_operator(name), mx.stacked(lines), self._letter_of("nNmM"))

    def _space_name(self) -> Math:
        base = (
            mx.alphabet("mathbb", self._rng.choice("RRRCZNQ")) if self._chance(0.7) else self._styled_letter()
        )
        power = self._rng.choice(
            (self._index(), mx.binary(self._index(), "times", self._index()), mx.number("3"))
        )
        return mx.scripts(base, sup=power) if self._chance(0.6) else base
