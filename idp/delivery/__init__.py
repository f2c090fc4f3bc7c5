"""Delivery: mail and SMS, written with the change they speak of and sent afterwards.

Owns the messages, the outbox and the transports. Does not decide who is told what (login/, selfservice/)
and has no thread (jobs/).
"""
