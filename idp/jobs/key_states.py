"""Write down the key states that time has brought about."""

from idp.container import Container


def settle_keys(container: Container) -> None:
    """Turn scheduled activations into states and drop keys nothing alive was signed with."""
    with container.database.transaction():
        container.keystore.settle(container.clock.now())
