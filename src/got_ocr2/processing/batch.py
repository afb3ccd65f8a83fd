"""`BatchFeature`: the named arrays of one batch, ready for `model.generate(**batch)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InvalidOptionError

if TYPE_CHECKING:
    import torch


class BatchFeature(dict[str, Any]):
    """A dict whose entries are attributes too, and whose tensors move together (HF `BatchFeature`)."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"this batch has {sorted(self)}, not {name!r}") from None

    @property
    def data(self) -> BatchFeature:
        """Itself, under the name that transformers' batches keep their dict."""
        return self

    def to(
        self,
        *where: torch.device | torch.dtype | str | int,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        non_blocking: bool = False,
    ) -> BatchFeature:
        """Moves every tensor to `device` and floating ones to `dtype`, in place; returns itself.

        Device and dtype may also be given without their names, in either order. Ids and masks keep their integer
        type.

        Raises:
            InvalidOptionError: something else, or one of both twice.
        """
        import torch

        for one in where:
            if isinstance(one, torch.dtype) and dtype is None:
                dtype = one
            elif isinstance(one, (str, int, torch.device)) and not isinstance(one, bool) and device is None:
                device = one
            else:
                raise InvalidOptionError(f"A batch goes to one device and one dtype, got {where!r}.")
        for name, value in self.items():
            if isinstance(value, torch.Tensor):
                new_dtype = dtype if value.is_floating_point() else None
                self[name] = value.to(device=device, dtype=new_dtype, non_blocking=non_blocking)
        return self
