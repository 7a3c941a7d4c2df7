"""Checks of finished runs and of stores, written by any client.

:func:`~runforge_contracts.invariants.run_invariants.check_run` and
:func:`~runforge_contracts.invariants.store_invariants.check_store` return every finding; nothing
here writes, follows a link, opens a model or trusts a path.
"""
