"""What the formats have in common once they are read: a function of pixels."""

from collections.abc import Callable

import numpy as np

# Images uint8 [N, H, W, 3], RGB -> probabilities float32 [N, num_classes].
Network = Callable[[np.ndarray], np.ndarray]

MAX_REASON = 200


def reason(error: Exception) -> str:
    r"""Return the first line of what an exporter or a reader says, not too long.

    Example:
        >>> reason(ValueError("\nNo operator.\nSee also the manual."))
        'No operator.'
    """
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0] if len(lines[0]) <= MAX_REASON else f"{lines[0][:MAX_REASON]}…"
