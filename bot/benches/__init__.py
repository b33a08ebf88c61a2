"""Measurements of the front desk alone: fairness of the line, throughput of admission."""
