"""Which images of every batch a process reads, when replicas share the batches."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Share:
    """The replicas that this process feeds, of those that share every batch.

    Attributes:
        n_replicas: All of them, in all processes.
        first: The first one of this process, from 0.
        n_own: How many this process has.
    """

    n_replicas: int = 1
    first: int = 0
    n_own: int = 1

    def cut(
        self, order: NDArray[np.int64], *, batch_images: int
    ) -> list[NDArray[np.int64]]:
        """Return what each own replica takes of each batch, batch by batch.

        A batch has `batch_images` for every replica; the last one is divided as evenly
        as it can be. Fewer images than replicas go into the batch before, since batch
        normalisation has no statistics of nothing.

        Args:
            order: All images of the epoch.
            batch_images: Per replica.

        Raises:
            ValueError: If there are fewer images than replicas.
        """
        if len(order) < self.n_replicas:
            raise ValueError(
                f"{self.n_replicas} replicas cannot share {len(order)} images; use "
                "fewer devices (compute.strategy) or a larger training part."
            )
        n_together = batch_images * self.n_replicas
        starts = list(range(0, len(order), n_together))
        if len(order) - starts[-1] < self.n_replicas:
            starts.pop()
        own = slice(self.first, self.first + self.n_own)
        return [
            piece
            for batch in np.split(order, starts[1:])
            for piece in np.array_split(batch, self.n_replicas)[own]
        ]


WHOLE = Share()
