"""Formulas: both renderers know every sign, nothing is clipped, and one picture has one spelling."""

from __future__ import annotations

import pickle
import random
import sys

import numpy as np
import pytest
from mathpix_reading import normal

from got_ocr2.errors import InvalidOptionError, MissingDependencyError
from got_ocr2.synth.drawing.typst_pdf import Typeset
from got_ocr2.synth.formulas import engine as formulas
from got_ocr2.synth.formulas.engine import FormulaEngine
from got_ocr2.synth.formulas.grammar import FormulaGrammar
from got_ocr2.synth.markup import math_notation as mx
from got_ocr2.synth.markup import math_symbols as mathsymbols

mathra = pytest.importorskip("mathra")
pytest.importorskip("typst")

COUNT = 40
X, Y = mx.letter("x"), mx.letter("y")
HALF = mx.fraction(mx.number("1"), mx.number("2"))


@pytest.fixture(scope="module")
def samples():
    engine = FormulaEngine()
    return [engine.sample(5, index) for index in range(COUNT)]


def drawn_by_typst(formula: mx.Math) -> str:
    source = (
        f'#set page(width: auto, height: auto)\n#set text(font: "New Computer Modern")\n$ {formula.typst} $'
    )
    with Typeset(source) as page:
        return page._page(0).get_textpage().get_text_range()


def test_same_seed_and_index_give_the_same_bytes(samples):
    again = pickle.loads(pickle.dumps(FormulaEngine()))
    for index in (3, 7, 20):
        sample = again.sample(5, index)
        assert sample.text == samples[index].text
        assert sample.image.tobytes() == samples[index].image.tobytes()
    assert len({sample.text for sample in samples}) == COUNT


def test_both_renderers_and_sentences_take_part(samples):
    assert {sample.meta["renderer"] for sample in samples} == {"mathra", "typst"}
    assert any("\\( " in sample.text for sample in samples)
    assert any("\\tag{" in sample.text for sample in samples)


def test_nothing_is_clipped(samples):
    for sample in samples:
        grey = np.asarray(sample.image.convert("L"), int)
        paper = int(np.bincount(grey.ravel()).argmax())
        edges = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
        assert abs(edges - paper).max() < 40, sample.text


def test_regions_are_tight_around_the_ink(samples):
    for sample in samples:
        assert "\n\n".join(region.text for region in sample.regions) == sample.text
        for region in sample.regions:
            left, top, right, bottom = region.box
            assert 0 <= left < right <= sample.image.width
            assert 0 <= top < bottom <= sample.image.height
            grey = np.asarray(sample.image.convert("L").crop(tuple(map(round, region.box))), int)
            assert np.ptp(grey) > 100


def test_formulas_stand_in_display_brackets(samples):
    for sample in samples:
        for part in sample.text.split("\n\n"):
            assert part.startswith("\\[ ") == part.endswith(" \\]")
        assert sample.task.format


@pytest.mark.parametrize("table", ["GREEK_LOWER", "GREEK_UPPER", "BINARY", "RELATIONS", "ARROWS", "ORDINARY"])
def test_every_sign_is_known_to_both_renderers(table):
    names = getattr(mathsymbols, table)
    for name in names:
        drawn = mathra.render(mx.join(X, mx.symbol(name), Y).tex)
        assert drawn["warnings"] == []
        assert f"\\{name}" not in drawn["text"]
    everything = normal(drawn_by_typst(mx.join(*map(mx.symbol, names))))
    assert everything >= normal("".join(mathsymbols.SYMBOLS[name][0] for name in names))


CONSTRUCTS = {
    **{name: mx.scripts(mx.big_operator(name), X, Y) for name in mathsymbols.BIG_OPERATORS},
    **{name: mx.join(mx.operator(name), X) for name in sorted(mathsymbols.OPERATORS)},
    **{name: mx.scripts(mx.operator(name), X) for name in mathsymbols.LIMIT_OPERATORS},
    **{name: mx.accent(name, X) for name in mathsymbols.ACCENTS},
    **{name: mx.alphabet(name, "A") for name in mathsymbols.ALPHABETS},
    **{f"left {name}": mx.delimited(name, HALF, ".") for name in mathsymbols.DELIMITERS},
    **{size: mx.big_delimited(size, "(", X, ")") for size in mathsymbols.BIG_DELIMITERS},
    **{name: mx.matrix(name, [[X, Y], [Y, HALF]]) for name in
       ("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix")},
    "cases": mx.cases([(X, mx.words("if ")), (Y, mx.words("otherwise"))]),
    "aligned": mx.aligned([(X, mx.join(mx.symbol("="), Y)), (mx.EMPTY, mx.join(mx.symbol("<"), HALF))]),
    "substack": mx.scripts(mx.big_operator("sum"), mx.stacked([X, Y])),
    "underbrace": mx.brace("under", X, mx.words("bias")),
    "overbrace": mx.brace("over", X),
    "stackrel": mx.over(mx.symbol("="), mx.words("def")),
    "xrightarrow": mx.labelled_arrow(X),
    "evaluated": mx.evaluated(HALF, X, Y),
    "binomial": mx.binomial(X, Y),
    "roots": mx.join(mx.root(X), mx.root(Y, mx.number("3"))),
    "primes": mx.prime(X, 2, Y),
    "bold": mx.bold_symbol(mx.symbol("theta")),
    "ket": mx.delimited("|", X, ">"),
    "words": mx.join(X, mx.words(" and "), Y, mx.space("quad"), mx.space(","), X),
}  # fmt: skip


def test_every_construct_is_known_to_both_renderers():
    for name, formula in CONSTRUCTS.items():
        drawn = mathra.render(formula.tex.replace("\n", " "))
        assert drawn["warnings"] == [], name
        assert "\\" not in drawn["text"], name
        assert drawn_by_typst(formula).strip(), name


def test_the_two_renderers_draw_formulas_of_like_size():
    grammar = FormulaGrammar(random.Random(3))
    for _ in range(25):
        formula = grammar.display()
        first, second = (
            formulas._draw_mathra(formula, 20.0).picture,
            formulas._draw_typst(formula, 20.0, "New Computer Modern Math").picture,
        )
        boxes = [formulas._ink_box(picture, 0, 0) for picture in (first, second)]
        widths = [right - left for left, _, right, _ in boxes]
        heights = [bottom - top for _, top, _, bottom in boxes]
        assert 0.7 < widths[0] / widths[1] < 1.4, formula.tex
        assert 0.6 < heights[0] / heights[1] < 1.6, formula.tex


def test_a_line_break_before_a_letter_is_not_taken_for_a_command():
    # mathra mends a line feed before "e" into `\ne`; the picture must show the letter.
    formula = mx.aligned([(X, mx.join(mx.symbol("="), Y)), (mx.letter("e"), mx.join(mx.symbol("="), Y))])
    assert "\ne" in formula.tex
    assert mathra.render(formula.tex)["warnings"] != []
    assert formulas._draw_mathra(formula, 20.0).picture.height > 40


def test_what_mathra_would_mend_is_an_error():
    with pytest.raises(RuntimeError, match="mended"):
        formulas._draw_mathra(mx.Math("\\frac{1}{", "", 1.0), 20.0)


def test_a_control_word_is_kept_apart_from_a_letter():
    alpha = mx.symbol("alpha")
    assert mx.join(alpha, X).tex == "\\alpha x"
    assert mx.join(alpha, alpha, mx.number("2")).tex == "\\alpha\\alpha2"
    assert mx.delimited("<", X, ">").tex == "\\langle x\\rangle"


def test_delimiters_grow_only_around_what_is_tall():
    assert mx.delimited("(", X, ")").tex == "(x)"
    assert mx.delimited("(", HALF, "]").tex == "\\left(\\frac{1}{2}\\right]"
    assert mx.delimited("|", mx.symbol("psi"), ">").tex == "|\\psi\\rangle"


def test_scripts_primes_and_rows_are_written_in_one_way():
    assert mx.scripts(X, Y, mx.number("2")).tex == "x_{y}^{2}"
    assert mx.prime(X, 2, Y).tex == "x_{y}^{\\prime \\prime}"
    assert mx.matrix("pmatrix", [[X, Y], [Y, X]]).tex == "\\begin{pmatrix} x & y \\\\ y & x \\end{pmatrix}"
    assert mx.cases([(X, Y)]).tex == "\\begin{cases} x & y \\end{cases}"


def test_a_row_never_starts_like_an_option():
    with pytest.raises(AssertionError):
        mx.aligned([(mx.delimited("[", X, "]"), Y)])


def test_inline_formulas_are_as_high_as_a_line_and_fit():
    grammar = FormulaGrammar(random.Random(8))
    for _ in range(300):
        formula = grammar.inline(9.0)
        assert not formula.tall
        assert formula.width <= 9.0


def test_widths_of_displays_are_kept():
    grammar = FormulaGrammar(random.Random(8))
    assert all(grammar.display(20.0).width <= 20.0 for _ in range(200))


def test_renderer_is_chosen_by_name_only():
    assert FormulaEngine(renderer="mathra").sample(1, 2).meta["renderer"] == "mathra"
    assert FormulaEngine(renderer="typst", sentences=0).sample(1, 2).meta["renderer"] == "typst"
    with pytest.raises(InvalidOptionError, match="latex"):
        FormulaEngine(renderer="latex")


def test_without_mathra_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "mathra", None)
    with pytest.raises(MissingDependencyError, match="synth"):
        FormulaEngine(renderer="mathra").sample(1, 2)
