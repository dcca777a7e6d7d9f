"""Cases of PyTorch with one module: recurrent layers, cells, embeddings, linear layers."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from golden import Draw
from torch_tools import add_weighed, apart, call, differentiated, group, parameters, squared_distances, together

# name, mode, input size, hidden size, steps, batch, and what differs from one layer in one direction
RECURRENT = [
    ("rnn_tanh_l1_uni_i3h7", "RNN_TANH", 3, 7, 5, 3, {"initial_states": True}),
    ("rnn_tanh_packed_l1_bi_i2h5", "RNN_TANH", 2, 5, 6, 3, {"bidirectional": True, "lengths": [4, 6, 1]}),
    ("rnn_relu_l2_bi_i2h3", "RNN_RELU", 2, 3, 4, 2, {"num_layers": 2, "bidirectional": True}),
    ("lstm_l1_uni_i5h13", "LSTM", 5, 13, 4, 3, {"initial_states": True}),
    ("lstm_l1_uni_i1h9_t33", "LSTM", 1, 9, 33, 2, {}),
    ("lstm_l2_bi_i3h5", "LSTM", 3, 5, 6, 2, {"num_layers": 2, "bidirectional": True, "initial_states": True}),
    ("lstm_packed_l1_uni_i4h9", "LSTM", 4, 9, 7, 4, {"lengths": [2, 7, 3, 7], "initial_states": True}),
    ("lstm_packed_l2_bi_i2h3", "LSTM", 2, 3, 6, 4, {"num_layers": 2, "bidirectional": True, "lengths": [6, 1, 5, 3]}),
    ("lstm_time_major_l1_uni_i3h7", "LSTM", 3, 7, 5, 4, {"batch_first": False, "initial_states": True}),
    ("lstm_no_bias_l1_uni_i2h5", "LSTM", 2, 5, 4, 3, {"bias": False}),
    ("lstm_proj3_l1_uni_i3h7", "LSTM", 3, 7, 5, 2, {"proj_size": 3}),
    ("lstm_proj2_l2_bi_i2h5", "LSTM", 2, 5, 4, 2, {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
    ("lstm_saturated_i3h5", "LSTM", 3, 5, 6, 2, {"scale": 8.0}),
    ("lstm_unbatched_i3h5", "LSTM", 3, 5, 7, None, {}),
    ("gru_l1_uni_i5h13", "GRU", 5, 13, 4, 3, {"initial_states": True}),
    ("gru_l3_uni_i3h5", "GRU", 3, 5, 5, 2, {"num_layers": 3}),
    ("gru_l2_bi_i3h5", "GRU", 3, 5, 6, 2, {"num_layers": 2, "bidirectional": True, "initial_states": True}),
    ("gru_packed_l1_uni_i4h9", "GRU", 4, 9, 7, 4, {"lengths": [2, 7, 3, 7], "initial_states": True}),
    ("gru_packed_l1_bi_i3h7", "GRU", 3, 7, 6, 3, {"bidirectional": True, "lengths": [6, 1, 5]}),
    ("gru_no_bias_l1_uni_i2h5", "GRU", 2, 5, 4, 3, {"bias": False}),
    ("gru_saturated_i3h5", "GRU", 3, 5, 6, 2, {"scale": 8.0}),
]


def recurrent_module(mode, hidden_size, input_size, **options):
    if mode.startswith("RNN"):
        return nn.RNN(input_size, hidden_size, nonlinearity=mode[4:].lower(), **options)
    return {"LSTM": nn.LSTM, "GRU": nn.GRU}[mode](input_size, hidden_size, **options)


def recurrent_forward(module, lengths, total):
    """Outputs y, hn and cn; rows of their own lengths where there are any, zeros behind them."""

    def forward(tensors):
        states = [tensors[f"input.{name}"] for name in ("h0", "c0") if f"input.{name}" in tensors]
        x = tensors["input.x"]
        if lengths:
            x = pack_padded_sequence(x, torch.tensor(lengths), module.batch_first, enforce_sorted=False)
        y, final = call(module, tensors, x, together(states))
        if lengths:
            y, _ = pad_packed_sequence(y, module.batch_first, total_length=total)
        return {"y": y} | apart(["hn", "cn"] if module.mode == "LSTM" else ["hn"], final)

    return forward


def recurrent():
    cases = group("rnn")
    for name, mode, inputs, hidden, T, B, options in RECURRENT:
        draw = Draw(cases.name + name)
        config = {"mode": mode, "input_size": inputs, "hidden_size": hidden, "num_layers": 1, "bidirectional": False}
        config |= {"batch_first": B is not None, "bias": True, "proj_size": 0, "lengths": None, "T": T, "B": B}
        config |= {"initial_states": False, "unbatched": B is None, **options}
        scale = config.pop("scale", 0.5)
        given = {"num_layers", "bidirectional", "batch_first", "bias"} | ({"proj_size"} if mode == "LSTM" else set())
        module = recurrent_module(mode, hidden, inputs, **{key: config[key] for key in given})
        directions = config["num_layers"] * (2 if config["bidirectional"] else 1)
        batch = [] if B is None else [B]
        width = config["proj_size"] or hidden
        steps = [*batch, T] if config["batch_first"] else [T, *batch]
        shapes = {"h": [directions, *batch, width]} | ({"c": [directions, *batch, hidden]} if mode == "LSTM" else {})
        arrays = {"input.x": draw.floats(*steps, inputs, scale=2.0)} | parameters(draw, module, scale)
        if config["initial_states"]:
            arrays |= {f"input.{state}0": draw.floats(*shape) for state, shape in shapes.items()}
        arrays["target.y"] = draw.floats(*steps, width * (2 if config["bidirectional"] else 1))
        arrays |= {f"target.{state}n": draw.floats(*shape) for state, shape in shapes.items()}
        forward = recurrent_forward(module, config["lengths"], T)
        cases.add(name, config, arrays, differentiated(forward, squared_distances))
    cases.write()


CELLS = {
    "RNNCell_tanh": lambda *sizes: nn.RNNCell(*sizes),
    "RNNCell_relu": lambda *sizes: nn.RNNCell(*sizes, nonlinearity="relu"),
    "LSTMCell": nn.LSTMCell,
    "GRUCell": nn.GRUCell,
}


def cell_forward(module, states):
    def forward(tensors):
        given = [tensors[f"input.{state}"] for state in states]
        return apart(states, call(module, tensors, tensors["input.x"], together(given)))

    return forward


def cells():
    """Single steps of cells."""
    cases = group("cell")
    for kind, make in CELLS.items():
        for inputs, hidden, B in [(1, 1, 2), (4, 7, 3), (3, 13, 1)]:
            name = f"{kind.lower()}_i{inputs}h{hidden}_b{B}"
            draw = Draw(cases.name + name)
            module = make(inputs, hidden)
            states = ["h", "c"] if kind == "LSTMCell" else ["h"]
            arrays = {"input.x": draw.floats(B, inputs, scale=2.0)} | parameters(draw, module)
            arrays |= {f"{role}.{state}": draw.floats(B, hidden) for role in ("input", "target") for state in states}
            config = {"kind": kind, "input_size": inputs, "hidden_size": hidden}
            cases.add(name, config, arrays, differentiated(cell_forward(module, states), squared_distances))
    cases.write()


def of_input(module, name):
    """The forward of a module with one input."""
    return lambda tensors: {"y": call(module, tensors, tensors[f"input.{name}"])}


def embeddings():
    """Embeddings; the row of the padding gets no gradient."""
    cases = group("embedding")
    for size, width, padding in [(5, 7, None), (11, 3, 0), (7, 5, 6)]:
        name = f"embedding_v{size}e{width}_pad{padding}"
        draw = Draw(cases.name + name)
        module = nn.Embedding(size, width, padding_idx=padding)
        ids = draw.integers(size, 3, 5)
        ids[0, 1] = ids[2, 3] = padding or 0
        arrays = {"input.ids": ids, "param.weight": draw.floats(size, width)}
        config = {"kind": "embedding", "padding_idx": padding}
        add_weighed(cases, draw, name, config, arrays, {"y": [3, 5, width]}, of_input(module, "ids"))
    cases.write()


def linear():
    cases = group("linear")
    for inputs, outputs, bias in [(1, 1, True), (9, 5, True), (3, 13, True), (5, 3, False)]:
        name = f"linear_i{inputs}o{outputs}{'' if bias else '_no_bias'}"
        draw = Draw(cases.name + name)
        module = nn.Linear(inputs, outputs, bias)
        arrays = {"input.x": draw.floats(2, 3, inputs)} | parameters(draw, module)
        add_weighed(cases, draw, name, {"kind": "linear"}, arrays, {"y": [2, 3, outputs]}, of_input(module, "x"))
    cases.write()


def make():
    recurrent()
    cells()
    embeddings()
    linear()
