"""Says in one line that a study or run folder can no longer be written."""

from collections.abc import Iterator
from contextlib import contextmanager

from optuna.exceptions import StorageInternalError

from trainable.errors import SearchError, expected
from trainable.files import UnwritableError


@contextmanager
def worded(study: str) -> Iterator[None]:
    """Word what the block has of a full disk, a folder turned read-only, a lost database.

    What is marked as running in a study that cannot be written stays so until the search goes on,
    which then takes it up again.

    Args:
        study: Path of the study, or the option that says where it is.

    Raises:
        SearchError: In place of what the system or the database says.
    """
    try:
        yield
    except StorageInternalError as error:
        raise SearchError(expected(study, "to be written to", f"'{_reason(error)}'")) from error
    except UnwritableError as error:
        raise SearchError(
            expected(str(error.filename), "room to write", f"'{error.strerror}'")
        ) from error


def _reason(error: StorageInternalError) -> str:
    """Return what the database said, without Optuna's and SQLAlchemy's words around it."""
    cause = error.__cause__
    return str(getattr(cause, "orig", None) or cause or error)
