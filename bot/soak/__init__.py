"""Makes faults happen to the real bot and counts what was lost or shown twice; a tool, no part of the running bot."""
