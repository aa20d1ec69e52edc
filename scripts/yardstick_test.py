"""Tests that the yardstick agrees with checkpoint.py's captioner. They need PyTorch."""

import importlib.util
import unittest

there = all(importlib.util.find_spec(name) for name in ("torch", "numpy", "safetensors"))
if there:
    import torch

    import checkpoint
    import yardstick


@unittest.skipUnless(there, "needs torch, numpy and safetensors")
class YardstickTest(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.features = torch.randn(3, 9, 24)
        self.tokens = torch.zeros(3, 5, 9, dtype=torch.long)
        for i in range(15):
            words = 2 + i % 6
            row = self.tokens.view(15, 9)[i]
            row[0], row[1 : 1 + words], row[1 + words] = yardstick.START, torch.randint(4, 30, (words,)), yardstick.END

    def arms(self):
        for arm in ("none", "uniform", "soft", "adaptive"):
            with self.subTest(arm):
                yield yardstick.Fast(arm, 30, 24, 12, 36, 20, dropout=0.5).eval()

    def plain(self, model, features, words):
        return checkpoint.Captioner.forward(model, features, words)

    def test_training(self):
        rows = self.tokens.view(15, 9)
        real = rows[:, 1:] != yardstick.PAD
        for model in self.arms():
            logits, target = model(self.features, self.tokens)
            want = self.plain(model, self.features.repeat_interleave(5, 0), rows[:, :-1])[real]
            torch.testing.assert_close(logits, want)
            self.assertTrue(torch.equal(target, rows[:, 1:][real]))

    def test_search(self):
        for model in self.arms():
            words = torch.full((3, 1), yardstick.START)
            for _ in range(6):
                logits = self.plain(model, self.features, words)[:, -1]
                logits[:, [yardstick.PAD, yardstick.START, yardstick.UNKNOWN]] = -1e9
                words = torch.cat([words, logits.argmax(1, keepdim=True)], 1)
            want = [row[: (row + [yardstick.END]).index(yardstick.END)] for row in words[:, 1:].tolist()]
            self.assertEqual(model.search(self.features, 1, longest=6), want)

    def test_samples_follow_the_probabilities(self):
        for model in self.arms():
            drawn = model.sample(self.features[:1], 20_000, longest=1)[0, :, 1]
            logits = self.plain(model, self.features[:1], torch.full((1, 1), yardstick.START))[0, -1]
            logits[[yardstick.PAD, yardstick.START, yardstick.UNKNOWN]] = -1e9
            self.assertLess((drawn.bincount(minlength=30) / 20_000 - logits.softmax(-1)).abs().max().item(), 0.02)

    def test_cider_d(self):
        a, b = "a b c d e".split(), "f g h i j".split()
        scorer = yardstick.CiderD({"a": [a, b], "b": [b]})
        self.assertAlmostEqual(scorer.score(b, "b"), 0)  # all of it is in every document
        self.assertAlmostEqual(yardstick.CiderD({"a": [a], "b": [b]}).score(a, "a"), 10)


if __name__ == "__main__":
    unittest.main()
