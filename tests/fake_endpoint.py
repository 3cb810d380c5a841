"""An OpenAI-compatible endpoint on this machine that misbehaves as it is told to."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "sk-very-secret-key-4711"


class Endpoint:
    """Answers requests with `faults` first, one each, and then with the reply; see Handler for the faults."""

    def __init__(self, faults=(), reply="<action>up</action>", dies_after=None, seconds=0.0):
        self.faults, self.reply, self.dies_after, self.seconds = list(faults), reply, dies_after, seconds
        self.asked: list[list[dict[str, str]]] = []
        self.requests: list[dict] = []
        self.authorizations: set[str] = set()
        self.lock = threading.Lock()

    def next_fault(self, messages):
        with self.lock:
            self.asked.append(messages)
            if self.dies_after is not None and len(self.asked) > self.dies_after:
                return "refuse"
            return self.faults.pop(0) if self.faults else None


class Handler(BaseHTTPRequestHandler):
    """Plays out a fault, or answers."""

    endpoint: Endpoint

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.endpoint.requests.append(asked)
        self.endpoint.authorizations.add(self.headers.get("Authorization", ""))
        fault = self.endpoint.next_fault(asked["messages"])
        getattr(self, f"fault_{fault}" if fault else "answer")()

    def answer(self, reply=None):
        time.sleep(self.endpoint.seconds)
        message = {"role": "assistant", "content": reply or self.endpoint.reply}
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        usage |= {"prompt_tokens_details": {"cached_tokens": 5}}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        completion = {"id": "x", "object": "chat.completion", "created": 0, "model": "fake", "choices": [choice]}
        self.send(200, json.dumps(completion | {"usage": usage}))

    def fault_rate_limit(self):
        self.send(429, json.dumps({"error": {"message": "slow down", "type": "rate_limit"}}), {"Retry-After": "0"})

    def fault_garbage(self):
        self.send(200, "<html>not JSON at all")

    def fault_empty(self):
        self.send(200, json.dumps({"id": "x", "object": "chat.completion", "created": 0, "model": "f", "choices": []}))

    def fault_hang(self):
        time.sleep(4)
        self.close_connection = True

    def fault_cut(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(b'{"id": "x", "choi')
        self.close_connection = True

    def fault_echo(self):
        self.send(400, json.dumps({"error": {"message": f"bad key {self.headers['Authorization']}", "type": "x"}}))

    def fault_repeat(self):
        self.answer(f"{self.headers['Authorization']} <action>up</action>")

    def fault_surrogate(self):
        self.answer("\ud800 <action>up</action>")

    def fault_refuse(self):
        self.send(400, json.dumps({"error": {"message": "closed for today", "type": "x"}}))

    def send(self, status, body, headers=()):
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **dict(headers),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *arguments):
        pass


@contextmanager
def serving(endpoint, port=0):
    """Serve an endpoint, at a port if one is given; its base URL."""
    handler = type("OwnHandler", (Handler,), {"endpoint": endpoint})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
