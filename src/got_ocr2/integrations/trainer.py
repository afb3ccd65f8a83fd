"""`transformers.Trainer` with checkpoints that `from_pretrained` opens.

class Trainer(WholeCheckpoints, transformers.Trainer): ...
"""

from __future__ import annotations

from typing import Any

from ..checkpoints import save_configs
from ..modeling import GotOcr2ForConditionalGeneration


class WholeCheckpoints:
    """Goes before `transformers.Trainer` in a class: what it saves has `config.json` and `generation_config.json` too.

    Trainer calls `save_pretrained` on models of transformers' own class only, and stores nothing but weights of others.
    """

    args: Any
    model: Any
    accelerator: Any

    def save_model(self, output_dir: str | None = None, *others: Any, **options: Any) -> None:
        """As Trainer's, which also calls it for every checkpoint.

        Raises:
            FileAccessError: the folder cannot be written.
        """
        trainer: Any = super()
        trainer.save_model(output_dir, *others, **options)
        model = self.accelerator.unwrap_model(self.model)
        if self.args.should_save and isinstance(
            model, GotOcr2ForConditionalGeneration
        ):  # no adapter of peft's
            save_configs(model, output_dir or self.args.output_dir)
