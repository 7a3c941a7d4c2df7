"""Verify that runs were not changed: files, documents, statement, index, dataset and signature.

Each file of a run is covered several times: ``run.json`` has the digests of the artifacts, the
statement those of all files, the manifest those of the statement too, and a signature covers the
whole folder. The index repeats values of the documents. Verification checks each of these and
compares them with the others, so a change is found wherever it was made. Without a signature,
anyone who can write all of them can make a consistent forgery: a run that verifies was not damaged,
and not edited in one place only.

Nothing is written, symbolic links in a run folder are not followed, and a file that cannot be read
is a finding.

Source: specification, section 14.6.
"""
