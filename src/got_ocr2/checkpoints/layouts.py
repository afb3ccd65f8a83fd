"""The tensor names of every known GOT-OCR2 checkpoint, as one table per layout.

A rule is a pair of name patterns: what the file says, what our modules say. `#` stands for one whole number
and a final `*` for the rest of the name; both keep their text across the rule, so a table reads in either
direction. Our module names are those that transformers has in memory since 4.52, which makes that layout the
identity.

Sources: the original hub code (`modeling_GOT.py`, `got_vision_b.py`), HF `convert_got_ocr2_weights_to_hf.py`
and `conversion_mapping.py`, mlx-vlm's `models/got`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..errors import CheckpointError

_VISION = "model.vision_tower"
_PROJECTOR = "model.multi_modal_projector"
_TEXT = "model.language_model"

HEAD = "lm_head.weight"
EMBEDDING = f"{_TEXT}.embed_tokens.weight"

# Tables that a model computes for itself; older Qwen2 checkpoints stored them beside the weights.
_COMPUTED = re.compile(r"\.rotary_emb\.inv_freq$")


@dataclass(frozen=True)
class Layout:
    """One way to name the tensors of a GOT-OCR2 checkpoint.

    Attributes:
        name: what messages call it.
        mark: start of a tensor name that this layout has and no other one does.
        rules: (name in the file, name in our modules) patterns; the first that fits wins.
        channels_last: whether convolution kernels are stored as (out, height, width, in) instead of
            (out, in, height, width).
    """

    name: str
    mark: str
    rules: tuple[tuple[str, str], ...]
    channels_last: bool = False

    def to_module(self, name: str) -> str | None:
        """The module name of a tensor of the file, or None if no rule knows it."""
        return _apply(self._inward, name)

    def to_file(self, name: str) -> str | None:
        """The name in a file of a parameter of our modules, or None if no rule knows it."""
        return _apply(self._outward, name)

    @cached_property
    def _inward(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        return tuple(_compile(there, here) for there, here in self.rules)

    @cached_property
    def _outward(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        return tuple(_compile(here, there) for there, here in self.rules)


def _compile(pattern: str, target: str) -> tuple[re.Pattern[str], str]:
    """A rule's two sides -> a regular expression for a whole name and its replacement template."""
    regex = re.escape(pattern).replace(r"\#", r"(\d+)").replace(r"\*", "(.+)")
    groups = iter(range(1, 10))
    template = re.sub(r"[#*]", lambda _: rf"\g<{next(groups)}>", target)
    return re.compile(regex), template


def _apply(rules: Sequence[tuple[re.Pattern[str], str]], name: str) -> str | None:
    for regex, template in rules:
        match = regex.fullmatch(name)
        if match:
            return match.expand(template)
    return None


def _vary_tower(prefix: str, neck: tuple[str, str, str, str]) -> tuple[tuple[str, str], ...]:
    """Encoder and compressor in the original code's words; `neck` names a convolution and norm, twice."""
    conv1, norm1, conv2, norm2 = neck
    return (
        (f"{prefix}.pos_embed", f"{_VISION}.pos_embed"),
        (f"{prefix}.patch_embed.proj.*", f"{_VISION}.patch_embed.projection.*"),
        (f"{prefix}.blocks.#.norm1.*", f"{_VISION}.layers.#.layer_norm1.*"),
        (f"{prefix}.blocks.#.norm2.*", f"{_VISION}.layers.#.layer_norm2.*"),
        (f"{prefix}.blocks.#.attn.*", f"{_VISION}.layers.#.attn.*"),
        (f"{prefix}.blocks.#.mlp.*", f"{_VISION}.layers.#.mlp.*"),
        (f"{prefix}.{conv1}.*", f"{_VISION}.neck.conv1.*"),
        (f"{prefix}.{norm1}.*", f"{_VISION}.neck.layer_norm1.*"),
        (f"{prefix}.{conv2}.*", f"{_VISION}.neck.conv2.*"),
        (f"{prefix}.{norm2}.*", f"{_VISION}.neck.layer_norm2.*"),
        # Named after upsampling by transformers, they halve each side.
        (f"{prefix}.net_2.*", f"{_PROJECTOR}.conv_upsampler1.*"),
        (f"{prefix}.net_3.*", f"{_PROJECTOR}.conv_upsampler2.*"),
    )


ORIGINAL = Layout(
    name="original GOT-OCR2_0",
    mark="model.vision_tower_high.",
    rules=(
        *_vary_tower("model.vision_tower_high", ("neck.0", "neck.1", "neck.2", "neck.3")),
        ("model.mm_projector_vary.*", f"{_PROJECTOR}.multimodal_projector.*"),
        ("model.embed_tokens.*", f"{_TEXT}.embed_tokens.*"),
        ("model.layers.*", f"{_TEXT}.layers.*"),
        ("model.norm.*", f"{_TEXT}.norm.*"),
        ("lm_head.*", "lm_head.*"),
    ),
)

# What transformers writes to disk, from 4.49 to 5.23 and on.
HF = Layout(
    name="Hugging Face",
    mark="vision_tower.layers.",
    rules=(
        ("vision_tower.*", f"{_VISION}.*"),
        ("multi_modal_projector.*", f"{_PROJECTOR}.*"),
        ("language_model.model.*", f"{_TEXT}.*"),
        ("language_model.lm_head.*", "lm_head.*"),
    ),
)

# What `model.state_dict()` says, in transformers since 4.52 and here.
HF_IN_MEMORY = Layout(
    name="Hugging Face in memory",
    mark=f"{_VISION}.",
    rules=(
        (f"{_VISION}.*", f"{_VISION}.*"),
        (f"{_PROJECTOR}.*", f"{_PROJECTOR}.*"),
        (f"{_TEXT}.*", f"{_TEXT}.*"),
        ("lm_head.*", "lm_head.*"),
    ),
)

MLX = Layout(
    name="MLX",
    mark="vision_tower.blocks.",
    rules=(
        *_vary_tower("vision_tower", ("conv1", "norm1", "conv2", "norm2")),
        ("multi_modal_projector.*", f"{_PROJECTOR}.multimodal_projector.*"),
        ("language_model.model.*", f"{_TEXT}.*"),
        ("language_model.lm_head.*", "lm_head.*"),
    ),
    channels_last=True,
)

LAYOUTS = (ORIGINAL, HF, HF_IN_MEMORY, MLX)


def detect(names: Iterable[str]) -> Layout:
    """The layout that a checkpoint's tensor names are in.

    Raises:
        CheckpointError: the names carry the mark of no known layout, or of several.
    """
    names = sorted(names)
    found = [layout for layout in LAYOUTS if any(name.startswith(layout.mark) for name in names)]
    if len(found) == 1:
        return found[0]
    if found:
        kinds = " and ".join(layout.name for layout in found)
        raise CheckpointError(f"The checkpoint mixes tensor names of several layouts: {kinds}.")
    sample = ", ".join(names[:3]) or "no tensor at all"
    known = ", ".join(layout.name for layout in LAYOUTS)
    raise CheckpointError(
        f"The checkpoint's tensor names ({sample}, {len(names)} in all) fit no known layout ({known})."
    )


def is_computed(name: str) -> bool:
    """Whether a stored tensor is a table that the model computes for itself, so that nothing needs it."""
    return _COMPUTED.search(name) is not None
