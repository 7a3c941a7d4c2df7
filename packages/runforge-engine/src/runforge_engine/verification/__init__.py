"""Whether anything of a run was changed: its files, what they say, its entry, its dataset.

A run folder is sealed in rings. The record has the digests of the artifacts, the statement those of
all files, the manifest those of the statement too, and a signature covers all of it. The index
repeats what the documents say. Verification takes every ring for itself and holds it against the
others, so that a change shows wherever it was made. Without a signature, whoever can write every
ring can make another whole: what verifies then was not damaged, and not edited by hand.

Nothing is written, no symbolic link in a run folder is followed, and what cannot be read is a
finding.

Source: RunForge guarantees, "Provenance Tracking"; RunForge contract, "Documents and versions".
"""
