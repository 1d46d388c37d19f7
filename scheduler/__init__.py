"""The timer. What must happen is in the database; a timer is a hint to look."""
