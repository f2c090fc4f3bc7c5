"""QR codes. Imported by name when the first is shown: the library costs every worker memory otherwise."""

import io

import segno
from markupsafe import Markup


def qr_svg(text: str, *, label: str) -> Markup:
    """An ``<svg>`` element for the middle of a page.

    Dark on white whatever the colours of the page, with the quiet zone of four modules that readers need
    (ISO/IEC 18004 §5.3.8).

    Args:
        text: what a reader gets.
        label: what is said to people who do not see it.
    """
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawn,
        kind="svg",
        scale=4,
        border=4,
        dark="#000",
        light="#fff",
        xmldecl=False,
        svgns=False,
        nl=False,
        omitsize=True,
        svgclass="qr",
        lineclass=None,
    )
    # Security: the library writes numbers and colours only; the label is escaped here.
    picture = Markup(drawn.getvalue().decode())  # noqa: S704
    attributes = Markup('<svg role="img" aria-label="{}" ').format(label)
    return Markup(picture.replace("<svg ", attributes, 1))  # noqa: S704 - both are markup
