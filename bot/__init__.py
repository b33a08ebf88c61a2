"""The house: process, front desk, memory and the Discord edge."""
