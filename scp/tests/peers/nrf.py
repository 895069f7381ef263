"""An NRF on hypercorn: `nrf.py PORT FOLDER`.

Searches find what FOLDER/profiles.json lists; FOLDER/asked gets a line of JSON for each request, as it came. It ends
with its standard input.
"""

import asyncio
import json
import sys
import threading

from hypercorn.asyncio import serve
from hypercorn.config import Config

PORT, FOLDER = sys.argv[1:]
HEARTBEAT = 1
tokens = 0


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    with open(f"{FOLDER}/asked", "a") as asked:
        line = {
            "method": scope["method"],
            "path": scope["raw_path"].decode("latin-1"),
            "query": scope["query_string"].decode("latin-1"),
            "headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            "body": body.decode("latin-1"),
            "version": scope["http_version"],
        }
        asked.write(json.dumps(line) + "\n")
    status, content = answer(scope["method"], scope["path"], body)
    headers = [(b"content-type", b"application/json")] if content is not None else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if content is None else json.dumps(content).encode()})


def answer(method, path, body):
    global tokens
    match method, path.strip("/").split("/"):
        case "GET", ["nnrf-disc", "v1", "nf-instances"]:
            with open(f"{FOLDER}/profiles.json") as profiles:
                return 200, {"validityPeriod": 1, "nfInstances": json.load(profiles)}
        case "PUT", ["nnrf-nfm", "v1", "nf-instances", _]:
            return 201, json.loads(body) | {"heartBeatTimer": HEARTBEAT}
        case ("PATCH" | "DELETE"), ["nnrf-nfm", "v1", *_]:
            return 204, None
        case "POST", ["nnrf-nfm", "v1", "subscriptions"]:
            lasts = {"subscriptionId": "stranger-1", "validityTime": "2100-01-01T00:00:00Z"}
            return 201, json.loads(body) | lasts
        case "POST", ["oauth2", "token"]:
            tokens += 1
            return 200, {"access_token": f"token-{tokens}", "token_type": "Bearer", "expires_in": 3600}
    return 404, None


async def main():
    config = Config()
    config.bind = [f"127.0.0.1:{PORT}"]
    config.loglevel = "ERROR"
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait():
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True).start()
    await serve(app, config, shutdown_trigger=ended.wait)


asyncio.run(main())
