"""Repositories: the statements about each noun, one file per noun.

They work in the transaction of the current session (`Database.transaction`) and never commit.
What must happen at most once is one conditional statement that says whether it happened.
``find_`` and ``get`` return rows or None; the rooms above turn rows into frozen values and
decide what they mean.
"""

from idp.storage.repositories.collection import Repositories, repositories

__all__ = ["Repositories", "repositories"]
