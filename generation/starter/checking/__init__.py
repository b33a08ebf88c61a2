"""The starter's own safety checker: it knows hazard tape and nothing else."""
