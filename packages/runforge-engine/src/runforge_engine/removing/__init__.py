"""Remove runs from a store: forgotten or archived, with a record of what they were."""
