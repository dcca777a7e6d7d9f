"""Cases of PyTorch's losses: values and gradients; where a loss is not reduced, gradients are those of its sum."""

import torch
import torch.nn.functional as F

from golden import Draw
from torch_tools import group

# losses that are no function of PyTorch by themselves
COMPOSED = {
    "kl_div(log_softmax(logits), target)": lambda logits, target, reduction: F.kl_div(
        F.log_softmax(logits, -1), target, reduction=reduction
    ),
    "1 - cosine_similarity, mean over batch": lambda a, b: (1 - F.cosine_similarity(a, b)).mean(),
}

WEIGHTS = ("weight", "pos_weight")


def differentiated(fn, options):
    function = COMPOSED.get(fn) or getattr(F, fn)

    def compute(arrays):
        given = {name.removeprefix("input."): torch.tensor(a) for name, a in arrays.items()}
        given = {name: t if t.is_floating_point() else t.long() for name, t in given.items()}
        leaves = {name: t.requires_grad_() for name, t in given.items() if name not in ("target", *WEIGHTS)}
        named = {name: given.pop(name) for name in WEIGHTS if name in given}
        loss = function(*given.values(), **named, **options)
        loss.sum().backward()
        results = {"output.loss": torch.atleast_1d(loss)} | {f"grad.{name}": t.grad for name, t in leaves.items()}
        return {name: t.detach().numpy() for name, t in results.items()}

    return compute


def rows(draw):
    """Name, function, inputs in the order of its arguments, options."""
    logits, pred, target = draw.floats(5, 4, scale=3.0), draw.floats(5, 4, scale=2.0), draw.floats(5, 4, scale=2.0)
    bits, labels, classes = draw.bits(5, 4), draw.integers(4, 5), draw.probabilities(5, 4)
    counts = draw.integers(5, 5, 4).astype(pred.dtype)
    weight, prob, var = 4 * draw.probabilities(4), draw.probabilities(5, 4), draw.probabilities(5, 4)
    both = {"pred": pred, "target": target}
    sparse, binary = {"logits": logits, "target": labels}, {"logits": logits, "target": bits}
    soft = {"logits": logits, "target": classes}
    for reduction in ["mean", "sum", "none"]:
        options = {"reduction": reduction}
        yield f"mse_{reduction}", "mse_loss", both, options
        yield f"l1_{reduction}", "l1_loss", both, options
        yield f"cross_entropy_{reduction}", "cross_entropy", sparse, options
        yield f"bce_logits_{reduction}", "binary_cross_entropy_with_logits", binary, options
    for width in [0.5, 2.0]:
        yield f"huber_delta{width}", "huber_loss", both, {"delta": width}
        yield f"smooth_l1_beta{width}", "smooth_l1_loss", both, {"beta": width}
    yield "cross_entropy_ignore_index", "cross_entropy", sparse, {"ignore_index": 1}
    yield "cross_entropy_label_smoothing", "cross_entropy", sparse, {"label_smoothing": 0.1}
    yield "cross_entropy_soft_target", "cross_entropy", soft, {}
    yield "cross_entropy_huge_logits", "cross_entropy", {"logits": logits * 1000, "target": labels}, {}
    yield "cross_entropy_weight", "cross_entropy", sparse | {"weight": weight}, {}
    yield "bce_logits_pos_weight", "binary_cross_entropy_with_logits", binary | {"pos_weight": weight}, {}
    yield "bce_probabilities", "binary_cross_entropy", {"prob": prob, "target": bits}, {}
    yield "kl_div_batchmean", "kl_div(log_softmax(logits), target)", soft, {"reduction": "batchmean"}
    yield "poisson_nll", "poisson_nll_loss", {"pred": pred, "target": counts}, {}
    yield "gaussian_nll", "gaussian_nll_loss", both | {"var": var}, {}
    yield "cosine_embedding", "1 - cosine_similarity, mean over batch", {"a": pred, "b": target}, {}


def make():
    cases = group("loss")
    for name, fn, inputs, options in rows(Draw(cases.name)):
        config = {"fn": fn, **options} | ({"target": "probabilities"} if name == "cross_entropy_soft_target" else {})
        arrays = {f"input.{key}": a for key, a in inputs.items()}
        cases.add(name, config, arrays, differentiated(fn, options))
    cases.write()
