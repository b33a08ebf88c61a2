"""Memory: jobs, pictures, messages and rules, in SQLite or PostgreSQL."""
