"""The menu: slash commands and nothing else."""
