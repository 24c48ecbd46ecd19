"""Writes to whose order is shipped: it takes the events of the topic `shipped`. GET /sent has the letters."""
import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

SUBSCRIPTIONS = [{"pubsubname": "queue", "topic": "shipped", "route": "/shipped"}]
sent = []


class Mail(BaseHTTPRequestHandler):
    def do_GET(self):
        known = {"/dapr/subscribe": SUBSCRIPTIONS, "/sent": sent}
        self.answer(200, known[self.path]) if self.path in known else self.answer(404, "")

    def do_POST(self):
        order = json.loads(self.rfile.read(int(self.headers["content-length"])))["data"]
        letter = f"Dear {order['customer']}, {order['count']} × {order['item']} for {order['total']} is on its way"
        sent.append(letter)
        print(letter)
        self.answer(200, {"status": "SUCCESS"})

    def answer(self, status, body):
        text = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Mail).serve_forever()
