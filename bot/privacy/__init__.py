"""What people can see, take along and delete of what is kept about them, and what is deleted by itself."""
