"""The database: what was run and what was found, kept for good.

Answers: where results live (engine, database), their shape (models, schema, migrations), how they get in
(store), how they come out (queries), and how all of it is copied (backup, export_rows, import_rows). What
crosses the folder's border are simcore's values and the frozen dataclasses of `db.values`, never rows of the ORM.

Must not know: the fuzzer, the command line, the environment, the clock. The place of the database and every
point in time are given by the caller.
"""
