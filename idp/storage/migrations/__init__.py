"""Changing the schema with Alembic, which nothing else loads: it would stay with every process for life.

Owns the application of the scripts in `migrations/` at the top of the repository, one process at
a time. Which revision a database has and whether that is enough asks nobody here, but
`idp.storage`. Called by `idp migrate` and by the first start. Reading order: upgrade.
"""

from idp.storage.migrations.upgrade import upgrade

__all__ = ["upgrade"]
