"""Molecules, music and charts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from got_ocr2.evaluation.metrics.charts import TOLERANCES, chart_precision, parse_chart, triples
from got_ocr2.evaluation.metrics.molecules import canonical_smiles, smiles_match
from got_ocr2.evaluation.metrics.music import kern_symbols, symbol_errors


def test_molecules_match_by_what_they_are():
    assert smiles_match("<smiles>OCC</smiles>", "CCO")
    assert smiles_match("c1ccccc1", "C1=CC=CC=C1")
    assert not smiles_match("C[C@H](N)O", "C[C@@H](N)O")
    assert not smiles_match("C1CC", "CCC")
    assert canonical_smiles("no molecule") is canonical_smiles("") is None


def test_music_counts_symbols():
    truth = "**kern\t**kern\n4c 4e\t4d\n*-\t*-\n"
    assert kern_symbols(truth) == [
        "**kern", "\t", "**kern", "\n", "4c", " ", "4e", "\t", "4d", "\n", "*-", "\t", "*-",
    ]  # fmt: skip
    assert symbol_errors(truth.replace("4d", "8d") + "\n\n", truth) == (1, 13)
    assert symbol_errors("", truth) == (13, 13)


CHART = {"title": "T", "values": {"2001": {"Sales": "10$", "Cost": 20}, "2002": {"Sales": 30.0, "Cost": 40}}}


def precisions(written, truth=CHART):
    text = written if isinstance(written, str) else json.dumps(written)
    return [chart_precision(text, json.dumps(truth), t) for t in TOLERANCES.values()]


def changed(**cells):
    values = {year: dict(row) for year, row in CHART["values"].items()}
    values["2001"].update(cells)
    return {"values": values}


def test_charts_within_tolerance():
    assert precisions(CHART) == [1, 1, 1]
    # 10 -> 10.4 is 4 % off; 3 of 4 right, 5 in the union: 0.6, which is at least .50 .55 .60.
    assert precisions(changed(Sales=10.4)) == pytest.approx([0.3, 1, 1])
    assert precisions(changed(Sales=10.9)) == pytest.approx([0.3, 0.3, 1])
    # Names: 'Cist' is an edit away, 'Expenses' contains nothing.
    assert precisions(json.dumps(CHART).replace("Cost", "Cist")) == pytest.approx([0, 1, 1])
    assert precisions(json.dumps(CHART).replace("Cost", "Expenses"))[2] == 0


def test_the_order_of_names_and_a_lone_series_do_not_matter():
    turned = {"values": {"sales": {"2001": 10, "2002": 30}, "cost": {"2001": 20, "2002": 40}}}
    assert precisions(turned) == [1, 1, 1]
    flat = {"values": {"a": 1, "b": 2}}
    assert precisions({"values": {"a": {"Anything": 1}, "b": {"Anything": 2}}}, flat) == [1, 1, 1]


def test_answers_that_are_cut_python_or_nothing():
    cut = json.dumps(CHART)[:-2]
    assert parse_chart(cut) == CHART
    assert precisions(cut) == [1, 1, 1]
    assert parse_chart("{'values': {'a': 1}}") == {"values": {"a": 1}}
    assert parse_chart("A chart of sales.") is None
    assert precisions("A chart of sales.") == [0, 0, 0]
    assert precisions({"values": {}}) == [0, 0, 0]


def test_triples_keep_text_where_no_number_stands():
    assert triples({"data": {"a": {"b": "None"}}}) == {("a", "b", "")}
    assert triples({"values": [1, 2]}) == set()


@given(st.text("{}[]\"':,1a ", max_size=60))
def test_no_answer_breaks_the_parser(text):
    assert parse_chart(text) is None or isinstance(parse_chart(text), dict)
