"""Answers GET /rooms/<room> with its temperature; ends when the panel has seen enough (DELETE /)."""
import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

ROOMS = {"kitchen": 21.5, "cellar": 12.0, "attic": 27.25}


class Thermometer(BaseHTTPRequestHandler):
    def do_GET(self):
        room = self.path.rsplit("/", 1)[-1]
        self.answer(200, {"room": room, "celsius": ROOMS[room]}) if room in ROOMS else self.answer(404, {"error": f"no {room} here"})

    def do_DELETE(self):
        self.answer(200, {"bye": True})
        self.server.is_over = True

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args):
        pass


server = HTTPServer(("127.0.0.1", int(os.environ["APP_PORT"])), Thermometer)
server.is_over = False
print("measuring", ", ".join(ROOMS))
while not server.is_over:
    server.handle_request()
print("switched off")
