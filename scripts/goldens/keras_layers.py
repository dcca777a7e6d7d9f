"""Cases of Keras with one layer: outputs and all gradients, masks, both directions, states from call to call."""

import numpy as np
import torch

from golden import Draw
from keras_tools import as_numbered, built, group, numbered, numbers, spec, use_precision_of, weights_for, with_weights

# name, class, options, units
KINDS = [
    ("simplernn", "SimpleRNN", {}, 9),
    ("lstm", "LSTM", {}, 7),
    ("gru_after", "GRU", {}, 5),
    ("gru_before", "GRU", {"reset_after": False}, 7),
]

SEQUENCE = {"return_sequences": True}
ALL = {"return_sequences": True, "return_state": True}


def called(layer, arrays):
    """Outputs of a layer, x and the initial states as leaves."""
    x = torch.tensor(arrays["input.x"])
    states = [torch.tensor(a).requires_grad_() for a in numbered(arrays, "input.initial_state")]
    if x.is_floating_point():
        x.requires_grad_()
    options = {"mask": torch.tensor(arrays["input.mask"])} if "input.mask" in arrays else {}
    if states:
        options["initial_state"] = states
    outputs = layer(x, **options)
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs], x, states


def differentiated(layer):
    """A function of a case's arrays: outputs, and gradients of the sum over them of sum(output * cotangent)."""

    def compute(arrays):
        use_precision_of(arrays)
        model = with_weights(built(layer), arrays, arrays["input.x"])
        outputs, x, states = called(model, arrays)
        cotangents = numbered(arrays, "cotangent")
        sum((y * torch.tensor(c)).sum() for y, c in zip(outputs, cotangents, strict=True)).backward()
        results = as_numbered("output", outputs)
        results |= as_numbered("grad.weight", [w.value.grad for w in model.trainable_weights])
        results |= as_numbered("grad.initial_state", [state.grad for state in states])
        if x.requires_grad:
            results["grad.x"] = x.grad
        return numbers(results)

    return compute


def add_layer(cases, name, layer, x, mask=None, states=()):
    """Adds a case with one layer; cotangents have the shapes of its outputs."""
    draw = Draw(cases.name + name)
    arrays = {"input.x": draw.floats(*x, scale=1.5) if isinstance(x, tuple) else x}
    arrays |= weights_for(draw, built(layer), arrays["input.x"])
    if mask is not None:
        arrays["input.mask"] = np.array(mask, bool)
    arrays |= as_numbered("input.initial_state", [draw.floats(*shape) for shape in states])
    outputs, _, _ = called(with_weights(built(layer), arrays, arrays["input.x"]), arrays)
    arrays |= as_numbered("cotangent", [draw.floats(*y.shape) for y in outputs])
    cases.add(name, {"layer": layer}, arrays, differentiated(layer))


def recurrent():
    cases = group("layer")
    for kind, class_name, options, units in KINDS:
        variants = {
            "last": {},
            "seq_state": ALL,
            "backwards_seq": {"go_backwards": True, **SEQUENCE},
            "initial_state": ALL,
            "no_bias": {"use_bias": False},
            "act_relu": {"activation": "relu", **SEQUENCE},
            "act_softsign_rec_hard_sigmoid": {"activation": "softsign", "recurrent_activation": "hard_sigmoid"},
        }
        if kind == "simplernn":
            del variants["act_softsign_rec_hard_sigmoid"]
        for name, more in variants.items():
            count = (2 if kind == "lstm" else 1) if name == "initial_state" else 0
            layer = spec(class_name, units=units, **options, **more)
            add_layer(cases, f"{kind}_{name}", layer, (3, 5, 3), states=[(3, units)] * count)
    cases.write()


MASKS = {
    "right": [[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0]],
    "left": [[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1]],
    "holes": [[1, 0, 1, 1, 0, 1], [0, 1, 1, 0, 0, 1], [1, 1, 0, 1, 0, 0]],
    "all_masked_row": [[1, 1, 1, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 1, 0, 1, 1, 1]],
}


def masks():
    cases = group("mask")
    for kind, class_name, options, _ in KINDS:
        for mask, name, more in [
            ("right", "seq", SEQUENCE),
            ("left", "backwards_seq", {"go_backwards": True, **SEQUENCE}),
            ("holes", "last", {}),
            ("holes", "seq_state", ALL),
            ("all_masked_row", "seq_zero", {"zero_output_for_mask": True, **SEQUENCE}),
        ]:
            layer = spec(class_name, units=3, **options, **more)
            add_layer(cases, f"{kind}_{mask}_{name}", layer, (3, 6, 2), MASKS[mask])
    cases.write()


def both_directions():
    cases = group("bidirectional")
    kinds = {kind: (class_name, options) for kind, class_name, options, _ in KINDS}

    def add(kind, name, merge="concat", mask=None, states=0, backward=None, **more):
        class_name, options = kinds[kind]
        layer = {"layer": spec(class_name, units=5, **options, **more), "merge_mode": merge}
        if backward:
            layer["backward_layer"] = spec(class_name, units=5, go_backwards=True, **options, **more, **backward)
        x = (3, 6, 2)
        add_layer(cases, f"{kind}_{name}", spec("Bidirectional", **layer), x, mask, [(3, 5)] * states)

    add("lstm", "concat_seq", **SEQUENCE)
    add("lstm", "None_seq", None, **SEQUENCE)
    add("lstm", "right_mask_state", mask=MASKS["right"], **ALL)
    add("gru_after", "sum_last", "sum")
    add("gru_after", "initial_state", states=2, **ALL)
    add("gru_after", "other_backward_layer", backward={"activation": "relu"}, **SEQUENCE)
    add("gru_before", "ave_last", "ave")
    add("simplernn", "mul_seq", "mul", **SEQUENCE)
    add("simplernn", "holes_mask_seq", mask=MASKS["holes"], **SEQUENCE)
    cases.write()


def stacked_cells():
    cases = group("stacked_cells")

    def add(name, cells, mask=None, **more):
        cell = spec("StackedRNNCells", cells=[spec(class_name, **options) for class_name, options in cells])
        add_layer(cases, name, spec("RNN", cell=cell, **more), (3, 6, 2), mask)

    add("simplernn_last", [("SimpleRNNCell", {"units": 5}), ("SimpleRNNCell", {"units": 3})])
    add("lstm_seq", [("LSTMCell", {"units": 3}), ("LSTMCell", {"units": 5})], **SEQUENCE)
    add("gru_backwards", [("GRUCell", {"units": 5}), ("GRUCell", {"units": 3})], go_backwards=True, **SEQUENCE)
    mixed = [
        ("LSTMCell", {"units": 3}),
        ("GRUCell", {"units": 5, "reset_after": False}),
        ("SimpleRNNCell", {"units": 2}),
    ]
    add("mixed_cells_mask", mixed, MASKS["holes"], **SEQUENCE)
    cases.write()


def stateful():
    cases = group("stateful")

    def add(kind, class_name, options, name, calls, **more):
        layer = spec(class_name, units=5, stateful=True, **options, **more)
        draw = Draw(cases.name + kind + name)
        steps = [f"call with input.x{i}" for i in range(3)]
        arrays = {f"input.x{i}": draw.floats(3, 4, 2, scale=1.5) for i in range(3)}
        arrays |= weights_for(draw, built(layer), arrays["input.x0"])
        steps[calls:calls] = ["reset_state"]

        def compute(arrays):
            use_precision_of(arrays)
            model = with_weights(built(layer), arrays, arrays["input.x0"])
            model.reset_state()
            outputs = None
            for step in steps:
                if step == "reset_state":
                    model.reset_state()
                else:
                    outputs = model(torch.tensor(arrays[step.removeprefix("call with ")]))
            return numbers(as_numbered("output", outputs if isinstance(outputs, (list, tuple)) else [outputs]))

        cases.add(f"{kind}_{name}", {"layer": layer, "steps": steps}, arrays, compute)

    for kind, class_name, options, _ in KINDS:
        add(kind, class_name, options, "three_calls", 0, **ALL)
        add(kind, class_name, options, "reset", 1, return_state=True)
    add("lstm", "LSTM", {}, "backwards", 0, go_backwards=True, **SEQUENCE)
    cases.write()


ACTIVATIONS = (
    "elu exponential gelu hard_sigmoid hard_silu leaky_relu linear log_softmax mish relu relu6 selu sigmoid silu "
    "softmax softplus softsign tanh"
)


def others():
    cases = group("other")
    for activation in ACTIVATIONS.split():
        add_layer(cases, f"dense_{activation}", spec("Dense", units=5, activation=activation), (3, 7))
    ids = Draw("embedding").integers(7, 3, 5)
    add_layer(cases, "embedding", spec("Embedding", input_dim=7, output_dim=3), ids)
    for activation in ["tanh", "softmax"]:
        dense = spec("Dense", units=5, activation=activation)
        add_layer(cases, f"timedistributed_dense_{activation}", spec("TimeDistributed", layer=dense), (2, 4, 3))
    cases.write()


def make():
    recurrent()
    masks()
    both_directions()
    stacked_cells()
    stateful()
    others()
