"""Trajectories of PyTorch's optimizers, truncated BPTT, a cell written by hand, and learning-rate schedules."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from golden import Draw
from torch_layers import recurrent_module
from torch_tools import apart, call, group, parameters

STEPS = 12

# name, mode, task, optimizer, its arguments, and clipping
TRAININGS = [
    ("sgd_lstm_regress", "LSTM", "regress", "SGD", {"lr": 0.1}, None),
    ("sgd_momentum_gru_classify", "GRU", "classify", "SGD", {"lr": 0.05, "momentum": 0.9}, ("norm", 0.5)),
    ("sgd_dampening_lstm_regress", "LSTM", "regress", "SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3}, None),
    (
        "sgd_nesterov_wd_rnn_tanh_per_step",
        "RNN_TANH",
        "per_step",
        "SGD",
        {"lr": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.01},
        None,
    ),
    ("adam_gru_regress", "GRU", "regress", "Adam", {"lr": 0.01}, ("norm", 0.5)),
    (
        "adam_amsgrad_l2_rnn_tanh_classify",
        "RNN_TANH",
        "classify",
        "Adam",
        {"lr": 0.02, "betas": [0.8, 0.99], "eps": 1e-6, "amsgrad": True, "weight_decay": 0.005},
        None,
    ),
    ("adamw_lstm_per_step", "LSTM", "per_step", "AdamW", {"lr": 0.01, "weight_decay": 0.05}, ("norm", 5.0)),
    ("adamax_gru_per_step", "GRU", "per_step", "Adamax", {"lr": 0.01}, None),
    ("nadam_lstm_regress", "LSTM", "regress", "NAdam", {"lr": 0.01, "momentum_decay": 0.004}, None),
    ("adagrad_gru_regress", "GRU", "regress", "Adagrad", {"lr": 0.05, "lr_decay": 0.1}, ("value", 0.02)),
    ("adadelta_lstm_classify", "LSTM", "classify", "Adadelta", {"lr": 1.0, "rho": 0.9, "eps": 1e-6}, None),
    ("rmsprop_gru_classify", "GRU", "classify", "RMSprop", {"lr": 0.01, "alpha": 0.9}, ("value", 0.02)),
    (
        "rmsprop_centered_momentum_lstm_per_step",
        "LSTM",
        "per_step",
        "RMSprop",
        {"lr": 0.005, "alpha": 0.95, "centered": True, "momentum": 0.5},
        None,
    ),
]


class Tagger(nn.Module):
    """A recurrent layer with a linear head on every step, or on the last."""

    def __init__(self, mode, input_size, hidden_size, outputs):
        super().__init__()
        self.rnn = recurrent_module(mode, hidden_size, input_size, batch_first=True)
        self.head = nn.Linear(hidden_size, outputs)

    def forward(self, x, states=None):
        y, states = self.rnn(x, states)
        return self.head(y), states


def trained(module, arrays, config, step):
    """Trains the parameters of a case.

    step: the loss of the k-th step, of the function that calls the module with the parameters.
    Returns the losses, the norms of the gradients before clipping, and the final parameters.
    """
    tensors = {name: torch.tensor(a).requires_grad_() for name, a in arrays.items() if name.startswith("param.")}
    weights = list(tensors.values())
    optimizer = getattr(torch.optim, config["optimizer"])(weights, **config["optimizer_args"])
    clip, values, gradients = config.get("clip"), [], []
    for k in range(config["steps"]):
        optimizer.zero_grad()
        loss = step(k, lambda *args: call(module, tensors, *args))
        loss.backward()
        values.append(loss.item())
        gradients.append(torch.stack([w.grad.norm() for w in weights if w.grad is not None]).norm().item())
        if clip and clip["kind"] == "norm":
            nn.utils.clip_grad_norm_(weights, clip["value"])
        elif clip:
            nn.utils.clip_grad_value_(weights, clip["value"])
        optimizer.step()
    final = {f"output.final_{name}": t.detach().numpy() for name, t in tensors.items()}
    return np.array(values), np.array(gradients), final


def trajectory(module, config):
    """Trains on one batch again and again."""

    def compute(arrays):
        x, target = torch.tensor(arrays["input.x"]), torch.tensor(arrays["target"])

        def step(_, call):
            y, _ = call(x)
            seen = y if config["task"] == "per_step" else y[:, -1]
            return F.cross_entropy(seen, target.long()) if config["task"] == "classify" else F.mse_loss(seen, target)

        values, gradients, final = trained(module, arrays, config, step)
        return {"output.losses": values, "output.grad_norms_before_clip": gradients} | final

    return compute


def optimizers(cases):
    for name, mode, task, optimizer, arguments, clip in TRAININGS:
        draw = Draw(cases.name + name)
        sizes = {"mode": mode, "input_size": 3, "hidden_size": 5, "outputs": 3}
        module = Tagger(**sizes)
        shape = [4, 6, 3] if task == "per_step" else [4, 3]
        target = draw.integers(3, 4) if task == "classify" else draw.floats(*shape)
        arrays = {"input.x": draw.floats(4, 6, 3)} | parameters(draw, module) | {"target": target}
        config = sizes | {"num_layers": 1, "bidirectional": False, "task": task, "steps": STEPS}
        config |= {"optimizer": optimizer, "optimizer_args": arguments}
        config["clip"] = clip and {"kind": clip[0], "value": clip[1]}
        cases.add(f"train_{name}", config, arrays, trajectory(module, config))


def chunk_by_chunk(module, config):
    """Trains on each chunk once; the final states of one start the next, which gives them no gradient."""
    chunk = config["chunk"]

    def compute(arrays):
        x, target, states = torch.tensor(arrays["input.x"]), torch.tensor(arrays["target"]), None

        def step(k, call):
            nonlocal states
            part = slice(k * chunk, (k + 1) * chunk)
            y, after = call(x[:, part], states)
            states = tuple(s.detach() for s in after) if isinstance(after, tuple) else after.detach()
            return F.mse_loss(y, target[:, part])

        values, _, final = trained(module, arrays, config, step)
        ends = apart(["h", "c"] if config["mode"] == "LSTM" else ["h"], states)
        return {"output.losses": values} | {f"output.final_{name}": s.numpy() for name, s in ends.items()} | final

    return compute


def truncated(cases):
    """Truncated BPTT."""
    chunk, chunks = 5, 4
    for mode in ["LSTM", "GRU"]:
        draw = Draw(cases.name + mode)
        sizes = {"mode": mode, "input_size": 3, "hidden_size": 7, "outputs": 2}
        module = Tagger(**sizes)
        arrays = {"input.x": draw.floats(2, chunk * chunks, 3)} | parameters(draw, module)
        arrays["target"] = draw.floats(2, chunk * chunks, 2)
        config = sizes | {"num_layers": 1, "bidirectional": False, "chunk": chunk, "chunks": chunks, "steps": chunks}
        config |= {"optimizer": "SGD", "optimizer_args": {"lr": 0.1}}
        cases.add(f"tbptt_{mode.lower()}", config, arrays, chunk_by_chunk(module, config))


class Elman(nn.Module):
    """The cell of PyTorch's tutorial on names: c = [onehot(x), h]; out = i2o(c); h = i2h(c)."""

    def __init__(self, input_size, hidden_size, outputs, tanh):
        super().__init__()
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.i2o = nn.Linear(input_size + hidden_size, outputs)
        self.tanh = tanh

    def forward(self, tokens):
        weight = self.i2h.weight
        h = weight.new_zeros(1, len(self.i2h.bias))
        for vector in F.one_hot(tokens, weight.shape[1] - h.shape[1]).to(weight.dtype):
            c = torch.cat([vector[None], h], 1)
            out, h = self.i2o(c), self.i2h(c)
            h = torch.tanh(h) if self.tanh else h
        return out, h


def one_by_one(module, config):
    """Trains on one sequence a step, as the tutorial does."""

    def compute(arrays):
        sequences, lengths, targets = (arrays[name] for name in ("input.sequences", "input.lengths", "target"))
        last = None

        def step(k, call):
            nonlocal last
            out, last = call(torch.tensor(sequences[k, : lengths[k]]).long())
            return F.nll_loss(F.log_softmax(out, 1), torch.tensor(targets[k : k + 1]).long())

        values, _, final = trained(module, arrays, config, step)
        return {"output.losses": values, "output.last_hidden": last.detach().numpy()} | final

    return compute


def by_hand(cases):
    lengths = np.array([3, 7, 1, 5, 2, 6], np.int32)
    for end in ["none", "tanh"]:
        draw = Draw(cases.name + end)
        sizes = {"input_size": 5, "hidden_size": 7, "outputs": 3}
        module = Elman(**sizes, tanh=end == "tanh")
        sequences = draw.integers(5, len(lengths), 7)
        sequences[np.arange(7) >= lengths[:, None]] = -1
        arrays = {"input.sequences": sequences, "input.lengths": lengths, "target": draw.integers(3, len(lengths))}
        arrays |= parameters(draw, module)
        config = sizes | {"optimizer": "SGD", "optimizer_args": {"lr": 0.1}, "steps": len(lengths)}
        config["clip"] = {"kind": "norm", "value": 1.0}
        cases.add(f"handwritten_cell_{end}", config, arrays, one_by_one(module, config))


SCHEDULES = {
    "StepLR": {"step_size": 7, "gamma": 0.5},
    "MultiStepLR": {"milestones": [4, 9, 21], "gamma": 0.3},
    "ExponentialLR": {"gamma": 0.93},
    "CosineAnnealingLR": {"T_max": 12, "eta_min": 0.001},
    "CosineAnnealingWarmRestarts": {"T_0": 5, "T_mult": 2, "eta_min": 0.0005},
    "OneCycleLR": {"max_lr": 0.3, "total_steps": 31, "pct_start": 0.3, "div_factor": 25, "final_div_factor": 1e4},
    "LinearLR": {"start_factor": 0.1, "end_factor": 1.0, "total_iters": 8},
}


def rates(kind, options):
    """The learning rate of the first 30 steps, from 0.1."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    schedule = getattr(torch.optim.lr_scheduler, kind)(optimizer, **options)
    found = []
    for _ in range(30):
        found.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return np.array(found)


def make():
    cases = group("train")
    optimizers(cases)
    truncated(cases)
    by_hand(cases)
    results = {f"output.{kind}": rates(kind, options) for kind, options in SCHEDULES.items()}
    cases.add("lr_schedules", {"base_lr": 0.1, "args": SCHEDULES}, {}, lambda _: results)
    cases.write()
