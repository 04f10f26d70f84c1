"""What the formats have in common once they are read: a function of pixels."""

from collections.abc import Callable

import numpy as np

# Images uint8 [N, H, W, 3], RGB -> probabilities float32 [N, num_classes].
Network = Callable[[np.ndarray], np.ndarray]
