"""The exact names that a RunForge model needs, and the role of each.

Nothing else is ever called. Module and name must both be equal; a name with a dot, which would
access attributes of a module's contents, is never allowed.

Source: scikit-learn 1.3 to 1.9, numpy 1.26 to 2.4 and joblib 1.3 to 1.6, their output for the three
families, with pickle protocols 0 to 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType


class Role(Enum):
    """What an allowed name may be used for; any other use is a finding."""

    #: A scikit-learn estimator: created empty, then given its state.
    ESTIMATOR = "estimator"
    TREE = "tree"
    #: joblib's wrapper of an array whose bytes follow.
    WRAPPER = "wrapper"
    DTYPE = "dtype"
    #: The class of arrays, as an argument only.
    NDARRAY = "ndarray"
    RECONSTRUCT = "reconstruct"
    FROMBUFFER = "frombuffer"
    SCALAR = "scalar"
    #: How protocols 0 to 2 write bytes.
    ENCODE = "encode"
    #: How protocols 0 and 1 create an object.
    RECONSTRUCTOR = "reconstructor"
    #: The class ``object``, only as an argument of the reconstructor above.
    OBJECT = "object"


ALLOWED: Mapping[tuple[str, str], Role] = MappingProxyType(
    {
        ("sklearn.pipeline", "Pipeline"): Role.ESTIMATOR,
        ("sklearn.preprocessing._data", "StandardScaler"): Role.ESTIMATOR,
        ("sklearn.linear_model._logistic", "LogisticRegression"): Role.ESTIMATOR,
        ("sklearn.ensemble._forest", "RandomForestClassifier"): Role.ESTIMATOR,
        ("sklearn.tree._classes", "DecisionTreeClassifier"): Role.ESTIMATOR,
        ("sklearn.svm._classes", "LinearSVC"): Role.ESTIMATOR,
        ("sklearn.preprocessing._label", "LabelEncoder"): Role.ESTIMATOR,
        ("sklearn.tree._tree", "Tree"): Role.TREE,
        ("joblib.numpy_pickle", "NumpyArrayWrapper"): Role.WRAPPER,
        ("numpy", "dtype"): Role.DTYPE,
        ("numpy", "ndarray"): Role.NDARRAY,
        ("numpy._core.multiarray", "_reconstruct"): Role.RECONSTRUCT,
        ("numpy._core.multiarray", "scalar"): Role.SCALAR,
        ("numpy._core.numeric", "_frombuffer"): Role.FROMBUFFER,
        ("numpy.core.multiarray", "_reconstruct"): Role.RECONSTRUCT,
        ("numpy.core.multiarray", "scalar"): Role.SCALAR,
        ("numpy.core.numeric", "_frombuffer"): Role.FROMBUFFER,
        ("_codecs", "encode"): Role.ENCODE,
        ("copy_reg", "_reconstructor"): Role.RECONSTRUCTOR,
        ("__builtin__", "object"): Role.OBJECT,
    }
)

#: Current names of modules, by the names of Python 2, which protocols 0 to 2 still use, and of
#: numpy 1.
RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "copy_reg": "copyreg",
        "__builtin__": "builtins",
        "numpy.core.multiarray": "numpy._core.multiarray",
        "numpy.core.numeric": "numpy._core.numeric",
    }
)

PIPELINE = ("sklearn.pipeline", "Pipeline")
#: The labels of codes, which the command line of Desktop stores in a file of their own.
ENCODER = ("sklearn.preprocessing._label", "LabelEncoder")
