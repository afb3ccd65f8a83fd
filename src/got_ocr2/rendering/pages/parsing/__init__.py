"""From page markup to the tree of `tree.py`."""
