"""The numeric environment, each time in a fresh process: it is chosen once, when numpy loads."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from runforge_engine.runtime import numeric_environment
from runforge_engine.runtime.numpy_features import dispatched_features
from runforge_engine.runtime.platform_info import cpu_flags

pinnable = pytest.mark.skipif(
    not {"avx2", "fma"} <= cpu_flags(), reason="needs x86-64 with AVX2 and FMA under Linux"
)

PIN = "from runforge_engine.runtime.numeric_environment import pin_environment, describe_numerics\n"

#: Fits on several classes, so that BLAS as well as numpy's own exp takes part; prints all bits.
FIT = """
import hashlib, json
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
X, y = load_digits(return_X_y=True)
digests = {}
logistic = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(X, y)
svc = make_pipeline(StandardScaler(), LinearSVC(max_iter=5000, random_state=1))
svc.fit(X[:600], y[:600])
for name, values in {
    "logistic": logistic[1].coef_,
    "proba": logistic.predict_proba(X),
    "svc": svc[1].coef_,
    "svd": np.linalg.svd(X)[1],
    "exp": np.exp(X / 7),
}.items():
    digests[name] = hashlib.sha256(np.ascontiguousarray(values)).hexdigest()
"""


def run(code: str, *options: str, **environment: str) -> str:
    """Run Python code in an environment that has nothing numeric but ``environment``."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    result = subprocess.run(
        [sys.executable, *options, "-c", code],
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def fits():
    """Return the bits of a fit and the record, pinned and not, under what users preset."""
    presets = {
        "none": {},
        "skylake": {"OPENBLAS_CORETYPE": "SkylakeX", "OMP_NUM_THREADS": "2"},
        "prescott": {
            "OPENBLAS_CORETYPE": "Prescott",
            "OPENBLAS_NUM_THREADS": "2",
            "GOTO_NUM_THREADS": "2",
            "MKL_NUM_THREADS": "4",
            "PYTHONHASHSEED": "7",
        },
        "features": {
            "OPENBLAS_CORETYPE": "Zen",
            "OPENBLAS_DEFAULT_NUM_THREADS": "2",
            "NPY_ENABLE_CPU_FEATURES": "AVX2",
        },
    }
    pinned = (
        PIN
        + "assert pin_environment()\n"
        + FIT
        + "print(json.dumps([digests, describe_numerics()]))"
    )
    unpinned = PIN + FIT + "print(json.dumps([digests, describe_numerics()]))"
    jobs = [(f"pinned {name}", pinned, preset) for name, preset in presets.items()]
    jobs += [
        ("unpinned prescott", unpinned, presets["prescott"] | {"OPENBLAS_NUM_THREADS": "1"}),
        ("unpinned haswell", unpinned, {"OPENBLAS_CORETYPE": "Haswell", "OMP_NUM_THREADS": "1"}),
    ]
    with ThreadPoolExecutor(2) as pool:
        outputs = pool.map(lambda job: json.loads(run(job[1], **job[2])), jobs)
        return dict(zip([job[0] for job in jobs], outputs, strict=True))


@pinnable
@pytest.mark.parametrize("preset", ["skylake", "prescott", "features"])
def test_pinned_bits_and_record_do_not_depend_on_what_the_user_preset(fits, preset):
    assert fits[f"pinned {preset}"] == fits["pinned none"]


@pinnable
def test_a_pinned_process_has_the_agreed_kernel_one_thread_and_nothing_above_avx2(fits):
    record = fits["pinned none"][1]
    assert record["pinned"] is True
    assert record["threads"] == 1
    assert len(record["blas"]) >= 1
    assert {library["architecture"] for library in record["blas"]} == {"Haswell"}
    assert not any("AVX512" in name or name == "X86_V4" for name in record["simd"])
    assert record["environment"]["OPENBLAS_CORETYPE"] == "Haswell"
    assert list(record["environment"]) == sorted(record["environment"])


@pinnable
def test_without_the_pin_the_kernel_changes_the_bits(fits):
    first, second = fits["unpinned prescott"][0], fits["unpinned haswell"][0]
    assert first["logistic"] != second["logistic"]
    assert first["svc"] != second["svc"]


def test_an_unpinned_process_records_what_the_user_set(fits):
    record = fits["unpinned prescott"][1]
    assert record["pinned"] is False
    assert record["environment"] == {
        "GOTO_NUM_THREADS": "2",
        "MKL_NUM_THREADS": "4",
        "OPENBLAS_CORETYPE": "Prescott",
        "OPENBLAS_NUM_THREADS": "1",
    }


#: What is in force on machines of others, and whether that is the pinned environment. What numpy
#: 2.4 tells: from v3 of x86-64 on in groups.
ONE = {"library": "a.so", "api": "openblas", "version": "0.3.31", "threads": 1}
V3 = ("X86_V2", "X86_V3")


@pytest.mark.parametrize(
    ("blas", "simd", "environment", "pinned"),
    [
        ([{**ONE, "architecture": "Haswell"}], V3, {}, True),
        ([{**ONE, "architecture": "Haswell"}], ("SSE", "SSE2", "AVX2", "FMA3"), {}, True),
        ([{**ONE, "architecture": "Haswell", "threads": 2}], V3, {}, False),
        ([{**ONE, "architecture": "Haswell"}], (*V3, "X86_V4", "AVX512_SPR"), {}, False),
        ([{**ONE, "architecture": "Haswell"}], ("X86_V2",), {}, False),
        ([{**ONE, "architecture": "Haswell"}], V3, {"OPENBLAS_BLOCK_FACTOR": "2"}, False),
        ([{**ONE, "architecture": "Haswell"}], V3, {"OPENBLAS_L2_SIZE": "256"}, False),
        ([{**ONE, "architecture": "Zen"}], V3, {}, False),
        ([{**ONE, "architecture": "SapphireRapids"}], (*V3, "X86_V4", "AVX512_SPR"), {}, False),
        ([{**ONE, "architecture": "neoversev1"}], ("NEON", "ASIMD", "SVE"), {}, False),
        ([{"library": "Accelerate", "api": "accelerate", "threads": 1}], ("NEON",), {}, False),
        ([{**ONE, "architecture": "Haswell"}, {**ONE, "api": "mkl"}], V3, {}, False),
        ([], V3, {}, False),
    ],
)
def test_pinned_is_what_is_in_force(monkeypatch, blas, simd, environment, pinned):
    for applied in (None, environment):
        monkeypatch.setattr(numeric_environment, "_applied", applied)
        monkeypatch.setattr(numeric_environment, "_blas_libraries", lambda: blas)
        monkeypatch.setattr(numeric_environment, "_numpy_features", lambda: list(simd))
        monkeypatch.setattr(numeric_environment, "_recorded_variables", lambda: environment)
        assert numeric_environment.describe_numerics()["pinned"] is pinned


#: Starts worker processes in every way there is; in each, numpy is loaded before anybody asks.
WORKERS = """
import json, multiprocessing
from concurrent.futures import ProcessPoolExecutor

def describe():
    import numpy
    from runforge_engine.runtime.numeric_environment import describe_numerics, pin_environment
    pin_environment()
    return describe_numerics()

if __name__ == "__main__":
    from runforge_engine.runtime.numeric_environment import pin_environment
    assert pin_environment()
    found = {"here": describe()}
    from joblib import Parallel, delayed
    for backend in ("loky", "multiprocessing"):
        (found[backend],) = Parallel(2, backend=backend)([delayed(describe)()])
    for method in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            found[method] = pool.submit(describe).result()
    print(json.dumps(found))
"""


def test_a_worker_process_computes_as_the_one_that_pinned(tmp_path):
    program = tmp_path / "workers.py"
    program.write_text(WORKERS)
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    here = found.pop("here")
    assert {"loky", "multiprocessing", "spawn"} <= found.keys()
    assert [way for way, record in found.items() if record != here] == []
    assert here["pinned"] is ({"avx2", "fma"} <= cpu_flags())


@pytest.mark.slow
def test_a_worker_of_a_parallel_test_run_computes_as_the_one_that_pinned(tmp_path):
    (tmp_path / "conftest.py").write_text(PIN + "pin_environment()\nimport numpy\n")
    (tmp_path / "test_it.py").write_text(
        "import numpy, json, pathlib\n" + PIN + "def test_it(worker_id):\n"
        "    assert worker_id == 'gw0'\n"
        f"    path = pathlib.Path({str(tmp_path)!r}, 'record.json')\n"
        "    path.write_text(json.dumps(describe_numerics()))\n"
    )
    command = ("-m", "pytest", "-q", "-n", "1", "-p", "no:cacheprovider", "--rootdir", ".", ".")
    subprocess.run([sys.executable, *command], cwd=tmp_path, check=True, capture_output=True)
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["pinned"] is ({"avx2", "fma"} <= cpu_flags())


def test_a_notebook_that_loaded_numpy_first_is_judged_by_what_it_runs_on():
    code = PIN + (
        "import json, numpy\n"
        "assert pin_environment() is False\n"
        "print(json.dumps(describe_numerics()))"
    )
    pinning = PIN + "pin_environment()\nimport json, os; print(json.dumps(dict(os.environ)))"
    as_pinned = json.loads(run(pinning))
    assert json.loads(run(code, **as_pinned))["pinned"] is ({"avx2", "fma"} <= cpu_flags())
    assert (
        json.loads(run(code, OMP_NUM_THREADS="2", OPENBLAS_CORETYPE="Prescott"))["pinned"] is False
    )


def test_the_record_names_libraries_without_their_paths(fits):
    assert "/" not in json.dumps([record for _, record in fits.values()])


def test_too_late_changes_nothing_and_says_so():
    code = PIN + (
        "import json, os, numpy\n"
        "before = dict(os.environ)\n"
        "assert pin_environment() is False\n"
        "assert dict(os.environ) == before\n"
        "print(json.dumps(describe_numerics()))"
    )
    given = {"OMP_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "Prescott"}
    record = json.loads(run(code, **given))
    assert record["pinned"] is False
    assert record["environment"] == given


def test_pinning_again_before_and_after_numpy_changes_nothing():
    code = PIN + (
        "import os\n"
        "assert pin_environment()\n"
        "before = dict(os.environ)\n"
        "assert pin_environment()\n"
        "assert dict(os.environ) == before\n"
        "import numpy\n"
        "assert pin_environment()\n"
        "assert dict(os.environ) == before\n"
    )
    run(code)


def test_pinning_loads_nothing_heavy():
    code = PIN + ("import sys\npin_environment()\nprint(*sys.modules)")
    heavy = {"numpy", "scipy", "sklearn", "threadpoolctl", "importlib.metadata", "subprocess"}
    assert not heavy & set(run(code).split())


def test_numpy_loads_without_a_warning_after_the_pin():
    code = PIN + "pin_environment()\nimport numpy"
    run(code, "-W", "error", NPY_ENABLE_CPU_FEATURES="AVX2", NPY_DISABLE_CPU_FEATURES="SSE")


def test_a_variable_set_after_the_libraries_were_loaded_is_not_recorded():
    code = PIN + (
        "import json, os\n"
        "pin_environment()\n"
        "first = describe_numerics()\n"
        "os.environ['OMP_NUM_THREADS'] = os.environ['OPENBLAS_CORETYPE'] = '7'\n"
        "assert describe_numerics() == first\n"
    )
    run(code)


@pinnable
def test_a_variable_changed_between_pin_and_numpy_is_seen_in_the_libraries():
    code = PIN + (
        "import json, os\n"
        "pin_environment()\n"
        "os.environ['OPENBLAS_CORETYPE'] = 'Prescott'\n"
        "print(json.dumps(describe_numerics()))\n"
    )
    assert json.loads(run(code))["pinned"] is False


def test_threads_allowed_afterwards_are_recorded():
    code = PIN + (
        "import json, numpy, scipy.linalg, threadpoolctl\n"
        "with threadpoolctl.threadpool_limits(1): print(json.dumps(describe_numerics()))\n"
        "with threadpoolctl.threadpool_limits(2): print(json.dumps(describe_numerics()))\n"
    )
    code = code.replace("import json", "pin_environment()\nimport json")
    one, two = map(json.loads, run(code).splitlines())
    assert one["threads"] == 1
    assert two["threads"] == 2
    assert two["pinned"] is False


@pinnable
def test_a_c_library_set_to_ignore_the_processor_is_not_pinned():
    tunables = "glibc.cpu.hwcaps=-AVX2,-FMA"
    code = PIN + "pin_environment()\nimport json\nprint(json.dumps(describe_numerics()))"
    record = json.loads(run(code, GLIBC_TUNABLES=tunables))
    assert record["pinned"] is False
    assert record["environment"]["GLIBC_TUNABLES"] == tunables


def test_values_that_are_not_text_can_still_be_recorded():
    code = PIN + "import json\nprint(json.dumps(describe_numerics(), ensure_ascii=False))"
    record = json.loads(run(code, MKL_CBWR=os.fsdecode(b"\xff")))
    assert record["environment"] == {"MKL_CBWR": "\\udcff"}


def test_forests_still_grow_in_parallel_and_are_the_same():
    code = PIN + (
        "pin_environment()\n"
        "import pickle, joblib\n"
        "from sklearn.datasets import load_wine\n"
        "from sklearn.ensemble import RandomForestClassifier\n"
        "assert joblib.effective_n_jobs(2) == 2\n"
        "X, y = load_wine(return_X_y=True)\n"
        "def grow(jobs):\n"
        "    forest = RandomForestClassifier(20, random_state=1, n_jobs=jobs).fit(X, y)\n"
        "    return [pickle.dumps(tree.tree_) for tree in forest.estimators_]\n"
        "assert grow(1) == grow(2)\n"
    )
    run(code)


@pinnable
def test_the_dispatched_features_are_those_that_numpy_reports():
    code = "from numpy._core._multiarray_umath import __cpu_dispatch__ as names\nprint(*names)"
    assert dispatched_features() == run(code).split()


AVX2 = "fpu sse4_2 avx f16c fma avx2 bmi1 bmi2 movbe abm"
SKYLAKE = f"{AVX2} avx512f avx512cd avx512bw avx512dq avx512vl"
SKYLAKE_NAMES = "X86_V4 AVX512F AVX512CD AVX512_SKX"
ICE_LAKE = (
    f"{SKYLAKE} avx512_vnni avx512ifma avx512vbmi avx512_vbmi2 avx512_bitalg avx512_vpopcntdq"
)


@pinnable
@pytest.mark.parametrize(
    ("cpuinfo", "coretype", "disabled"),
    [
        (f"processor: 0\nflags\t\t: {AVX2}\n\nprocessor: 1\nflags: {ICE_LAKE}\n", "Haswell", ""),
        (f"flags: {SKYLAKE}\n", "Haswell", SKYLAKE_NAMES),
        (f"flags: {ICE_LAKE}\n", "Haswell", f"{SKYLAKE_NAMES} AVX512_CLX AVX512_CNL AVX512_ICL"),
        ("flags: fpu sse4_2 avx avx2\n", "Zen", "SSE42"),
        ("processor: 0\nFeatures: fp asimd\n", "Zen", "SSE42"),
        ("", "Zen", "SSE42"),
    ],
    ids=["avx2", "skylake", "ice-lake", "no-fma", "arm", "nothing"],
)
def test_the_pin_follows_the_processor(tmp_path, cpuinfo, coretype, disabled):
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    code = PIN + (
        "import os\n"
        "from runforge_engine.runtime import platform_info\n"
        f"platform_info._CPUINFO = {str(tmp_path / 'cpuinfo')!r}\n"
        "assert pin_environment()\n"
        "print(os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_CORETYPE'])\n"
        "print(os.environ.get('NPY_DISABLE_CPU_FEATURES', ''))"
    )
    preset = {"OPENBLAS_CORETYPE": "Zen", "NPY_DISABLE_CPU_FEATURES": "SSE42"}
    first, second = run(code, **preset).splitlines()
    assert first == f"1 {coretype}"
    # Of the names that a version of numpy may have, this one has some.
    assert set(second.split()) == set(disabled.split()) & {"SSE42", *dispatched_features()}


@pytest.mark.parametrize(
    "content",
    [b"", b"not a library", b"\x7fELF\x02\x01" + bytes(58)],
    ids=["empty", "text", "header"],
)
def test_a_numpy_that_cannot_be_imported_keeps_its_features(tmp_path, content):
    folder = tmp_path / "numpy" / "_core"
    folder.mkdir(parents=True)
    (tmp_path / "numpy" / "__init__.py").write_text("")
    (folder / "_multiarray_umath.abi3.so").write_bytes(content)
    code = PIN + (
        "import os\nassert pin_environment()\nprint(os.environ.get('NPY_DISABLE_CPU_FEATURES'))"
    )
    assert run(code, PYTHONPATH=str(tmp_path)).strip() == "None"


#: Says whether numpy had to be asked, and what is known.
FEATURES = """
import subprocess
asked = []
real = subprocess.run
subprocess.run = lambda *a, **k: (asked.append(1), real(*a, **k))[1]
from runforge_engine.runtime.numpy_features import dispatched_features
names = dispatched_features()
print(len(asked), *names)
"""


def test_numpy_is_asked_once_for_its_features(tmp_path):
    first, *names = run(FEATURES, XDG_CACHE_HOME=str(tmp_path)).split()
    again, *cached = run(FEATURES, XDG_CACHE_HOME=str(tmp_path)).split()
    assert (first, again) == ("1", "0")
    assert names == cached
    assert [path.parent for path in tmp_path.rglob("*.txt*")] == [tmp_path / "runforge"]


@pytest.mark.parametrize(
    "damage",
    [b"", b"AVX512F", b"avx512f\n", b"\xff\n", b"A=B\n", b"AVX512F " * 1000 + b"\n"],
    ids=["empty", "cut", "lower", "bytes", "other", "long"],
)
def test_a_damaged_cache_is_written_anew(tmp_path, damage):
    expected = run(FEATURES, XDG_CACHE_HOME=str(tmp_path))
    (cache,) = tmp_path.rglob("*.txt")
    whole = cache.read_bytes()
    cache.write_bytes(damage)
    assert run(FEATURES, XDG_CACHE_HOME=str(tmp_path)) == expected
    assert cache.read_bytes() == whole


def test_another_numpy_has_another_cache(tmp_path):
    run(FEATURES, XDG_CACHE_HOME=str(tmp_path))
    (cache,) = tmp_path.rglob("*.txt")
    cache.rename(cache.with_name("numpy-1-2-3-4.txt"))
    assert run(FEATURES, XDG_CACHE_HOME=str(tmp_path)).split()[0] == "1"


@pytest.mark.parametrize("place", ["relative/folder", "/dev/null"])
def test_without_a_cache_numpy_is_asked_each_time(tmp_path, place):
    names = run(FEATURES, XDG_CACHE_HOME=str(tmp_path))
    assert run(FEATURES, XDG_CACHE_HOME=place, HOME="/dev/null") == names
    assert run(FEATURES, XDG_CACHE_HOME=place, HOME="/dev/null") == names
    assert not Path("relative").exists()


def test_without_numpy_the_pin_still_succeeds(tmp_path):
    code = PIN + (
        "import sys\n"
        "sys.path[:] = [path for path in sys.path if not os.path.isdir(path + '/numpy')]\n"
        "assert pin_environment()\n"
    )
    run("import os\n" + code, PYTHONPATH=str(Path(__file__).parents[1] / "src"))
