"""What must be true of a finished run and of a store, whoever wrote them.

:func:`~runforge_contracts.invariants.run_invariants.check_run` and
:func:`~runforge_contracts.invariants.store_invariants.check_store` give every finding; nothing here
writes, follows a link, opens a model or believes a path.
"""
