"""Molecules compared as molecules: two SMILES match when RDKit writes the same canonical SMILES for both."""

from __future__ import annotations

import re

from ...extras import need


def canonical_smiles(text: str) -> str | None:
    """RDKit's canonical isomeric SMILES of what a model wrote, or None where it is no molecule.

    The tag `<smiles>` that Mathpix markdown puts around a molecule may be there or not; an empty text is
    none.

    Raises:
        MissingDependencyError: rdkit is not installed.
    """
    chem = need("rdkit.Chem", "Comparing molecules", extra="eval")
    smiles = re.sub(r"</?smiles>", "", text).strip()
    if not smiles:
        return None
    # RDKit writes a line to stderr for every broken SMILES.
    with need("rdkit.rdBase", "Comparing molecules", extra="eval").BlockLogs():
        molecule = chem.MolFromSmiles(smiles)
    return None if molecule is None else str(chem.MolToSmiles(molecule))


def smiles_match(prediction: str, truth: str) -> bool:
    """Whether both are the same molecule, stereochemistry included; a broken prediction matches nothing."""
    found = canonical_smiles(prediction)
    return found is not None and found == canonical_smiles(truth)
