"""The worker against transformers itself: the golden checkpoints of test/golden, whose numbers it did not compute.

    python -m unittest discover -s workers/ray -t workers/ray        (about 10 s; needs no Ray)
"""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from culprit_worker.checkpoint import Checkpoint, load_checkpoint
from culprit_worker.chunk import Chunk, Example, read_chunk
from culprit_worker.forward import embed, embed_tokens, logprobs, predicting_states
from culprit_worker.generate import generate
from culprit_worker.rows import Batches, Row
from culprit_worker.run_chunk import run_chunk

GOLDEN = Path(__file__).parents[3] / "test" / "golden"
CASES = [each["name"] for each in json.loads((GOLDEN / "checkpoints" / "cases.json").read_text())["cases"]]
MAX_RELATIVE_ERROR = 1e-5

torch.set_num_threads(1)


def opened(name: str, dtype: str = "F32") -> tuple[Checkpoint, Batches]:
    checkpoint = load_checkpoint(str(GOLDEN / "checkpoints" / name), None, dtype, "cpu")
    return checkpoint, Batches(1024, checkpoint.needs_equal_lengths)


def golden_examples(name: str) -> tuple[list[Example], list[tuple[int, int]], dict[str, torch.Tensor]]:
    """Each golden sequence cut into prompt and response at a few places; which sequence, and where."""
    golden = load_file(GOLDEN / "checkpoints" / name / "golden.safetensors")
    examples, cuts = [], []
    for i in range(sum(key.startswith("ids.") for key in golden)):
        ids = golden[f"ids.{i}"].tolist()
        for at in sorted({1, len(ids) // 2, len(ids) - 1} - {0}):
            if at < len(ids):
                examples.append(Example(ids[:at], [ids[at:]]))
                cuts.append((i, at))
    return examples, cuts, golden


def relative_error(got: torch.Tensor, want: torch.Tensor) -> float:
    return float((got - want).norm() / want.norm())


class Values(unittest.TestCase):
    def test_every_family_at_every_layer(self) -> None:
        """Means, states of tokens, log-probabilities and predicting states of batches of unequal length."""
        worst = 0.0
        for name in CASES:
            with self.subTest(name):
                checkpoint, batches = opened(name)
                examples, cuts, golden = golden_examples(name)
                layers = list(range(checkpoint.layer_count + 1))
                means = embed(checkpoint, Chunk({"layers": layers}, examples), batches)[0]["means"]
                for (i, at), mean in zip(cuts, means):
                    for layer in layers:
                        error = relative_error(mean[layer], golden[f"hidden.{i}.{layer}"][at:].mean(0))
                        worst = max(worst, error)
                        self.assertLess(error, MAX_RELATIVE_ERROR, f"sequence {i} from {at}, layer {layer}")
                tokens = embed_tokens(checkpoint, Chunk({"layer": layers[-1]}, examples), batches)[0]["activations"]
                want = torch.cat([golden[f"hidden.{i}.{layers[-1]}"][at:] for i, at in cuts])
                self.assertLess(relative_error(tokens, want), MAX_RELATIVE_ERROR)
                sums = logprobs(checkpoint, Chunk({}, examples), batches)[0]["logprobs"]
                for (i, at), example, got in zip(cuts, examples, sums.tolist()):
                    logits = golden[f"logits.{i}"].double().log_softmax(1)
                    expected = sum(float(logits[at - 1 + t, token]) for t, token in enumerate(example.responses[0]))
                    self.assertAlmostEqual(got, expected, delta=1e-5 * abs(expected) + 1e-5)
                states = predicting_states(checkpoint, Chunk({}, examples), batches)[0]["sums"]
                self.assertEqual(states.shape[0], len(examples))
        print(f"worst relative error of a mean over {len(CASES)} checkpoints: {worst:.1e}")

    def test_bfloat16_weights_stay_near(self) -> None:
        checkpoint, batches = opened("llama", "BF16")
        examples, cuts, golden = golden_examples("llama")
        means = embed(checkpoint, Chunk({"layers": [3]}, examples), batches)[0]["means"]
        self.assertEqual(means.dtype, torch.float32)
        for (i, at), mean in zip(cuts, means):
            self.assertLess(relative_error(mean[0], golden[f"hidden.{i}.3"][at:].mean(0)), 0.05)

    def test_blocks_above_the_highest_layer_do_not_run(self) -> None:
        checkpoint, batches = opened("llama")
        ran: list[int] = []
        for i, block in enumerate(checkpoint.blocks):
            block.register_forward_hook(lambda *_, i=i: ran.append(i))
        embed(checkpoint, Chunk({"layers": [0, 1]}, [Example([5, 6], [[7, 8]])]), batches)
        self.assertEqual(ran, [0])


class Sampling(unittest.TestCase):
    def test_greedy_as_transformers_generates(self) -> None:
        cases = json.loads((GOLDEN / "generate" / "generate.json").read_text())["cases"]
        checked = 0
        for case in cases:
            with self.subTest(case["name"]):
                checkpoint, batches = opened(case["name"])
                if checkpoint.needs_equal_lengths:
                    continue  # refused by the control plane where prompt and response may reach the length that matters
                examples = [Example(each["prompt"], []) for each in case["sequences"]]
                most = max(len(each["tokens"]) for each in case["sequences"])
                task = sampling(examples, temperature=0, maxTokens=most)
                for got, each in zip(samples_of(checkpoint, Chunk(task, examples), batches), case["sequences"]):
                    self.assertEqual(got[: len(each["tokens"])], each["tokens"])
                    checked += 1
        self.assertGreater(checked, 20)

    def test_a_sample_does_not_depend_on_its_batch(self) -> None:
        checkpoint, batches = opened("qwen2-sliding")
        examples = [Example([5, 9, 3, 22, 7, 8, 1], []), Example([4], []), Example([11, 12, 13], [])]
        together = samples_of(checkpoint, Chunk(sampling(examples, samples=3, batch=9), examples), batches)
        alone = samples_of(checkpoint, Chunk(sampling(examples, samples=3, batch=1), examples), batches)
        self.assertEqual(together, alone)
        self.assertGreater(len({tuple(each) for each in together}), 6)


class Chunks(unittest.TestCase):
    def test_from_file_to_file(self) -> None:
        checkpoint, batches = opened("llama")
        with tempfile.TemporaryDirectory() as folder:
            source, result = Path(folder) / "a.in.safetensors", Path(folder) / "a.out.safetensors"
            ints = {"prompts": [5, 6], "responses": [7, 8, 9], "promptLengths": [2], "responseLengths": [1, 2], "responseCounts": [2]}
            save_file({name: torch.tensor(each, dtype=torch.int32) for name, each in ints.items()}, source,
                      metadata={"culprit": json.dumps({"op": "embed", "layers": [0, 2]})})
            chunk = read_chunk(source)
            self.assertEqual(chunk.examples, [Example([5, 6], [[7], [8, 9]])])
            run_chunk(checkpoint, batches, chunk, result)
            means = load_file(result)["means"]
            alone = embed(checkpoint, Chunk({"layers": [2]}, [Example([5, 6], [[8, 9]])]), batches)[0]["means"]
            self.assertEqual(means.shape, (2, 2, 32))
            self.assertLess(relative_error(means[1, 1], alone[0, 0]), MAX_RELATIVE_ERROR)
            self.assertEqual(len(list(Path(folder).iterdir())), 2)  # no half-written file stays

    def test_memory_that_runs_out_halves_the_batch(self) -> None:
        """Really runs out: each row asks for a share of the address space that is left."""
        import resource

        before = resource.getrlimit(resource.RLIMIT_AS)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        room = 2 << 30
        batches = Batches(40, False)
        rows = [Row(i, i, [1] * 10, 5) for i in range(8)]
        sizes: list[int] = []

        def run(batch: list[Row]) -> int:
            torch.empty(len(batch) * (room * 2 // 5), dtype=torch.uint8)
            sizes.append(len(batch))
            return len(batch)

        resource.setrlimit(resource.RLIMIT_AS, (used + room, before[1]))
        try:
            done = batches.run(rows, run)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, before)
        self.assertEqual(batches.failed, [40])
        self.assertEqual(sizes, [2, 2, 2, 2])
        self.assertEqual(sorted(row.place for batch, _ in done for row in batch), list(range(8)))


def sampling(examples: list[Example], **changes: object) -> dict[str, object]:
    return {"seed": 1, "samples": 1, "firstSamples": [0] * len(examples), "batch": 4, "temperature": 1, "topP": 1, "maxTokens": 12,
            "contextLength": 4096, "stopTokens": [], **changes}


def samples_of(checkpoint: Checkpoint, chunk: Chunk, batches: Batches) -> list[list[int]]:
    found, _ = generate(checkpoint, chunk, batches)
    return [each.tolist() for each in found["tokens"].split(found["lengths"].tolist())]


if __name__ == "__main__":
    unittest.main()
