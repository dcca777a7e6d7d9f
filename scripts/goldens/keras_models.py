"""Whole models of Keras: predictions, `fit` with all that it weighs, small systems trained and then used."""

import numpy as np
import torch

from golden import Draw, in_double
from keras_tools import (
    as_numbered,
    built,
    final_weights,
    group,
    keras,
    numbered,
    numbers,
    spec,
    update,
    use_precision_of,
    weights_for,
    with_weights,
)

SINGLE = {"x": np.zeros(1, np.float32)}
SEQUENCE = {"return_sequences": True}


def chain(layers):
    return lambda: keras.Sequential(built(layers))


class EncoderDecoder(keras.Model):
    """One LSTM reads, and its last states start the other, which writes."""

    def __init__(self):
        super().__init__()
        self.encoder = keras.layers.LSTM(5, return_state=True)
        self.decoder = keras.layers.LSTM(5, return_sequences=True)
        self.head = keras.layers.Dense(4, activation="softmax")

    def call(self, source, target):
        _, *states = self.encoder(source)
        return self.head(self.decoder(target, initial_state=states))


def predictions():
    cases = group("model")

    def add(name, config, make, *inputs):
        draw = Draw(cases.name + name)
        given = [draw.floats(*x) if isinstance(x, tuple) else x for x in inputs]
        use_precision_of(SINGLE)
        arrays = as_numbered("input", given) | weights_for(draw, make(), *given)

        def compute(arrays):
            use_precision_of(arrays)
            given = numbered(arrays, "input")
            model = with_weights(make(), arrays, *given)
            return numbers({"output.0": model(*[torch.tensor(x) for x in given])})

        cases.add(name, config, arrays, compute)

    def add_chain(name, x, *layers):
        add(name, {"layers": list(layers)}, chain(list(layers)), x)

    ids = Draw("padded").integers(6, 3, 5) + 1
    ids[0, 3:] = ids[2, 1:] = 0
    embedding = spec("Embedding", input_dim=7, output_dim=3, mask_zero=True)
    both = spec("Bidirectional", layer=spec("LSTM", units=5, **SEQUENCE))
    dense = spec("Dense", units=3, activation="softmax")
    add_chain("embedding_masked_lstm_dense", ids, embedding, spec("LSTM", units=7), dense)
    add_chain("embedding_masked_bilstm_tagger", ids, embedding, both, dense)
    add_chain(
        "embedding_masked_two_grus", ids, embedding, spec("GRU", units=5, **SEQUENCE), spec("GRU", units=3), dense
    )
    x = Draw("masked").floats(3, 5, 2)
    x[0, 2:] = x[1, 0] = x[2, 1:3] = 0
    add_chain("masking_layer_simplernn", x, spec("Masking", mask_value=0.0), spec("SimpleRNN", units=9), dense)
    gru = spec("GRU", units=5, dropout=0.4, recurrent_dropout=0.3, **SEQUENCE)
    add_chain(
        "dropout_is_identity_at_inference", (3, 5, 2), gru, spec("Dropout", rate=0.5), spec("LSTM", units=3), dense
    )
    again = [spec("LSTM", units=7), spec("RepeatVector", n=4), spec("GRU", units=5, **SEQUENCE)]
    add_chain("repeat_vector_autoencoder", (3, 5, 2), *again, spec("TimeDistributed", layer=spec("Dense", units=2)))
    add("encoder_decoder", {"note": "an LSTM starts another"}, EncoderDecoder, (3, 4, 2), (3, 3, 3))
    cases.write()


def fitted(make, config, optimizer, arrays):
    """Trains by `fit`; gives the history and the model."""
    use_precision_of(arrays)
    model = with_weights(make(), arrays, arrays["input.x"])
    model.compile(built(optimizer, keras.optimizers), config["loss"], metrics=config.get("metrics"))
    weights = {int(label): weight for label, weight in (config.get("class_weight") or {}).items()}
    history = model.fit(
        arrays["input.x"],
        arrays["target"],
        config["batch_size"],
        config["epochs"],
        verbose=0,
        shuffle=False,
        sample_weight=arrays.get("input.sample_weight"),
        class_weight=weights or None,
        validation_data=(arrays["input.x_val"], arrays["target_val"]) if "input.x_val" in arrays else None,
    )
    return {key: [float(value) for value in values] for key, values in history.history.items()}, model


def add_fitted(cases, name, make, config, optimizer, inputs):
    """Adds a training by `fit`; with input.predict, what the trained model predicts for it."""
    draw = Draw(cases.name + name)
    use_precision_of(SINGLE)
    arrays = inputs | weights_for(draw, make(), inputs["input.x"])

    def compute(arrays):
        _, model = fitted(make, config, optimizer, arrays)
        asked = arrays.get("input.predict")
        predicted = {} if asked is None else numbers({"output.predict": model(torch.tensor(asked))})
        return predicted | final_weights(model)

    history, _ = fitted(make, config, optimizer, in_double(arrays))
    cases.add(name, config, arrays, compute, history=history)


def penalized():
    """The layers of the case of regularizers, by Keras' own classes."""
    of = keras.regularizers
    lstm = keras.layers.LSTM(
        4, kernel_regularizer=of.L2(0.01), recurrent_regularizer=of.L1(0.003), bias_regularizer=of.L1L2(0.002, 0.004)
    )
    return keras.Sequential([lstm, keras.layers.Dense(2, kernel_regularizer=of.L2(0.02))])


def fits():
    cases = group("fit")
    sgd = spec("SGD", learning_rate=0.05)
    shared = {"optimizer": "SGD(0.05)", "batch_size": 4, "epochs": 3, "shuffle": False}
    draw = Draw(cases.name)
    x, labels, values = draw.floats(10, 5, 3), draw.integers(3, 10), draw.floats(10, 2)
    classify = [spec("GRU", units=5), spec("Dense", units=3, activation="softmax")]
    regress = [spec("LSTM", units=5), spec("Dense", units=2)]

    def add(name, layers, loss, inputs, make=None, **more):
        config = shared | {"layers": layers, "loss": loss, **more}
        add_fitted(cases, f"fit_{name}", make or chain(layers), config, sgd, inputs)

    sparse, squared = "sparse_categorical_crossentropy", "mean_squared_error"
    held = {"input.x_val": draw.floats(3, 5, 3), "target_val": draw.integers(3, 3)}
    of_labels, of_values = {"input.x": x, "target": labels}, {"input.x": x, "target": values}
    add("short_last_batch_validation", classify, sparse, of_labels | held, metrics=["accuracy"])
    add("class_weight", classify, sparse, of_labels, class_weight={"0": 1.0, "1": 2.5, "2": 0.5})
    add("sample_weight", regress, squared, of_values | {"input.sample_weight": draw.floats(10) + 1})
    add("regularizers", [], squared, of_values, penalized, regularizers="see penalized in keras_models.py")
    ids, tags = draw.integers(6, 10, 5) + 1, draw.integers(3, 10, 5)
    for b in range(10):
        ids[b, 1 + b % 5 :] = 0
    embedding = spec("Embedding", input_dim=7, output_dim=3, mask_zero=True)
    tagger = [embedding, spec("LSTM", units=5, **SEQUENCE), spec("Dense", units=3, activation="softmax")]
    add("masked_tagger", tagger, sparse, {"input.x": ids, "target": tags})
    cases.write()


def systems():
    """What people build first: prices, a classifier of sequences, one of texts, a generator of text."""
    cases = group("systems")

    def add(name, layers, loss, optimizer, inputs, metrics=()):
        config = {"layers": layers, "loss": loss, "metrics": list(metrics), "optimizer": optimizer}
        add_fitted(cases, name, chain(layers), config | {"epochs": 3, "batch_size": 4}, optimizer, inputs)

    draw = Draw(cases.name)
    adam, rmsprop = spec("Adam", learning_rate=0.01), spec("RMSprop", learning_rate=0.01)
    prices = np.cumsum(draw.floats(20, scale=0.2), dtype=np.float32)
    windows = np.stack([prices[k : k + 7, None] for k in range(13)])
    inputs = {"input.x": windows[:10], "target": prices[7:17, None], "input.x_val": windows[10:]}
    inputs |= {"target_val": prices[17:, None], "input.predict": windows[10:]}
    stack = [spec("LSTM", units=9, **SEQUENCE), spec("LSTM", units=5), spec("Dense", units=1)]
    add("price_lstm_lstm_dense", stack, "mean_squared_error", adam, inputs, metrics=["mae"])
    x = draw.floats(10, 5, 3)
    inputs = {"input.x": x, "target": (x[:, :, :1].sum(1) > 0).astype(np.float32), "input.predict": x[:3]}
    stack = [spec("SimpleRNN", units=5, **SEQUENCE), spec("LSTM", units=3, **SEQUENCE), spec("GRU", units=5)]
    head = spec("Dense", units=1, activation="sigmoid")
    add(
        "simplernn_lstm_gru_stack_sigmoid", [*stack, head], "binary_crossentropy", rmsprop, inputs, metrics=["accuracy"]
    )
    ids = draw.integers(11, 10, 6)
    inputs = {"input.x": ids, "target": (ids[:, :1] > 5).astype(np.float32), "input.predict": ids[:3]}
    text = [
        spec("Embedding", input_dim=11, output_dim=5),
        spec("LSTM", units=7, **SEQUENCE),
        spec("LSTM", units=3),
        head,
    ]
    add("text_embedding_lstm_lstm_sigmoid", text, "binary_crossentropy", adam, inputs)
    generator(cases)
    cases.write()


class Generator(keras.Model):
    """Characters to logits, with the state in and out."""

    def __init__(self, V, E, H):
        super().__init__()
        self.embedding = keras.layers.Embedding(V, E)
        self.gru = keras.layers.GRU(H, return_sequences=True, return_state=True)
        self.dense = keras.layers.Dense(V)

    def call(self, tokens, state):
        y, after = self.gru(self.embedding(tokens), initial_state=state)
        return self.dense(y), after


def generator(cases):
    """Chunk after chunk of a text; the state of one starts the next, and gets no gradient from it."""
    name = "text_generation_gru_state_carried"
    V, E, H, B, chunks, steps = 11, 5, 9, 3, 2, 6
    draw = Draw(cases.name + name)
    ids = draw.integers(V, chunks, B, 7)
    use_precision_of(SINGLE)
    arrays = {"input.ids": ids}
    arrays |= weights_for(draw, Generator(V, E, H), ids[0], np.zeros((B, H), np.float32))

    def compute(arrays):
        use_precision_of(arrays)
        state = torch.zeros((B, H), dtype=torch.tensor(arrays["weight.0"]).dtype)
        model = with_weights(Generator(V, E, H), arrays, ids[0], state.numpy())
        optimizer = keras.optimizers.Adam(0.01)
        loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        losses = []
        for k in range(steps):
            chunk = torch.tensor(ids[k % chunks])
            y, state = model(chunk[:, :-1], state.detach())
            losses.append(update(model, optimizer, loss_of(chunk[:, 1:], y)))
        trained = state.detach()
        y, after = model(torch.tensor(ids[0, :, :4]), trained)
        results = {"output.losses": np.array(losses), **numbers({"output.state_after_training": trained})}
        return results | numbers({"output.logits_after": y, "output.state_after": after}) | final_weights(model)

    cases.add(name, {"optimizer": "Adam(0.01)", "steps": steps}, arrays, compute)


def make():
    predictions()
    fits()
    systems()
