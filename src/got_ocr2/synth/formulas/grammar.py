"""A grammar of formulas as research papers write them: the rules for whole formulas.

An integral, a limit, a definition by cases, a derivation over several lines and so on, built from the small rules
of `FormulaTerms`.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from ..markup import math_notation as mx
from ..markup.math_notation import Math
from ..markup.math_symbols import ARROWS
from .terms import FUNCTION_LETTERS, FormulaTerms

_CONDITIONS = ("if ", "for ", "when ", "for all ", "whenever ")
_GLUE = (" and ", " or ", " where ", " with ", " for all ", " for some ", " if and only if ", " as ", " for ",
         " such that ")  # fmt: skip
_OVER_MARKS = ("def", "iid", "law", "dist")


class FormulaGrammar(FormulaTerms):
    """Random formulas; the same `rng` state gives the same formula.

    Args:
        rng: source of randomness.
        rare: how often a sign is drawn from all known ones rather than from those that papers use most, 0 to 1.
    """

    def __init__(self, rng: random.Random, rare: float = 0.15) -> None:
        super().__init__(rng, rare)
        self._displays: tuple[tuple[float, Callable[[], Math]], ...] = (
            (6, self._statement),
            (3, self._integral),
            (3, self._summation),
            (2, self._limit),
            (2, self._definition_by_cases),
            (2.5, self._matrix_equation),
            (3, self._derivation),
            (1.5, self._set),
            (1.5, self._map),
            (2, self._probability),
            (2, self._optimisation),
            (2, self._differential),
            (1.5, self._braced),
            (1, self._convergence),
            (1.5, self._bracket_product),
            (1, self._evaluation),
            (1.5, self._with_words),
        )

    def display(self, max_width: float = 36.0) -> Math:
        """A formula that stands on lines of its own, at most about `max_width` em wide."""
        return self._fitting(lambda: self._weighted(self._displays)(), max_width)

    def inline(self, max_width: float = 12.0) -> Math:
        """A formula that stands in a line of text: no more than about `max_width` em wide, and no higher than it."""
        rules: tuple[tuple[float, Callable[[], Math]], ...] = (
            (5, lambda: self._indexed(1)),
            (3, lambda: mx.binary(self._indexed(1), self._relation(), self._small_sum())),
            (2, lambda: mx.binary(self._indexed(0), "in", self._space_name())),
            (1.5, lambda: self._application(0)),
            (1.5, lambda: mx.binary(self._index(), "=", self._range())),
            (1, lambda: self._power_of_number()),
            (1, lambda: mx.delimited("(", mx.chain(self._list(2, 3), ","), ")")),
            (1, self._short_map),
            (1, lambda: mx.join(self._letter_of("Oo"), mx.delimited("(", self._small_sum(), ")"))),
            (0.7, lambda: mx.delimited("{", mx.chain([self._indexed(0), self._indexed(0)], ","), "}")),
        )
        return self._fitting(lambda: self._weighted(rules)(), max_width, flat=True)

    # Displays

    def _statement(self) -> Math:
        left = self._sum(1, 2)
        right = self._sum(self._rng.choice((1, 2, 2, 3)), 3)
        statement = mx.binary(left, self._relation(), right)
        if self._chance(0.15):
            statement = mx.binary(statement, self._relation(), self._sum(1, 2))
        return self._punctuated(statement)

    def _punctuated(self, formula: Math) -> Math:
        if self._chance(0.3):
            return mx.join(formula, mx.symbol(self._rng.choice(",,.")))
        return formula

    def _differential_of(self, variable: Math) -> Math:
        d = mx.alphabet("mathrm", "d") if self._chance(0.2) else mx.letter("d")
        return mx.join(mx.space(","), d, variable)

    def _integral(self) -> Math:
        name = self._weighted(((8, "int"), (1, "iint"), (1, "oint")))
        sign = mx.big_operator(name)
        if name == "int" and self._chance(0.6):
            lower = self._rng.choice(
                (mx.number("0"), self._letter_of("ab"), mx.join(mx.symbol("-"), mx.symbol("infty")))
            )
            sign = mx.scripts(
                sign, lower, self._rng.choice((mx.symbol("infty"), mx.number("1"), self._letter_of("tTbx")))
            )
        elif self._chance(0.7):
            sign = mx.scripts(
                sign, self._rng.choice((mx.symbol("Omega"), self._letter_of("CSDV"), self._space_name()))
            )
        body = mx.join(sign, self._term(2), self._differential_of(self._letter_of("xytsru")))
        if self._chance(0.7):
            body = mx.binary(body, self._relation(), self._sum(2, 2))
        return self._punctuated(body)

    def _summation(self) -> Math:
        body = mx.join(self._big(), self._term(2))
        if self._chance(0.25):
            body = mx.join(self._big(), body)
        if self._chance(0.5):
            return self._punctuated(mx.binary(self._indexed(1), "=", body))
        return self._punctuated(mx.binary(body, self._relation(), self._sum(2, 2)))

    def _limit(self) -> Math:
        name = self._weighted(
            ((5, "lim"), (2, "max"), (2, "min"), (2, "sup"), (2, "inf"), (1, "limsup"), (1, "liminf"))
        )
        if name.startswith("lim"):
            target = self._rng.choice(
                (mx.symbol("infty"), mx.number("0"), mx.scripts(self._letter(), mx.number("0")))
            )
            below = mx.binary(self._letter_of("nNtkxh"), "rightarrow", target)
        else:
            below = mx.binary(self._indexed(0), "in", self._space_name())
        body = mx.join(mx.scripts(mx.operator(name), below), self._term(2))
        return self._punctuated(mx.binary(body, self._relation(), self._sum(1, 2)))

    def _definition_by_cases(self) -> Math:
        rows: list[tuple[Math, Math]] = []
        for _ in range(self._rng.randint(1, 3)):
            condition = mx.binary(self._indexed(0), self._relation(), self._small_sum())
            rows.append((
                self._fitting(lambda: mx.join(self._sum(1, 2), mx.symbol(",")), 14, first=True),
                mx.join(mx.words(self._rng.choice(_CONDITIONS)), condition, mx.symbol(",")),
            ))  # fmt: skip
        value = mx.join(mx.number("0") if self._chance(0.5) else self._indexed(0), mx.symbol(","))
        rows.append((value, mx.words("otherwise")))
        return mx.binary(self._application(0), "=", mx.cases(rows))

    def _matrix(self, rows: int, columns: int, environment: str | None = None) -> Math:
        if environment is None:
            options = ((5, "pmatrix"), (5, "bmatrix"), (0.5, "Bmatrix"), (0.3, "matrix"))
            square = ((1.5, "vmatrix"), (0.5, "Vmatrix")) if rows == columns else ()
            environment = self._weighted((*options, *square))
        numeric, dotted = self._chance(0.35), rows > 2 and columns > 2 and self._chance(0.4)
        cells = [[self._cell(numeric) for _ in range(columns)] for _ in range(rows)]
        if dotted:
            for row in range(rows):
                cells[row][-2] = mx.symbol("cdots")
            for column in range(columns):
                cells[-2][column] = mx.symbol("vdots")
            cells[-2][-2] = mx.symbol("ddots")
        return mx.matrix(environment, cells)

    def _cell(self, numeric: bool) -> Math:
        if numeric:
            sign = [mx.symbol("-")] if self._chance(0.25) else []
            return mx.join(*sign, mx.number(str(self._rng.randint(0, 9))))
        return mx.number("0") if self._chance(0.15) else self._fitting(self._small_sum, 6)

    def _matrix_equation(self) -> Math:
        rows, columns = self._rng.randint(1, 4), self._rng.randint(1, 4)
        if min(rows, columns) == 1:
            rows, columns = self._rng.choice(((rows, 4), (3, columns), (2, 2)))
        matrix = self._matrix(rows, columns)
        if self._chance(0.2):
            matrix = mx.scripts(
                matrix, sup=self._rng.choice((mx.symbol("top"), mx.number("2"), mx.letter("T")))
            )
        kind = self._rng.random()
        if kind < 0.4:
            return self._punctuated(mx.binary(self._indexed(0), "=", matrix))
        if kind < 0.75 and min(rows, columns) > 1:
            product = mx.join(matrix, self._matrix(columns, 1))
            return self._punctuated(mx.binary(product, "=", self._matrix(rows, 1)))
        if rows == columns:
            matrix = mx.join(
                mx.operator("det"), self._matrix(rows, rows, self._rng.choice(("pmatrix", "bmatrix")))
            )
        return self._punctuated(mx.binary(matrix, self._sign(), self._indexed(0)))

    def _derivation(self) -> Math:
        rows = [(self._fitting(lambda: self._sum(1, 1), 10, first=True), self._derived())]
        rows += [(mx.EMPTY, self._derived()) for _ in range(self._rng.randint(1, 4))]
        if self._chance(0.25):
            rows = [(self._indexed(1), self._derived()) for _ in rows]
        return mx.aligned(rows)

    def _derived(self) -> Math:
        return self._fitting(
            lambda: self._punctuated(mx.join(mx.symbol(self._relation()), self._sum(2, 3))), 24
        )

    def _set(self) -> Math:
        condition = mx.binary(self._sum(0, 2), self._relation(), self._sum(1, 1))
        if self._chance(0.3):
            condition = mx.join(
                condition, mx.words(" for all "), mx.binary(self._index(), "in", self._styled_letter())
            )
        member = mx.binary(self._indexed(0), "in", self._space_name())
        body = mx.delimited("{", mx.binary(member, self._rng.choice(("mid", ":")), condition), "}")
        return self._punctuated(mx.binary(self._styled_letter(), "=", body))

    def _short_map(self) -> Math:
        arrow = self._rng.choice(("rightarrow", "rightarrow", "mapsto"))
        return mx.join(
            self._letter_of(FUNCTION_LETTERS),
            mx.symbol(":"),
            mx.binary(self._letter_of("XYZAB"), arrow, self._space_name()),
        )

    def _map(self) -> Math:
        arrow = self._weighted(((5, "rightarrow"), (2, "mapsto"), (1, "hookrightarrow"), (1, "longrightarrow"),
                                (1, "Rightarrow"), (1, "Longrightarrow"), (1, "longmapsto"), (1, "Leftrightarrow"),
                                (0.8, self._rng.choice(tuple(ARROWS)))))  # fmt: skip
        arrows = [mx.symbol(arrow)]
        if arrow == "rightarrow" and self._chance(0.4):
            arrows = [
                mx.labelled_arrow(
                    self._rng.choice(
                        (self._indexed(0), mx.binary(self._index(), "rightarrow", mx.symbol("infty")))
                    )
                )
            ]
        parts = [self._sum(0, 1), *arrows, self._sum(0, 1)]
        if self._chance(0.3):
            parts += [mx.symbol("rightarrow"), self._sum(0, 1)]
        head = [self._indexed(0), mx.symbol(":")] if self._chance(0.5) else []
        return self._punctuated(mx.join(*head, *parts))

    def _probability(self) -> Math:
        heads = (
            mx.alphabet("mathbb", "E"),
            mx.alphabet("mathbb", "P"),
            mx.operator("Pr"),
            mx.operator("Var"),
        )
        head = self._rng.choice((*heads, mx.letter("P"), mx.letter("p")))
        if head.tex == "\\mathbb{E}" and self._chance(0.5):
            head = mx.scripts(head, mx.binary(self._index(), "sim", self._styled_letter()))
        inside = self._sum(1, 2)
        if self._chance(0.5):
            inside = mx.binary(inside, "mid", mx.chain(self._list(1, 2), ","))
        opening, closing = self._rng.choice(("()", "[]"))
        body = mx.join(head, mx.delimited(opening, inside, closing))
        return self._punctuated(mx.binary(body, self._relation(), self._sum(2, 2)))

    def _optimisation(self) -> Math:
        name = self._rng.choice(("argmin", "argmax", "min", "max"))
        below = (
            self._indexed(0) if self._chance(0.5) else mx.binary(self._indexed(0), "in", self._space_name())
        )
        body = mx.join(mx.scripts(mx.operator(name), below), self._sum(2, 2))
        left = (
            mx.accent(self._rng.choice(("hat", "tilde")), self._letter_of("wxyz"))
            if self._chance(0.4)
            else self._indexed(0)
        )
        return self._punctuated(mx.binary(left, "=", body))

    def _differential(self) -> Math:
        mark = mx.symbol("partial") if self._chance(0.7) else mx.letter("d")
        unknown, variable = self._indexed(0), self._letter_of("txyrs")
        second = self._chance(0.35)
        above = mx.join(mx.scripts(mark, sup=mx.number("2")) if second else mark, unknown)
        below = mx.join(mark, mx.scripts(variable, sup=mx.number("2")) if second else variable)
        left = mx.fraction(above, below)
        if self._chance(0.5):
            left = mx.binary(left, self._rng.choice("+-"), self._term(1))
        return self._punctuated(mx.binary(left, "=", self._sum(2, 2)))

    def _braced(self) -> Math:
        label = self._rng.choice(
            (mx.words("bias"), mx.words("variance"), self._indexed(0), mx.words("error term"))
        )
        part = mx.brace(self._rng.choice(("under", "under", "over")), self._sum(1, 2), label)
        return mx.binary(self._indexed(0), "=", mx.binary(part, self._rng.choice("+-"), self._term(1)))

    def _convergence(self) -> Math:
        mark = mx.words(self._rng.choice(_OVER_MARKS)) if self._chance(0.6) else self._letter_of("dpf")
        relation = mx.over(mx.symbol(self._rng.choice(("=", "=", "rightarrow", "sim"))), mark)
        return self._punctuated(mx.join(self._sum(1, 1), relation, self._sum(1, 2)))

    def _bracket_product(self) -> Math:
        if self._chance(0.5):
            bracket = mx.delimited("[", mx.chain([self._indexed(0), self._indexed(0)], ","), "]")
            return self._punctuated(mx.binary(bracket, "=", self._sum(1, 2)))
        left, right = self._indexed(0), self._indexed(0)
        state = self._rng.choice((
            mx.delimited("|", left, ">"),
            mx.delimited("<", mx.join(left, mx.symbol("|"), right), ">"),
            mx.join(mx.delimited("|", left, ">"), mx.symbol("otimes"), mx.delimited("|", right, ">")),
        ))  # fmt: skip
        return self._punctuated(mx.binary(state, "=", self._sum(2, 2)))

    def _evaluation(self) -> Math:
        variable = self._letter_of("xtys")
        below = mx.binary(variable, "=", mx.number(str(self._rng.randint(0, 9))))
        above = mx.binary(variable, "=", mx.number("1")) if self._chance(0.2) else None
        body = mx.evaluated(self._fraction(1), below, above)
        return self._punctuated(mx.binary(body, "=", self._sum(1, 2)))

    def _with_words(self) -> Math:
        first = mx.binary(self._sum(1, 1), self._relation(), self._sum(1, 2))
        second = mx.binary(self._sum(0, 1), self._relation(), self._sum(0, 2))
        if self._chance(0.4):
            return self._punctuated(mx.join(first, mx.symbol(","), mx.space("quad"), second))
        return self._punctuated(mx.join(first, mx.words(self._rng.choice(_GLUE)), second))
