"""One-hot columns by pandas, as a script has them: what ``runforge prepare`` is compared with.

python dummies_script.py RAW LABEL [TABLE]
"""

import sys

import pandas as pd

raw, label, *tables = sys.argv[1:]
frame = pd.read_csv(raw)
texts = [name for name in frame if name != label]
dummies = pd.get_dummies(frame, columns=texts, prefix_sep="=", dtype="uint8")
# The label is the last column of a prepared table.
dummies = dummies[[*(name for name in dummies if name != label), label]]
for table in tables:
    dummies.to_csv(table, index=False)
