"""The history of the schema: one revision a change, run by alembic."""
