"""Signing keys change with time: planned activations, rotation by age."""

from idp.container import Container


def maintain_keys(container: Container) -> None:
    """Write down the key states that time has brought about, and rotate keys that are old enough."""
    container.admin.keys.maintain(container.settings.keys.rotation_interval)
