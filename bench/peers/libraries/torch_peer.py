"""PyTorch on one thread, by protocol.mjs: JSON lines on standard input, answers on descriptor 3."""
import base64
import json
import os
import sys
import time

try:
    import torch
except ImportError:
    torch = None

ANSWERS = os.fdopen(3, "w")


def unpack(value):
    for name, kind in (("Float32Array", "f"), ("Int32Array", "i")):
        if name in value:
            data = bytearray(base64.b64decode(value[name]))
            return torch.frombuffer(data, dtype=torch.float32 if kind == "f" else torch.int32)
    return value


def answer(message):
    ANSWERS.write(json.dumps(message) + "\n")
    ANSWERS.flush()


def packed(values):
    return {"Float32Array": base64.b64encode(values.detach().contiguous().numpy().tobytes()).decode()}


def array(value):
    return value["data"].reshape(value["shape"])


class Refusal(Exception):
    pass


class Recurrent(torch.nn.Module if torch else object):
    """A recurrent layer that gives its last step, or every step."""

    def __init__(self, layer, inputs, weights):
        super().__init__()
        kind, units = layer["type"], layer["units"]
        if kind == "gru" and not layer["resetAfter"]:
            raise Refusal("its GRU resets after the product")
        cells = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simpleRNN": torch.nn.RNN}
        self.cell = cells[kind](inputs, units, batch_first=True)
        self.sequences = layer["sequences"]
        gates = {"lstm": [0, 1, 2, 3], "gru": [1, 0, 2], "simpleRNN": [0]}[kind]  # of Keras' i f g o, z r n
        order = torch.cat([torch.arange(units) + units * gate for gate in gates])
        kernel, recurrent, bias = (array(each) for each in weights)
        hidden = bias[1] if bias.dim() == 2 else torch.zeros_like(bias)
        visible = bias[0] if bias.dim() == 2 else bias
        with torch.no_grad():
            self.cell.weight_ih_l0.copy_(kernel[:, order].T)
            self.cell.weight_hh_l0.copy_(recurrent[:, order].T)
            self.cell.bias_ih_l0.copy_(visible[order])
            self.cell.bias_hh_l0.copy_(hidden[order])
        if bias.dim() == 1:
            self.cell.bias_hh_l0.requires_grad_(False)  # there is one bias, so one is trained

    def forward(self, x, state=None):
        y, state = self.cell(x, state)
        return (y if self.sequences else y[:, -1]), state


class Model(torch.nn.Module if torch else object):
    def __init__(self, workload, weights):
        super().__init__()
        self.parts = torch.nn.ModuleList()
        inputs = workload["features"]
        for layer, arrays in zip(workload["layers"], weights):
            kind, units = layer["type"], layer["units"]
            if kind == "embedding":
                part = torch.nn.Embedding.from_pretrained(array(arrays[0]).clone(), freeze=False)
            elif kind == "dense":
                part = torch.nn.Linear(inputs, units)
                with torch.no_grad():
                    part.weight.copy_(array(arrays[0]).T)
                    part.bias.copy_(array(arrays[1]))
                part = torch.nn.Sequential(part, torch.nn.Sigmoid()) if layer["activation"] == "sigmoid" else part
            else:
                part = Recurrent(layer, inputs, arrays)
            self.parts.append(part)
            inputs = units

    def forward(self, x, states=None):
        after = []
        for i, part in enumerate(self.parts):
            if isinstance(part, Recurrent):
                x, state = part(x, states[len(after)] if states else None)
                after.append(state)
            else:
                x = part(x)
        return x, after


def stream(model, job):
    def batch(frame):
        return frame.reshape(1, 1, -1) if frame.dtype == torch.float32 else frame.reshape(1, 1).long()

    frames = [batch(frame) for frame in job["frames"]]
    kept = [None]

    def step(frame):
        with torch.inference_mode():
            y, kept[0] = model(frame, kept[0])
        return y

    return (lambda: step(frames[0])), (lambda: torch.cat([step(frame).flatten() for frame in frames]))


def predict(model, job):
    x = array(job["x"])
    x = x if x.dtype == torch.float32 else x.long()

    def run():
        with torch.inference_mode():
            return model(x)[0]

    return run, lambda: run().flatten()


LOSSES = torch and {
    "meanSquaredError": torch.nn.functional.mse_loss,
    "binaryCrossentropy": torch.nn.functional.binary_cross_entropy,
    "sparseCategoricalCrossentropy": lambda out, y: torch.nn.functional.cross_entropy(out.flatten(0, 1), y),
}


def train(model, job):
    workload = job["workload"]
    x, y = array(job["x"]), array(job["y"])
    x = x if x.dtype == torch.float32 else x.long()
    if workload["loss"] == "sparseCategoricalCrossentropy":
        y = y.long().flatten()
    loss_of = LOSSES[workload["loss"]]
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    if workload["optimizer"] == "adam":
        optimizer = torch.optim.Adam(weights, lr=0.001, eps=1e-7)
    else:
        optimizer = torch.optim.RMSprop(weights, lr=0.001, alpha=0.9, eps=1e-7)

    def run():
        optimizer.zero_grad()
        loss = loss_of(model(x)[0], y)
        loss.backward()
        optimizer.step()
        return loss

    return run, lambda: torch.stack([run() for _ in range(job["updates"])])


KINDS = {"stream": stream, "predict": predict, "train": train}


def timed(run, seconds, calls):
    start = time.perf_counter()
    done = 0
    while True:
        for _ in range(calls):
            run()
        done += calls
        now = time.perf_counter()
        if now - start >= seconds:
            return (now - start) / done


def main():
    run, calls = None, 1
    for line in sys.stdin:
        message = json.loads(line, object_hook=unpack if torch else None)
        op = message["op"]
        try:
            if op == "init":
                if torch is None:
                    raise Refusal("this Python has no PyTorch")
                torch.set_num_threads(1)
                torch.set_flush_denormal(True)
                answer({"name": f"PyTorch {torch.__version__}"})
            elif op == "prepare":
                workload = message["workload"]
                run, outputs = KINDS[workload["kind"]](Model(workload, message["weights"]), message)
                calls = 1
                answer({"outputs": packed(outputs())})
            elif op == "warmUp":
                timed(run, message["seconds"], 1)
                once = timed(run, message["seconds"] / 4, 1)
                calls = max(1, round(1e-3 / once))
                answer({"seconds": once})
            else:
                answer({"seconds": timed(run, message["seconds"], calls)})
        except Refusal as refusal:
            answer({"refused": str(refusal)})
        except Exception as error:
            answer({"error": repr(error)})


main()
