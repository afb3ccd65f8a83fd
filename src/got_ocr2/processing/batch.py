"""`BatchFeature`: the named arrays of one batch, ready for `model.generate(**batch)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class BatchFeature(dict[str, Any]):
    """A dict whose entries are attributes too, and whose tensors move together (HF `BatchFeature`)."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"this batch has {sorted(self)}, not {name!r}") from None

    def to(
        self,
        device: torch.device | torch.dtype | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        non_blocking: bool = False,
    ) -> BatchFeature:
        """Moves every tensor to `device` and floating ones to `dtype`, in place; returns itself.

        A dtype may stand in the place of the device. Ids and masks keep their integer type.
        """
        import torch

        if isinstance(device, torch.dtype):
            device, dtype = None, device
        for name, value in self.items():
            if isinstance(value, torch.Tensor):
                new_dtype = dtype if value.is_floating_point() else None
                self[name] = value.to(device=device, dtype=new_dtype, non_blocking=non_blocking)
        return self
