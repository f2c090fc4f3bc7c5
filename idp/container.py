"""Everything that is built once at start-up, in one frozen object.

The only place where constructors are called; nothing is constructed per request and nobody
looks a service up by name.
"""
