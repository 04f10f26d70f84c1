"""Reads the state of an optimizer back to where torch keeps it."""

from typing import Any

from torch.optim import Optimizer


def load_optimizer_state(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Load a state dict, and leave on the CPU what the optimizer reads on the CPU.

    ``load_state_dict`` moves every tensor but ``step`` to the parameters' device. NAdam's
    ``mu_product`` is read by the host in every step, which on a GPU would wait for it each time.
    """
    optimizer.load_state_dict(state)
    for of_parameter in optimizer.state.values():
        if "mu_product" in of_parameter:
            of_parameter["mu_product"] = of_parameter["mu_product"].cpu()
