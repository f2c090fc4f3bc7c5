"""Addresses that codes are sent to as a second step."""

from datetime import timedelta

from idp.authenticators import Channel, CodeFactors


def test_there_is_one_address_for_each_channel(database, repos, account_id, now):
    factors = CodeFactors(repos)
    with database.transaction():
        factors.enrol(account_id, Channel.SMS, "+4930111", now)
        factors.enrol(account_id, Channel.EMAIL, "ada@example.org", now)
        factors.enrol(account_id, Channel.SMS, "+4930222", now)

        assert [(one.channel, one.address) for one in factors.list_(account_id)] == [
            (Channel.EMAIL, "ada@example.org"),
            (Channel.SMS, "+4930222"),
        ]


def test_use_is_noted_and_an_address_can_be_removed(database, repos, account_id, now):
    factors, later = CodeFactors(repos), now + timedelta(days=1)
    with database.transaction():
        factors.enrol(account_id, Channel.SMS, "+4930111", now)
        factors.note_use(account_id, Channel.SMS, later)
        assert factors.find(account_id, Channel.SMS).last_used_at == later
        assert factors.find(account_id, Channel.EMAIL) is None
        assert factors.remove(account_id, Channel.SMS)
        assert not factors.remove(account_id, Channel.SMS)
        assert factors.list_(account_id) == []
