"""Makes all golden cases anew, the same files each time:

python3 -m venv build/goldens
build/goldens/bin/pip install -r scripts/goldens/requirements.txt
build/goldens/bin/python scripts/goldens/make.py
"""

import sys
from importlib.metadata import version
from pathlib import Path


def check_versions():
    for line in Path(__file__).with_name("requirements.txt").read_text().split():
        name, wanted = line.split("==")
        found = version(name).split("+")[0]
        if found != wanted:
            sys.exit(f"goldens: expected {name} {wanted}, got {found}: pip install -r requirements.txt")


if __name__ == "__main__":
    check_versions()
    import keras_layers
    import keras_models
    import keras_training
    import torch_functions
    import torch_layers
    import torch_losses
    import torch_training

    for producer in [
        torch_layers,
        torch_functions,
        torch_losses,
        torch_training,
        keras_layers,
        keras_training,
        keras_models,
    ]:
        producer.make()
