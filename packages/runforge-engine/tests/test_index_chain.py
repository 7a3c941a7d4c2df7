"""The head of an index: it holds while entries are appended, and nothing else."""

from __future__ import annotations

import copy
import hashlib
import random
from typing import Any

import msgspec
import pytest
from runforge_contracts.store.layout import StoreLayout
from runforge_contracts.store.reading import read_index
from runforge_engine.store.index_chain import Chain, IndexHead


def entries(count: int) -> list[dict[str, Any]]:
    return [
        {"run_id": f"20260201-12000{n}-abc12345", "name": "größe\n", "summary": {"accuracy": n / 7}}
        for n in range(count)
    ]


def test_the_head_is_the_documented_chain() -> None:
    link = bytes(32)
    # As JavaScript writes numbers: 0.0 is 0.
    for number, accuracy in enumerate(("0", "0.14285714285714285", "0.2857142857142857")):
        text = (
            f'{{"name":"größe\\n","run_id":"20260201-12000{number}-abc12345",'
            f'"summary":{{"accuracy":{accuracy}}}}}'
        )
        link = hashlib.sha256(link + text.encode("utf-8")).digest()
    assert Chain(entries(3)).head == IndexHead(3, link.hex())
    assert Chain([]).head == IndexHead(0, "0" * 64)


def test_the_head_of_a_real_index_holds_while_runs_are_added(train: Any) -> None:
    heads = []
    for seed in (1, 2, 3):
        outcome = train(seed=seed)
        store = StoreLayout(outcome.run_dir.parents[2])
        heads.append(Chain(read_index(store)).head)
    index = read_index(store)
    assert [head.count for head in heads] == [1, 2, 3]
    assert [Chain(index).check(head) for head in heads] == ["holds"] * 3
    assert Chain(index[:-1]).check(heads[-1]) == "tail cut"
    assert Chain([]).check(heads[0]) == "tail cut"
    assert Chain(index[::-1]).check(heads[-1]) == "changed"


def test_the_order_of_keys_does_not_matter() -> None:
    turned = [dict(reversed(entry.items())) for entry in entries(3)]
    assert Chain(turned).head == Chain(entries(3)).head


@pytest.mark.parametrize("count", [1, 2, 9])
def test_every_change_within_the_head_is_seen(count: int) -> None:
    head, dice = Chain(entries(count)).head, random.Random(count)
    for _ in range(50):
        changed = copy.deepcopy(entries(count))
        entry = dice.choice(changed)
        entry[dice.choice(list(entry))] = dice.random()
        assert Chain(changed).check(head) == "changed"
        # Putting others behind does not make up for what is missing.
        missing = entries(count)
        missing.pop(dice.randrange(count))
        assert Chain([*missing, {"run_id": "later"}]).check(head) == "changed"


def test_entries_cannot_be_joined_or_cut_otherwise() -> None:
    assert Chain([{"a": 1}, {"b": 2}]).head.sha256 != Chain([{"a": 1, "b": 2}]).head.sha256


@pytest.mark.parametrize(
    "raw",
    [
        {"count": -1, "sha256": "0" * 64},
        {"count": 1.5, "sha256": "0" * 64},
        {"count": True, "sha256": "0" * 64},
        {"count": 1, "sha256": "0" * 63},
        {"count": 1, "sha256": "0" * 64 + "\n"},
        {"count": 1, "sha256": "A" * 64},
        {"count": 1},
        [],
    ],
)
def test_a_head_from_elsewhere_is_checked(raw: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(raw, IndexHead)
