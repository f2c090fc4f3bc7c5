"""Which revision of the schema a database has, and whether that is enough; without Alembic.

The scripts are ``migrations/`` at the top of the repository, or ``idp/_data/migrations`` in the wheel.
They follow each other in one line, and their file names begin with their revisions.
How they are written: ``docs/migrations.md``.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from idp.storage.database import begin_read

_VERSION_TABLE = "alembic_version"


def revisions(root: Path | None = None) -> list[str]:
    """The revisions this release knows, oldest first.

    Args:
        root: the folder of the scripts; found by itself unless given.
    """
    names = [path.name for path in ((root or scripts()) / "versions").glob("[0-9]*_*.py")]
    return sorted(name.partition("_")[0] for name in names)


def head_revision(root: Path | None = None) -> str:
    """The newest revision this release knows."""
    return revisions(root)[-1]


def current_revision(engine: Engine) -> str | None:
    """The database's revision; None if it was never migrated.

    Raises:
        Unavailable: no answer.
    """
    with begin_read(engine) as connection:
        return revision_of(connection)


def is_current(engine: Engine) -> bool:
    """Whether the database has all this release needs.

    A revision unknown here comes from a newer release, whose migrations leave this one working: that is
    current enough, or no old node could restart during a roll-out.

    Raises:
        Unavailable: no answer.
    """
    return reaches(current_revision(engine), revisions())


def reaches(current: str | None, known: list[str]) -> bool:
    """Whether a database of the revision ``current`` has all of the revisions ``known``."""
    return current is not None and (current == known[-1] or current not in known)


def revision_of(connection: Connection) -> str | None:
    """The revision that Alembic has written down; None if there is none."""
    if not inspect(connection).has_table(_VERSION_TABLE):
        return None
    found: str | None = connection.scalar(text(f"SELECT version_num FROM {_VERSION_TABLE}"))  # noqa: S608 - ours
    return found


def scripts() -> Path:
    """The folder of the scripts."""
    package = Path(__file__).parents[1]
    for folder in (package / "_data" / "migrations", package.parent / "migrations"):
        if (folder / "env.py").is_file():
            return folder
    raise RuntimeError("the migrations are missing from this installation")
