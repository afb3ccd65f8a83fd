"""TEDS: how alike two tables are as trees, 0..1.

Zhong et al., "Image-based table recognition: data, model, and evaluation" (arXiv 1911.10683), section 5: a
table is a tree table > row > cell; TEDS = 1 - distance / size of the larger tree. Inserting or deleting a
node costs 1; renaming a cell costs 1 when its spans differ, else the normalised edit distance of its text.
Head and body are not told apart, since neither `tabular` nor OmniDocBench's scoring does.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...extras import need
from .edit_distance import normalised_distance
from .tables import Cell, Table


@dataclass(frozen=True)
class _Node:
    """A node of the tree; `cell` is None for the table and its rows."""

    level: int
    children: tuple[_Node, ...] = ()
    cell: Cell | None = None


def teds(prediction: Table, truth: Table, *, structure_only: bool = False) -> float:
    """TEDS of two tables; two empty tables agree.

    Args:
        structure_only: ignore the text of the cells (TEDS-S).

    Raises:
        MissingDependencyError: apted is not installed.
    """
    largest = max(_size(prediction), _size(truth))
    if not prediction.rows or not truth.rows:
        return float(not prediction.rows and not truth.rows)
    apted = need("apted", "TEDS", extra="eval")

    class Costs(apted.Config):
        def rename(self, node1: _Node, node2: _Node) -> float:
            a, b = node1.cell, node2.cell
            if node1.level != node2.level:
                return 1.0
            if a is None or b is None:
                return 0.0
            if (a.rows, a.columns) != (b.rows, b.columns):
                return 1.0
            return 0.0 if structure_only else normalised_distance(a.text, b.text)

        def children(self, node: _Node) -> tuple[_Node, ...]:
            return node.children

    distance = apted.APTED(_tree(prediction), _tree(truth), Costs()).compute_edit_distance()
    return 1.0 - distance / largest


def _tree(table: Table) -> _Node:
    rows = (_Node(1, tuple(_Node(2, cell=cell) for cell in row)) for row in table.rows)
    return _Node(0, tuple(rows))


def _size(table: Table) -> int:
    return 1 + sum(1 + len(row) for row in table.rows)
