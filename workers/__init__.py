"""Processes that execute units, and the coordinator's connections: to the database, to Celery, to processes here."""
