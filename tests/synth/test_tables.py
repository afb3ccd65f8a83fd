r"""Tables: the tree writes `tabular` as it should, and the engine draws what it writes."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from got_ocr2.synth.drawing.typst_pdf import Typeset
from got_ocr2.synth.markup.document import runs_text
from got_ocr2.synth.markup.tabular import Cell, Rule, TableStyle, Tabular
from got_ocr2.synth.markup.typst_writer import runs_markup
from got_ocr2.synth.tables.engine import TableEngine

pytest.importorskip("typst")

COUNT = 30
WHOLE = (Rule(0, 3),)


def cell(text: str, **options) -> Cell:
    return Cell((text,) if text else (), **options)


def small_table(**changes) -> Tabular:
    options = {
        "align": "lcr",
        "bars": frozenset({0, 1, 3}),
        "rules": (WHOLE, WHOLE, (), WHOLE),
        "grid": (
            (cell("a"), cell("b"), cell("c")),
            (cell("1"), cell(""), cell("3%")),
            (cell("x"), cell("y"), cell("z")),
        ),
    }
    return Tabular(**{**options, **changes})


@pytest.fixture(scope="module")
def samples():
    engine = TableEngine()
    return [engine.sample(4, index) for index in range(COUNT)]


def test_a_table_is_written_as_tabular():
    assert small_table().text(runs_text) == (
        "\\begin{tabular}{|l|cr|}\n\\hline a & b & c \\\\\n\\hline 1 & & 3\\% \\\\\n"
        "x & y & z \\\\\n\\hline\n\\end{tabular}"
    )


def test_merged_cells_and_partial_rules():
    grid = (
        (cell("head", columns=2, align="c"), None, cell("tall", rows=2)),
        (cell("p"), cell("q"), None),
        (cell("all", columns=3, align="l"), None, None),
    )
    table = small_table(grid=grid, rules=(WHOLE, (Rule(0, 2),), WHOLE, ()))
    assert table.text(runs_text).split("\n")[1:] == [
        "\\hline \\multicolumn{2}{|c}{head} & \\multirow{2}{*}{tall} \\\\",
        "\\cline{1-2} p & q & \\\\",
        "\\hline \\multicolumn{3}{|l|}{all} \\\\",
        "\\end{tabular}",
    ]


def test_a_cell_over_columns_and_rows_keeps_its_place_below():
    grid = (
        (cell("big", columns=2, rows=2, align="c"), None, cell("c")),
        (None, None, cell("d")),
        (cell("x"), cell("y"), cell("z")),
    )
    lines = small_table(grid=grid, bars=frozenset(), rules=((), (), (), ())).text(runs_text).split("\n")
    assert lines[1:3] == [
        "\\multicolumn{2}{c}{\\multirow{2}{*}{big}} & c \\\\",
        "\\multicolumn{2}{c}{} & d \\\\",
    ]


def ink(table: Tabular, **style) -> np.ndarray:
    """Dark pixels of a drawn table, a fixed 3 by 3 grid of 100 points a side."""
    markup = table.typst(lambda runs: "", TableStyle(**style)).replace(
        "columns: 3", "columns: (100pt,) * 3, rows: (100pt,) * 3"
    )
    with Typeset(f"#set page(width: 340pt, height: 340pt, margin: 20pt)\n{markup}") as page:
        return np.asarray(page.image(72).convert("L")) < 128


def test_rules_are_drawn_where_they_are_written():
    bare = ink(small_table(bars=frozenset(), rules=((), (), (), ())), light=2)
    assert not bare.any()
    drawn = ink(small_table(bars=frozenset({1}), rules=((), (), (Rule(1, 3),), ())), light=2)
    assert drawn[30:310, 119:121].any(axis=1).mean() > 0.95  # the bar after the first column
    assert drawn[219:222, 125:315].any(axis=0).all()  # the rule above the third row
    assert not drawn[219:222, 25:115].any()  # not under the first column
    assert not drawn[30:210, 215:225].any()  # no bar after the second column


def test_bars_stop_at_merged_cells():
    grid = ((cell("a", columns=3, align="c"), None, None), *small_table().grid[1:])
    drawn = ink(small_table(grid=grid, bars=frozenset({1, 2}), rules=((), (), (), ())), light=2)
    assert not drawn[22:118].any()
    assert drawn[130:310, 119:121].any(axis=1).all()


def test_same_seed_and_index_give_the_same_bytes(samples):
    again = pickle.loads(pickle.dumps(TableEngine()))
    for index in (2, 11):
        sample = again.sample(4, index)
        assert sample.text == samples[index].text
        assert sample.image.tobytes() == samples[index].image.tobytes()
    assert len({sample.text for sample in samples}) == COUNT


def test_tables_are_varied(samples):
    everything = "\n".join(sample.text for sample in samples)
    for word in ("\\multicolumn", "\\multirow", "\\cline", "\\hline", "\\( ", "\\%", "|l|"):
        assert word in everything, word
    assert any("|" not in sample.text.split("\n")[0] for sample in samples)
    # Five faces come with the extra itself; a machine with more fonts draws with more.
    assert len({sample.meta["font"] for sample in samples}) >= 5


def test_cells_lie_inside_their_table_in_reading_order(samples):
    for sample in samples:
        table, *cells = sample.regions
        assert table.kind == "block"
        assert table.text == sample.text
        for region in cells:
            assert region.text in sample.text
            assert table.box[0] - 1 <= region.box[0] < region.box[2] <= table.box[2] + 1
            assert table.box[1] - 1 <= region.box[1] < region.box[3] <= table.box[3] + 1
            ink = np.asarray(sample.image.convert("L").crop(tuple(map(round, region.box))), int)
            assert np.ptp(ink) > 60


def test_nothing_is_clipped(samples):
    for sample in samples:
        edge = np.asarray(sample.image.convert("L"), int)
        assert np.ptp(np.concatenate([edge[0], edge[-1], edge[:, 0], edge[:, -1]])) < 20


def test_markup_of_a_cell_means_nothing_to_typst():
    nasty = 'a" #b $c$ [d] \\ *e* _f_ <g> `h` @i'
    with Typeset(f"#set page(width: 400pt, height: 60pt)\n{runs_markup((nasty,))}") as page:
        assert page._page(0).get_textpage().get_text_range().split() == nasty.split()


def test_sizes_are_kept():
    engine = TableEngine(max_rows=4, max_width=20.0)
    for index in range(15):
        assert engine.sample(1, index).text.count("\\\\") <= 4
