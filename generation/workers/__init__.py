"""Where jobs are painted: one seam, several real ends."""
