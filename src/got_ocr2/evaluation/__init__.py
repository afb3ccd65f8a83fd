"""Evaluation: reads a data set with a model and says how well it read.

evaluation = evaluate(OCR.from_pretrained(), load_dataset("examples"))
evaluation.summary()["text"]["cer"]
"""

from __future__ import annotations

from .datasets import load_dataset
from .pages import Dataset, Elements, Page
from .report import to_dict, write_report
from .runner import ALL, Evaluation, Reading, evaluate
from .scoring import METRICS, Metric, Scoring, score
from .statistics import Estimate, Ratio

__all__ = [
    "ALL",
    "METRICS",
    "Dataset",
    "Elements",
    "Estimate",
    "Evaluation",
    "Metric",
    "Page",
    "Ratio",
    "Reading",
    "Scoring",
    "evaluate",
    "load_dataset",
    "score",
    "to_dict",
    "write_report",
]
