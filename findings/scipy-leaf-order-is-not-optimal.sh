#!/usr/bin/env bash
# SciPy 1.17.1: optimal_leaf_ordering gives an order that is longer than the best one.
#
# Its documentation promises the order of a tree's leaves in which the distances of neighbours add up to the least. For these four points
# it gives 8.47, while one of the eight orders that the tree allows has 7.63.
# Seen: "SciPy 8.4721, best of 8 orders 7.6344". 2026-11-29, Python 3.11, on Linux. Source: scipy issues 11227 and 11228; points of our own.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6 2> "$work/pip.log" || { cat "$work/pip.log"; exit 1; }
"$work/venv/bin/python" - <<'PY'
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering, to_tree
from scipy.spatial.distance import pdist, squareform

distances = pdist([[4.0, 4.0], [0.0, 4.0], [2.0, 3.0], [3.0, 1.0]])
between = squareform(distances)
tree = linkage(distances, "average")


def length(order):
    return sum(between[a, b] for a, b in zip(order, order[1:]))


def orders(node):
    if node.is_leaf():
        return [[node.id]]
    pairs = [(a, b) for a in orders(node.left) for b in orders(node.right)]
    return [a + b for a, b in pairs] + [b + a for a, b in pairs]


given = length(leaves_list(optimal_leaf_ordering(tree, distances)))
every = orders(to_tree(tree))
best = min(map(length, every))
print(f"SciPy {given:.4f}, best of {len(every)} orders {best:.4f}")
assert given > best + 0.5
PY
