"""What the data engines may write: texts at hand, random strings, and mixtures of both."""

from .catalog import Corpus, Split, TextPool, corpora, text_pool

__all__ = ["Corpus", "Split", "TextPool", "corpora", "text_pool"]
