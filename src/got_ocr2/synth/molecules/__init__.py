"""Skeletal formulas, answered by SMILES."""

from .engine import MoleculeEngine

__all__ = ["MoleculeEngine"]
