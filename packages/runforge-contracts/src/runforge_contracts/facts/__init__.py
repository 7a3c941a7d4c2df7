"""What must be true of a finished run and of a store, whoever wrote them.

:func:`~runforge_contracts.facts.runs.check_run` and
:func:`~runforge_contracts.facts.stores.check_store` give every finding; nothing here writes,
follows a link, opens a model or believes a path.
"""
