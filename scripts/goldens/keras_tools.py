"""Keras, on PyTorch, made of the configurations of a case and given its weights."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import torch

from golden import Group

VERSIONS = f"Keras {keras.__version__} on PyTorch {torch.__version__.split('+')[0]}"


def group(name):
    return Group(f"keras/{name}", VERSIONS)


def use_precision_of(arrays):
    """Makes what Keras makes from now on compute in the precision of a case's real arrays."""
    dtype = next((a.dtype.name for a in arrays.values() if a.dtype.kind == "f"), "float64")
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)


def spec(class_name, **config):
    """An object as Keras saves it, with what differs from its defaults."""
    return {"class_name": class_name, "config": config}


def built(value, module=keras.layers):
    """The object of a spec, with those in it."""
    if isinstance(value, list):
        return [built(item, module) for item in value]
    if not isinstance(value, dict) or "class_name" not in value:
        return value
    config = {key: built(item, module) for key, item in value["config"].items()}
    return getattr(module, value["class_name"])(**config)


def numbered(arrays, prefix):
    """Arrays PREFIX.0, PREFIX.1, ... of a case."""
    found = []
    while f"{prefix}.{len(found)}" in arrays:
        found.append(arrays[f"{prefix}.{len(found)}"])
    return found


def as_numbered(prefix, values):
    return {f"{prefix}.{i}": value for i, value in enumerate(values)}


def weights_for(draw, model, *inputs, scale=0.6):
    """Numbered weights for a model, which a first call builds."""
    use_precision_of({"x": np.zeros(1, np.float32)})
    model(*[torch.tensor(x) for x in inputs])
    return as_numbered("weight", [draw.floats(*w.shape, scale=scale) for w in model.trainable_weights])


def with_weights(model, arrays, *inputs):
    """A model with the weights of a case, built by a first call."""
    model(*[torch.tensor(x) for x in inputs])
    for variable, value in zip(model.trainable_weights, numbered(arrays, "weight"), strict=True):
        variable.assign(value)
    return model


def update(model, optimizer, loss):
    """Updates a model by the gradients of a loss; gives the number."""
    model.zero_grad()
    loss.backward()
    optimizer.apply([w.value.grad for w in model.trainable_weights], model.trainable_weights)
    return loss.item()


def final_weights(model):
    return as_numbered("output.final_weight", [keras.ops.convert_to_numpy(w) for w in model.trainable_weights])


def numbers(tensors):
    return {name: t.detach().numpy() for name, t in tensors.items()}
