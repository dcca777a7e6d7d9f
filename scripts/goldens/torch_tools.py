"""PyTorch on the arrays of a case: parameters by their names, outputs and all gradients."""

import torch

from golden import Group

torch.set_num_threads(1)

VERSION = torch.__version__.split("+")[0]


def group(name):
    return Group(f"torch/{name}", f"PyTorch {VERSION}")


def parameters(draw, module, scale=0.5):
    """New values for the parameters of a module, as arrays param.NAME."""
    return {f"param.{name}": draw.floats(*p.shape, scale=scale) for name, p in module.named_parameters()}


def below(prefix, tensors):
    """Tensors whose names start so, by the rest of their names."""
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}


def call(module, tensors, *args):
    """Calls a module with the parameters of a case in place of its own."""
    return torch.func.functional_call(module, below("param.", tensors), args)


def together(states):
    """States as PyTorch takes them: one by itself, several as a tuple, none as None."""
    return tuple(states) if len(states) > 1 else next(iter(states), None)


def apart(names, states):
    """States that PyTorch gave, by their names."""
    return dict(zip(names, states if isinstance(states, tuple) else (states,), strict=True))


def differentiated(forward, objective):
    """A function of a case's arrays that gives outputs and gradients.

    forward: outputs by name, of tensors by name.
    objective: the number to differentiate, of outputs and tensors. None: the sum over outputs of
        sum(output * cotangent).
    """

    def compute(arrays):
        tensors = {name: torch.tensor(a) for name, a in arrays.items()}
        leaves = {
            name: t.requires_grad_()
            for name, t in tensors.items()
            if name.startswith(("param.", "input.")) and t.is_floating_point()
        }
        outputs = forward(tensors)
        if objective is None:
            loss = sum((y * tensors[f"cotangent.{name}"]).sum() for name, y in outputs.items())
        else:
            loss = objective(outputs, tensors)
        loss.backward()
        results = {f"output.{name}": y for name, y in outputs.items()}
        if objective is not None:
            results["loss"] = loss.reshape(1)
        results |= {f"grad.{name}": t.grad for name, t in leaves.items() if t.grad is not None}
        return {name: t.detach().numpy() for name, t in results.items()}

    return compute


def squared_distances(outputs, tensors):
    """The sum over outputs of mean((output - target)^2)."""
    return sum(((y - tensors[f"target.{name}"]) ** 2).mean() for name, y in outputs.items())


def add_weighed(cases, draw, name, config, arrays, shapes, forward):
    """Adds a case whose outputs, of these shapes, are differentiated by random cotangents."""
    cotangents = {f"cotangent.{key}": draw.floats(*shape) for key, shape in shapes.items()}
    cases.add(name, config, arrays | cotangents, differentiated(forward, None))
