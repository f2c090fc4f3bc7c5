"""Many at once: exactly one wins (C1, T7). The full counts run on real workers elsewhere."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

THREADS = 12


def _at_once(operation):
    barrier = Barrier(THREADS)

    def run(_):
        barrier.wait()
        return operation()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_one_exchange_of_many_succeeds(back):
    """C1; the others are replays, so what the winner got is dead (C2)."""
    code = back.code()

    responses = _at_once(lambda: back.exchange(code))

    winners = [response for response in responses if response.status == 200]
    assert len(winners) == 1
    assert {r.body["error"] for r in responses if r.status != 200} == {"invalid_grant"}
    assert back.userinfo(winners[0].body["access_token"]).status == 401


def test_many_refreshes_make_one_child(back):
    """Decision D12: the chain cannot fork."""
    back.client("app", rotate_refresh_tokens=True)
    token = back.sign_in("app")["refresh_token"]

    responses = _at_once(lambda: back.refresh(token, "app"))

    assert {response.status for response in responses} == {200}
    children = {response.body["refresh_token"] for response in responses}
    assert len(children) == 1
    assert back.refresh(children.pop(), "app").status == 200


def test_without_a_grace_window_one_refresh_wins_and_the_family_dies(back):
    back.client("app", rotate_refresh_tokens=True, refresh_token_grace=0)
    token = back.sign_in("app")["refresh_token"]

    responses = _at_once(lambda: back.refresh(token, "app"))

    winners = [response for response in responses if response.status == 200]
    assert len(winners) == 1
    assert back.refresh(winners[0].body["refresh_token"], "app").status == 400
