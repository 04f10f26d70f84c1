"""The epochs after which a scheduler compares trials."""


def rung_epochs(*, max_epochs: int, grace_period: int, reduction_factor: int) -> tuple[int, ...]:
    """Return the epochs after which trials are compared.

    Args:
        max_epochs: Longest training of a trial; nothing is decided at its end.
        grace_period: The first rung.
        reduction_factor: Each rung by the one before.

    Example:
        >>> rung_epochs(max_epochs=30, grace_period=3, reduction_factor=3)
        (3, 9, 27)
    """
    rungs = []
    rung = grace_period
    while rung < max_epochs:
        rungs.append(rung)
        rung *= reduction_factor
    return tuple(rungs)
