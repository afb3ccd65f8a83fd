"""Shared by the tests of evaluation."""

from hypothesis import settings

# A busy machine must not fail a property for being slow.
settings.register_profile("evaluation", deadline=None)
settings.load_profile("evaluation")
