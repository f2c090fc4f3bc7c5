"""Self-service: what a signed-in person sees and changes of themself.

Owns the rules; shows no page (web/) and signs nobody in (login/).
"""
