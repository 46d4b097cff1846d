"""How the schema came to be: one file a revision, in versions/, numbered from 0001.

A released revision is never changed. See docs/database.md for how to add one.
"""
