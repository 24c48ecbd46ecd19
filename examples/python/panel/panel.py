"""Asks the thermometer for four rooms, through its own sidecar."""
import json
import os
from urllib.error import HTTPError
from urllib.request import Request, urlopen

DOOR = f"http://localhost:{os.environ['DAPR_HTTP_PORT']}"


def call(method, path):
    request = Request(DOOR + path, method=method, headers={"dapr-app-id": "thermometer"})
    try:
        with urlopen(request) as answer:
            return json.load(answer)
    except HTTPError as error:
        return json.load(error)


for room in ["kitchen", "cellar", "attic", "garage"]:
    told = call("GET", f"/rooms/{room}")
    print(f"{room}: {told['celsius']} °C" if "celsius" in told else f"{room}: {told['error']}")
call("DELETE", "/")
