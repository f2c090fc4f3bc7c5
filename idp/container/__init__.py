"""Everything that is built once at start-up, in one frozen object.

The only place where constructors are called; nothing is constructed per request and nobody
looks a service up by name. Called by app and the other entrances.
Reading order: proofs, messages, rooms (what there is, and how the lower floors are built), flows,
container.
"""

from idp.container.container import Container, build

__all__ = ["Container", "build"]
