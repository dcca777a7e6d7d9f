"""Cases of PyTorch's functions: activations, attention, layer normalization, and a tagger that joins them."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from golden import Draw
from torch_layers import of_input, recurrent_module
from torch_tools import add_weighed, below, call, group, parameters

ACTIVATIONS = {
    "elu": F.elu,
    "gelu_erf": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "hard_sigmoid_0.2x_plus_half": lambda x: torch.clamp(0.2 * x + 0.5, 0, 1),
    "hard_sigmoid_x_over_6_plus_half": F.hardsigmoid,
    "leaky_relu_0.01": F.leaky_relu,
    "log_sigmoid": F.logsigmoid,
    "log_softmax_last_axis": lambda x: F.log_softmax(x, -1),
    "mish": F.mish,
    "relu": F.relu,
    "relu6": F.relu6,
    "selu": F.selu,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "softmax_last_axis": lambda x: F.softmax(x, -1),
    "softplus": F.softplus,
    "softsign": F.softsign,
    "tanh": torch.tanh,
    "tanhshrink": F.tanhshrink,
}


def of_function(function):
    return lambda tensors: {"y": function(tensors["input.x"])}


def activations():
    cases = group("activation")
    for kind, function in ACTIVATIONS.items():
        draw = Draw(cases.name + kind)
        arrays = {"input.x": draw.floats(3, 7, scale=8.0)}
        add_weighed(cases, draw, kind, {"kind": kind}, arrays, {"y": [3, 7]}, of_function(function))
    cases.write()


def additive(t):
    both = (t["input.q"] @ t["param.Wq"].T + t["param.bq"])[:, :, None] + (t["input.k"] @ t["param.Wk"].T)[:, None]
    return torch.tanh(both) @ t["param.v"]


def products(q, k):
    return q @ k.transpose(1, 2)


# kind, parameters of queries and keys of width D, and the scores
ATTENTION = {
    "luong_dot": ("softmax(q k^T) v", {}, lambda t: products(t["input.q"], t["input.k"])),
    "luong_scaled_dot": (
        "softmax(q k^T / sqrt(D)) v",
        {},
        lambda t: products(t["input.q"], t["input.k"]) / math.sqrt(t["input.q"].shape[2]),
    ),
    "luong_general": (
        "softmax(q W k^T) v",
        {"W": (5, 5)},
        lambda t: products(t["input.q"] @ t["param.W"], t["input.k"]),
    ),
    "bahdanau": (
        "softmax(v . tanh(Wq q + bq + Wk k)) values",
        {"Wq": (3, 5), "Wk": (3, 5), "bq": (3,), "v": (3,)},
        additive,
    ),
}


def attend(score):
    def forward(t):
        weights = F.softmax(score(t).masked_fill(~t["input.mask"][:, None], float("-inf")), -1)
        return {"context": weights @ t["input.v"], "weights": weights}

    return forward


def attention():
    """Attention by its equations, with keys of their own lengths, and by PyTorch's multi-head module."""
    cases = group("attention")
    for name, (kind, shapes, score) in ATTENTION.items():
        draw = Draw(cases.name + name)
        arrays = {"input.q": draw.floats(2, 3, 5), "input.k": draw.floats(2, 7, 5), "input.v": draw.floats(2, 7, 3)}
        arrays |= {f"param.{key}": draw.floats(*shape) for key, shape in shapes.items()}
        arrays["input.mask"] = torch.arange(7).expand(2, 7).lt(torch.tensor([[7], [2]])).numpy()
        config = {"kind": kind, "masked": True, "key_lengths": [7, 2]}
        add_weighed(
            cases, draw, f"{name}_masked", config, arrays, {"context": [2, 3, 3], "weights": [2, 3, 7]}, attend(score)
        )
    draw = Draw(cases.name + "multihead")
    module = nn.MultiheadAttention(6, 2, batch_first=True)
    arrays = {"input.q": draw.floats(2, 3, 6), "input.k": draw.floats(2, 5, 6)}
    arrays |= {name.replace("out_proj.", "out_proj_"): a for name, a in parameters(draw, module).items()}

    def multi_head(t):
        named = {name.replace("out_proj_", "out_proj."): tensor for name, tensor in below("param.", t).items()}
        k = t["input.k"]
        y, weights = torch.func.functional_call(module, named, (t["input.q"], k, k))
        return {"y": y, "weights_mean_over_heads": weights}

    config = {"kind": "nn.MultiheadAttention, keys = values", "heads": 2}
    shapes = {"y": [2, 3, 6], "weights_mean_over_heads": [2, 3, 5]}
    add_weighed(cases, draw, "multihead_e6h2", config, arrays, shapes, multi_head)
    cases.write()


def normalization():
    cases = group("layernorm")
    for name, shape, axes, eps, affine in [
        ("layernorm_c13", (2, 3, 13), 1, 1e-5, True),
        ("layernorm_c5_eps0.001", (4, 1, 5), 1, 1e-3, True),
        ("layernorm_no_affine_2axes", (2, 3, 5), 2, 1e-5, False),
    ]:
        draw = Draw(cases.name + name)
        module = nn.LayerNorm(shape[-axes:], eps, affine)
        arrays = {"input.x": draw.floats(*shape, scale=3.0)} | parameters(draw, module)
        config = {
            "kind": f"layer_norm over the last {'axis' if axes == 1 else 'two axes'}",
            "eps": eps,
            "affine": affine,
        }
        add_weighed(cases, draw, name, config, arrays, {"y": shape}, of_input(module, "x"))
    cases.write()


class Tagger(nn.Module):
    """Embedding, two layers over both directions of ragged rows, normalization, a head; not all labels count."""

    def __init__(self, mode, target, V, E, H, O, lengths):
        super().__init__()
        self.embedding = nn.Embedding(V, E, padding_idx=0)
        self.rnn = recurrent_module(mode, H, E, num_layers=2, bidirectional=True, batch_first=True)
        self.norm = nn.LayerNorm(2 * H)
        self.head = nn.Linear(2 * H, O)
        self.lengths = torch.tensor(lengths)
        self.target = target

    def forward(self, ids):
        x = pack_padded_sequence(self.embedding(ids), self.lengths, batch_first=True, enforce_sorted=False)
        y, _ = pad_packed_sequence(self.rnn(x)[0], batch_first=True, total_length=ids.shape[1])
        logits = self.head(self.norm(y))
        return F.cross_entropy(logits.flatten(0, 1), self.target.flatten(), ignore_index=-100).reshape(1)


def loss_of(module):
    return lambda tensors: {"loss": call(module, tensors, tensors["input.ids"])}


def taggers():
    cases = group("model")
    sizes = {"V": 9, "E": 3, "H": 5, "O": 4, "lengths": [2, 7, 5]}
    for mode in ["RNN_TANH", "LSTM", "GRU"]:
        draw = Draw(cases.name + mode)
        ids = draw.integers(8, 3, 7) + 1
        target = draw.integers(4, 3, 7)
        for b, length in enumerate(sizes["lengths"]):
            ids[b, length:], target[b, length:] = 0, -100
        target[1, 2] = -100
        module = Tagger(mode, torch.tensor(target).long(), **sizes)
        arrays = {"input.ids": ids} | parameters(draw, module)
        layers = f"Embedding(padding_idx=0) -> {mode}(2 layers, bidirectional, packed) -> LayerNorm -> Linear"
        config = {"kind": f"{layers} -> cross_entropy(ignore_index=-100)", **sizes, "target": target.tolist()}
        add_weighed(cases, draw, f"tagger_{mode.lower()}", config, arrays, {"loss": [1]}, loss_of(module))
    cases.write()


def make():
    activations()
    attention()
    normalization()
    taggers()
