"""`python -m bench`: measure, print, and write docs/performance.md."""

import argparse
import os
import sys

from bench import operations, peer_side, printing, report, runs
from bench.load import WrkMissing, assert_wrk
from bench.operations import Operation
from bench.runs import Options, Run
from bench.stores import StoreMissing

_ISOLATION = "isolation"


class TooFewProcessors(RuntimeError):
    """The server and the load need one each."""

    def __init__(self) -> None:
        super().__init__("two processors are needed: one for the server, one for the load")


def main() -> int:
    """Run as often as asked for; 0 if everything was measured and every answer was right."""
    given = _arguments()
    names = [name for name in given.only.split(",") if name]
    try:
        assert_wrk()
        _assert_two_processors()
        only_isolation = names == [_ISOLATION]
        chosen = () if only_isolation else operations.named([name for name in names if name != _ISOLATION])
        if not given.without_peer:
            peer_side.install()
        options = Options(
            operations=chosen,
            stores=given.stores.split(","),
            peer=not given.without_peer,
            rounds=given.rounds,
            seconds=given.seconds,
            isolation=not names or _ISOLATION in names,
        )
        found = _all_runs(chosen, options, given.runs)
    except peer_side.PeerMissing as error:
        print(f"{error}\nTo measure ours alone, without ratios: --without-peer", file=sys.stderr)
        return 2
    except (operations.UnknownOperation, TooFewProcessors, WrkMissing, StoreMissing) as error:
        print(error, file=sys.stderr)
        return 2
    if not (names or given.no_write):
        page = report.text(chosen, found, options, runs=given.runs)
        print(f"written: {report.write(page)}")
    return 0 if found.is_right else 1


def _assert_two_processors() -> None:
    if len(os.sched_getaffinity(0)) < 2:
        raise TooFewProcessors


def _all_runs(chosen: tuple[Operation, ...], options: Options, count: int) -> Run:
    found: list[Run] = []
    for turn in range(count):
        found.append(runs.run(options))
        print(f"\n--- run {turn + 1} of {count}\n")
        _show(chosen, found[-1], options)
    if count > 1:
        print(f"\n--- medians of {count} runs\n")
        _show(chosen, runs.together(found), options)
    return runs.together(found)


def _show(chosen: tuple[Operation, ...], found: Run, options: Options) -> None:
    tables = (
        printing.targets(chosen, found, options.stores),
        printing.details(chosen, found, [*options.stores, "peer"]),
        printing.isolations(found) if found.isolations else "",
        printing.processes(found) if found.isolations else "",
        printing.bare(found),
        *(f"FAILED {line}" for line in found.failed),
    )
    print("\n\n".join(filter(None, tables)), flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add = parser.add_argument
    add(
        "--only", default="", help=f"operations, separated by commas; also: {_ISOLATION}; default: everything"
    )
    add("--stores", default="postgresql,sqlite", help="default: %(default)s")
    add("--runs", type=int, default=1, help="repeat all of it, and take the medians; default: %(default)s")
    add("--rounds", type=int, default=5, help="slices of each operation; default: %(default)s")
    add("--seconds", type=int, default=1, help="of one slice; default: %(default)s")
    add("--without-peer", action="store_true", help="measure ours alone: no ratios")
    add("--no-write", action="store_true", help="print only, leave docs/performance.md alone")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
