"""Formulas that look the same match, others do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from got_ocr2.evaluation.metrics.formatted import formulas, released_split, split
from got_ocr2.evaluation.metrics.formulas import formula_distance, formula_match, normalise


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (r"\(x^2_1\)", "x_{1}^{2}"),
        (r"\left( \frac12 \right.", r"( \dfrac{1}{2}"),
        (r"\sin x + \lim\limits_{n \to 0}", r"\operatorname{sin}x+\mathrm{lim}_{n\rightarrow0}"),
        ("f'(x), f''", r"f^{\prime}(x), f^{\prime \prime}"),
        (r"{a}+{b+c} \le d", r"a+b+c\leq d"),
        (r"\sqrt[3]{x} \sqrt y", r"\sqrt [ 3 ] x \sqrt{y}"),
        (r"$$\mathbf{x}^\top \; \hat x_i$$", r"\[\mathbf x^{\top}\hat{x}_i\]"),
        (r"{\rm abc}d", r"\text{abc}d"),
        (r"{a \over b}c", r"\frac{a}{b}c"),
        (r"x^\frac12", r"x^{\frac{1}{2}}"),
        (r"\begin{array}{cc} a & b \\ c & d\end{array}", r"\begin{array}{cc}a&b\\c&d\end{array}"),
        (r"\lVert v\rVert \neq \lbrace\rbrace", r"\| v\| \ne \{\}"),
    ],
)
def test_same(a, b):
    assert formula_match(a, b), (normalise(a), normalise(b))
    assert formula_distance(a, b) == 0


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("x^{ab}", "x^a b"),
        (r"\frac{a}{b}", r"\frac{b}{a}"),
        ("{x^2}^3", "x^{23}"),
        (r"{\rm x}y", r"{\rm xy}"),
        (r"\mathbf{x}", "x"),
        (r"\alpha", r"\beta"),
        ("", "x"),
        (r"\left.x\right|", "x"),
    ],
)
def test_different(a, b):
    assert not formula_match(a, b)
    assert 0 < formula_distance(a, b) <= 1


PIECES = [
    *"{}^_[]a1+'.&",
    " ",
    r"\frac",
    r"\sqrt",
    r"\left",
    r"\right",
    r"\mathrm",
    r"\over",
    r"\rm",
    r"\\",
    r"\,",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_no_text_breaks_it(text):
    once = normalise(text)
    assert once.count("{") == once.count("}")
    assert formula_match(text, text)


FORMULAS = st.recursive(
    st.sampled_from(["a", "1", "+", r"\alpha ", r"\sin ", r"\le ", "f'", r"\quad "]),
    lambda inner: st.one_of(
        st.builds(r"\frac{{{}}}{{{}}}".format, inner, inner),
        st.builds(r"{{{} \over {}}}".format, inner, inner),
        st.builds(r"\sqrt[3]{{{}}}".format, inner),
        st.builds(r"x_{{{}}}^{{{}}}".format, inner, inner),
        st.builds(r"\left({}\right)".format, inner),
        st.builds("{{{}}}^2".format, inner),
        st.builds(r"{{\bf {}}}{}".format, inner, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=8,
)


@given(FORMULAS)
def test_what_is_normalised_once_stays_as_it_is(formula):
    once = normalise(formula)
    assert normalise(" ".join(once)) == once
    assert formula_match(rf"\[ {{{formula}}} \]", formula)


def test_deep_nesting_is_read_flat():
    assert normalise("{" * 5000 + "x" + "}" * 5000) == ("x",)
    assert normalise(r"\frac{" * 3000)


PAGE = r"""\title{ T } Text \(a\) and $b$ costs 5\$ or 6\$.
\[
c = d
\]
\begin{tabular}{l} \(e\) \end{tabular}
$$f$$ \[g\] tail"""


def test_a_page_is_split_into_text_formulas_and_tables():
    parts = split(PAGE)
    assert parts.formulas == ["c = d", "f", "g"]
    assert parts.tables == [r"\begin{tabular}{l} \(e\) \end{tabular}"]
    assert "tail" in parts.text
    assert "tabular" not in parts.text
    assert r"\(a\)" in parts.text
    assert formulas(PAGE) == ["c = d", "f", "g", "a", "b"]


def test_the_released_split_has_its_quirks():
    text, formula, table = released_split(PAGE + r" \begin{tabular}{c} cut")
    assert text.startswith(r"\title")
    assert formula == "a\ne" + "g"  # no line break between inline and display, none found over lines
    assert table == "{l} \\(e\\) \n{c} cut"
