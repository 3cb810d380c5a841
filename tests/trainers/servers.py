"""A server that speaks as much of the OpenAI chat protocol as clients need, and answers as the solver would."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def chat_server(answer: Callable[[list[dict]], str]) -> Iterator[str]:
    """Serve answer(messages), streamed if that is asked for; give the base URL."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_GET(self):
            self.send("application/json", json.dumps({"object": "list", "data": [{"id": "scripted"}]}))

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = {"role": "assistant", "content": answer(asked["messages"])}
            if asked.get("stream"):
                chunks = [chunk({"delta": content}), chunk({"delta": {}, "finish_reason": "stop"})]
                self.send("text/event-stream", "".join(f"data: {one}\n\n" for one in [*chunks, "[DONE]"]))
            else:
                self.send("application/json", chunk({"message": content, "finish_reason": "stop"}, "chat.completion"))

        def send(self, kind, text):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def chunk(choice: dict, kind: str = "chat.completion.chunk") -> str:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    choices = [{"index": 0, "finish_reason": None, **choice}]
    return json.dumps(
        {"id": "1", "object": kind, "created": 1, "model": "scripted", "choices": choices, "usage": usage}
    )
