"""Keras' losses, metrics and learning-rate schedules, and trajectories of its optimizers."""

import numpy as np
import torch

from golden import Draw
from keras_tools import (
    built,
    final_weights,
    group,
    keras,
    numbers,
    spec,
    update,
    use_precision_of,
    weights_for,
    with_weights,
)


def losses():
    """Values and gradients of losses, of the sum where they are not reduced, and metrics."""
    cases = group("loss")
    draw = Draw(cases.name)
    pred, target, logits = draw.floats(5, 4, scale=2.0), draw.floats(5, 4, scale=2.0), draw.floats(5, 4, scale=3.0)
    prob, classes, scores = (
        draw.probabilities(5, 4),
        draw.probabilities(5, 4),
        draw.floats(5, 4) / 2.1 + np.float32(0.5),
    )
    bits, labels, positive = draw.bits(5, 4), draw.integers(4, 5), draw.floats(5, 4) + 1
    onehot, signs = np.eye(4, dtype=np.float32)[labels], 2 * bits - 1
    extreme = np.array([[0, 1, 0, 1], [0.5, 0, 1, 0.25]], np.float32)

    def add(name, class_name, target, pred, **config):
        loss = spec(class_name, **config)

        def compute(arrays):
            use_precision_of(arrays)
            pred = torch.tensor(arrays["input.pred"]).requires_grad_()
            value = built(loss, keras.losses)(torch.tensor(arrays["target"]), pred)
            value.sum().backward()
            return numbers({"output.loss": value, "grad.pred": pred.grad})

        cases.add(name, {"loss": loss}, {"target": target, "input.pred": pred}, compute)

    for name, class_name in [
        ("mse", "MeanSquaredError"),
        ("mae", "MeanAbsoluteError"),
        ("mape", "MeanAbsolutePercentageError"),
        ("huber", "Huber"),
        ("logcosh", "LogCosh"),
        ("cosine", "CosineSimilarity"),
    ]:
        add(name, class_name, target, pred)
    add("mse_sum", "MeanSquaredError", target, pred, reduction="sum")
    add("mse_none", "MeanSquaredError", target, pred, reduction=None)
    add("huber_delta", "Huber", target, pred, delta=0.5)
    add("msle", "MeanSquaredLogarithmicError", positive, scores)
    add("poisson", "Poisson", positive, scores)
    add("kld", "KLDivergence", classes, prob)
    add("hinge", "Hinge", signs, pred)
    add("squared_hinge", "SquaredHinge", signs, pred)
    add("binary_crossentropy", "BinaryCrossentropy", bits, scores)
    add("binary_crossentropy_logits", "BinaryCrossentropy", bits, logits, from_logits=True)
    add("binary_crossentropy_smoothing", "BinaryCrossentropy", bits, scores, label_smoothing=0.2)
    add("binary_crossentropy_0_and_1", "BinaryCrossentropy", np.round(1 - extreme), extreme)
    add("binary_focal", "BinaryFocalCrossentropy", bits, scores)
    add("categorical_crossentropy", "CategoricalCrossentropy", onehot, prob)
    add("categorical_crossentropy_logits", "CategoricalCrossentropy", classes, logits, from_logits=True)
    add("categorical_crossentropy_smoothing", "CategoricalCrossentropy", onehot, prob, label_smoothing=0.1)
    add("categorical_crossentropy_unnormalised", "CategoricalCrossentropy", onehot, scores)
    add("categorical_focal", "CategoricalFocalCrossentropy", onehot, prob)
    add("sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", labels, prob)
    add("sparse_categorical_crossentropy_logits", "SparseCategoricalCrossentropy", labels, logits, from_logits=True)
    inputs = {"a_pred": pred, "b_target": target, "bits": bits, "scores": scores, "onehot": onehot, "prob": prob}
    arrays = {f"input.{name}": a for name, a in (inputs | {"labels": labels}).items()}
    cases.add("metrics", {"note": "one update, then result(); inputs by name"}, arrays, measured)
    cases.write()


# reference -> metric, targets, predictions
METRICS = {
    "accuracy_binary": (spec("BinaryAccuracy"), "bits", "scores"),
    "accuracy_binary_threshold_0.7": (spec("BinaryAccuracy", threshold=0.7), "bits", "scores"),
    "accuracy_categorical": (spec("CategoricalAccuracy"), "onehot", "prob"),
    "accuracy_sparse": (spec("SparseCategoricalAccuracy"), "labels", "prob"),
    "mae": (spec("MeanAbsoluteError"), "b_target", "a_pred"),
    "precision": (spec("Precision"), "bits", "scores"),
    "r2": (spec("R2Score"), "b_target", "a_pred"),
    "recall": (spec("Recall"), "bits", "scores"),
    "rmse": (spec("RootMeanSquaredError"), "b_target", "a_pred"),
    "top2_sparse": (spec("SparseTopKCategoricalAccuracy", k=2), "labels", "prob"),
}


def measured(arrays):
    use_precision_of(arrays)
    results = {}
    for name, (metric, target, pred) in METRICS.items():
        value = built(metric, keras.metrics)(
            torch.tensor(arrays[f"input.{target}"]), torch.tensor(arrays[f"input.{pred}"])
        )
        results[f"output.{name}"] = torch.atleast_1d(value)
    return numbers(results)


STEPS = 12

SCHEDULE = spec("ExponentialDecay", initial_learning_rate=0.02, decay_steps=5, decay_rate=0.7)

# name, recurrent layer, loss, optimizer
TRAININGS = [
    ("sgd", "lstm", "mean_squared_error", spec("SGD", learning_rate=0.1)),
    (
        "sgd_momentum_nesterov",
        "gru",
        "categorical_crossentropy",
        spec("SGD", learning_rate=0.05, momentum=0.9, nesterov=True),
    ),
    (
        "sgd_momentum_wd",
        "simplernn",
        "binary_crossentropy",
        spec("SGD", learning_rate=0.05, momentum=0.8, weight_decay=0.01),
    ),
    ("sgd_clipnorm", "gru", "categorical_crossentropy", spec("SGD", learning_rate=0.1, clipnorm=0.05)),
    ("sgd_ema", "gru", "categorical_crossentropy", spec("SGD", learning_rate=0.1, use_ema=True, ema_momentum=0.9)),
    ("adam", "gru", "categorical_crossentropy", spec("Adam", learning_rate=0.01)),
    (
        "adam_amsgrad",
        "simplernn",
        "binary_crossentropy",
        spec("Adam", learning_rate=0.02, beta_1=0.8, beta_2=0.98, epsilon=1e-5, amsgrad=True),
    ),
    ("adam_clipvalue", "simplernn", "binary_crossentropy", spec("Adam", learning_rate=0.01, clipvalue=0.01)),
    ("adam_schedule", "lstm", "mean_squared_error", spec("Adam", learning_rate=SCHEDULE)),
    ("adamw", "gru_before", "sparse_categorical_crossentropy", spec("AdamW", learning_rate=0.01, weight_decay=0.03)),
    ("adamax", "gru", "categorical_crossentropy", spec("Adamax", learning_rate=0.01)),
    ("nadam", "lstm", "mean_squared_error", spec("Nadam", learning_rate=0.01)),
    ("adagrad", "simplernn", "binary_crossentropy", spec("Adagrad", learning_rate=0.05)),
    ("adadelta", "gru_before", "sparse_categorical_crossentropy", spec("Adadelta", learning_rate=1.0, rho=0.9)),
    ("rmsprop", "gru_before", "sparse_categorical_crossentropy", spec("RMSprop", learning_rate=0.01)),
    (
        "rmsprop_centered_momentum",
        "lstm",
        "mean_squared_error",
        spec("RMSprop", learning_rate=0.005, rho=0.85, momentum=0.6, epsilon=1e-6, centered=True),
    ),
    (
        "rmsprop_global_clipnorm",
        "gru_before",
        "sparse_categorical_crossentropy",
        spec("RMSprop", learning_rate=0.01, global_clipnorm=0.1),
    ),
    ("lion", "lstm", "mean_squared_error", spec("Lion", learning_rate=0.003)),
]

LAYERS = {
    "simplernn": spec("SimpleRNN", units=5),
    "lstm": spec("LSTM", units=3),
    "gru": spec("GRU", units=5),
    "gru_before": spec("GRU", units=3, reset_after=False),
}

HEADS = {"mean_squared_error": "linear", "binary_crossentropy": "sigmoid"}


def optimizer_of(config):
    """An optimizer, with its schedule."""
    options = dict(config["config"])
    if isinstance(options["learning_rate"], dict):
        options["learning_rate"] = built(options["learning_rate"], keras.optimizers.schedules)
    return getattr(keras.optimizers, config["class_name"])(**options)


def trajectory(config):
    """Trains on one batch again and again."""

    def compute(arrays):
        use_precision_of(arrays)
        x, target = torch.tensor(arrays["input.x"]), torch.tensor(arrays["target"])
        model = with_weights(keras.Sequential(built(config["model"])), arrays, arrays["input.x"])
        optimizer, values = optimizer_of(config["optimizer"]), []
        for _ in range(config["steps"]):
            values.append(update(model, optimizer, getattr(keras.losses, config["loss"])(target, model(x)).mean()))
        return {"output.losses": np.array(values)} | final_weights(model)

    return compute


def optimizers(cases):
    for name, kind, loss, optimizer in TRAININGS:
        draw = Draw(cases.name + name)
        layers = [LAYERS[kind], spec("Dense", units=3, activation=HEADS.get(loss, "softmax"))]
        targets = {
            "mean_squared_error": draw.floats(4, 3),
            "binary_crossentropy": draw.bits(4, 3),
            "categorical_crossentropy": draw.probabilities(4, 3),
            "sparse_categorical_crossentropy": draw.integers(3, 4),
        }
        arrays = {"input.x": draw.floats(4, 6, 3), "target": targets[loss]}
        arrays |= weights_for(draw, keras.Sequential(built(layers)), arrays["input.x"])

        config = {"model": layers, "loss": loss, "optimizer": optimizer, "steps": STEPS}
        cases.add(f"{name}_{kind}_{loss}", config, arrays, trajectory(config))


SCHEDULES = {
    "CosineDecay(.1, 15, alpha=.1)": lambda s: s.CosineDecay(0.1, 15, alpha=0.1),
    "CosineDecay(0, 10, warmup_target=.1, warmup_steps=5)": lambda s: s.CosineDecay(
        0.0, 10, warmup_target=0.1, warmup_steps=5
    ),
    "CosineDecayRestarts(.1, 6, t_mul=2, m_mul=.8)": lambda s: s.CosineDecayRestarts(0.1, 6, t_mul=2.0, m_mul=0.8),
    "ExponentialDecay(.1, 5, .8)": lambda s: s.ExponentialDecay(0.1, 5, 0.8),
    "ExponentialDecay(.1, 5, .8, staircase)": lambda s: s.ExponentialDecay(0.1, 5, 0.8, staircase=True),
    "InverseTimeDecay(.1, 4, .5)": lambda s: s.InverseTimeDecay(0.1, 4, 0.5),
    "PiecewiseConstantDecay([5, 12], [.1, .05, .01])": lambda s: s.PiecewiseConstantDecay([5, 12], [0.1, 0.05, 0.01]),
    "PolynomialDecay(.1, 15, .01, power=2)": lambda s: s.PolynomialDecay(0.1, 15, 0.01, power=2.0),
    "PolynomialDecay(.1, 6, .01, cycle)": lambda s: s.PolynomialDecay(0.1, 6, 0.01, cycle=True),
}


def make():
    losses()
    cases = group("train")
    optimizers(cases)
    use_precision_of({})
    schedules = {name: of(keras.optimizers.schedules) for name, of in SCHEDULES.items()}
    rates = {f"output.{name}": np.array([float(rate(k)) for k in range(25)]) for name, rate in schedules.items()}
    cases.add("lr_schedules", {"note": "the rates of steps 0 to 24"}, {}, lambda _: rates)
    cases.write()
