"""Hears of orders, and notes the mail of each in PostgreSQL."""
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.request import Request, urlopen

SIDECAR = f"http://127.0.0.1:{os.environ['DAPR_HTTP_PORT']}/v1.0"
TOPICS = [{"pubsubname": "bus", "topic": "orders", "route": "/orders"}]
SQL = "INSERT INTO mails (id, copy) VALUES ($1, $2)"


def send(order):
    call = {"operation": "exec", "metadata": {"sql": SQL, "params": json.dumps([order["id"], order["copy"]])}}
    request = Request(f"{SIDECAR}/bindings/db", json.dumps(call).encode(), {"content-type": "application/json"})
    urlopen(request).read()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer(200, TOPICS) if self.path == "/dapr/subscribe" else self.answer(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        if self.path != "/orders":
            return self.answer(404)
        send(json.loads(body)["data"])
        self.answer(200, {"status": "SUCCESS"})

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ["APP_PORT"])), Handler).serve_forever()
