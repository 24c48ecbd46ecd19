"""Keeps what is on the shelf in the state store: GET /<item>, POST /reserve and /release with {"item", "count"}."""
import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import Request, urlopen

SHELF = f"http://127.0.0.1:{os.environ['DAPR_HTTP_PORT']}/v1.0/state/shelf"
FULL = 10


def left(item):
    text = urlopen(f"{SHELF}/{item}").read()
    return json.loads(text) if text else FULL


def keep(item, count):
    body = json.dumps([{"key": item, "value": count}]).encode()
    urlopen(Request(SHELF, body, {"content-type": "application/json"}))


class Stock(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, left(self.path[1:]))

    def do_POST(self):
        order = json.loads(self.rfile.read(int(self.headers["content-length"])))
        item, count = order["item"], order["count"]
        there = left(item)
        if self.path == "/release":
            keep(item, there + count)
            print(f"{count} × {item} back on the shelf")
        elif there < count:
            return self.answer(409, f"only {there} × {item} left")
        else:
            keep(item, there - count)
        self.answer(200, left(item))

    def answer(self, status, body):
        text = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Stock).serve_forever()
