"""`python -m bench`: measure, print, and write docs/performance.md."""

import argparse
import os
import sys
from collections.abc import Sequence

from bench import operations, peer_side, runs
from bench.load import WrkMissing, assert_wrk
from bench.printing import operations_table
from bench.stores import StoreMissing


def main() -> int:
    """Run as often as asked for; 0 if everything was measured and every answer was right."""
    given = _arguments()
    try:
        chosen = operations.named([name for name in given.only.split(",") if name])
        assert_wrk()
        if len(os.sched_getaffinity(0)) < 2:
            print("The benchmark needs two processors: one for the server, one for the load.")
            return 2
        if not given.without_peer:
            peer_side.install()
        options = runs.Options(
            operations=chosen,
            stores=given.stores.split(","),
            peer=not given.without_peer,
            rounds=given.rounds,
            seconds=given.seconds,
        )
        found = runs.run(options)
    except (operations.UnknownOperation, WrkMissing, StoreMissing, peer_side.PeerMissing) as error:
        print(str(error.args[0]), file=sys.stderr)
        if isinstance(error, peer_side.PeerMissing):
            print("To measure ours alone, without ratios: --without-peer", file=sys.stderr)
        return 2
    print(operations_table(chosen, found.cells, options.stores))
    for line in found.failed:
        print(f"FAILED {line}")
    return int(bool(found.failed) or any(cell.wrong for cell in found.cells.values()))


def _arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default="", help="operations, separated by commas; default: all of them")
    parser.add_argument("--stores", default="postgresql,sqlite", help="default: %(default)s")
    parser.add_argument(
        "--rounds", type=int, default=5, help="slices of each operation; default: %(default)s"
    )
    parser.add_argument("--seconds", type=int, default=1, help="of one slice; default: %(default)s")
    parser.add_argument("--without-peer", action="store_true", help="measure ours alone: no ratios")
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/performance.md alone")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
