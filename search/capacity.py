"""How many trials fit into a cluster at the moment, as its nodes come and go."""

import time

from search.options import SearchOptions
from search.resources import share_out_nodes
from trainable.errors import ConfigError

LOOK_EVERY_S = 5.0


class Capacity:
    """The trials that fit into the cluster that has been joined, looked up every few seconds.

    Args:
        options: The options of the search.
        at_first: Trials that fitted when it was joined.
    """

    def __init__(self, options: SearchOptions, at_first: int) -> None:
        self._options = options
        self._fitting = at_first
        self._looked_s = time.monotonic()

    def __call__(self) -> int:
        """Return how many fit; while none does, what did last."""
        if time.monotonic() - self._looked_s > LOOK_EVERY_S:
            self._looked_s = time.monotonic()
            self._fitting = self._look()
        return self._fitting

    def _look(self) -> int:
        from search.cluster import available_on, nodes_with_cores

        try:
            nodes = available_on(nodes_with_cores())
            return share_out_nodes(self._options, nodes).max_concurrent
        except ConfigError:  # every machine that could hold a trial has gone away
            return self._fitting
