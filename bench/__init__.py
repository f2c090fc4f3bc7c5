"""Measuring the served product beside a peer: CPU per request, in one run.

Owns starting, pinning and loading servers, and the table of it all. Tests nothing and is imported by nothing;
`make bench` runs it. Reading order: stores (databases), servers (processes), wire (requests), load (wrk),
ours and peer (who is asked), operations (what), slices (one measurement), figures (medians, ratios), report.
"""
