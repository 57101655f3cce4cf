"""The part of Culprit's ray engine that runs on a cluster. It gets token ids and gives numbers; it never tokenises."""

# Of the files that control plane and worker exchange; both refuse another.
PROTOCOL = 1
