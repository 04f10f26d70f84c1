"""The range of seeds, and seeds made of others."""

import numpy as np

# What every generator takes: numpy's legacy one, which libraries seed, stops here.
LARGEST_SEED = 2**32 - 1


def mixed_seed(*parts: int) -> int:
    """Return a seed that depends on all parts and their order.

    Example:
        >>> mixed_seed(0, 1) == mixed_seed(0, 1), mixed_seed(0, 1) == mixed_seed(1, 0)
        (True, False)
    """
    return int(np.random.SeedSequence(parts).generate_state(1)[0])
