"""Everything SQL: tables, transactions and migrations."""
