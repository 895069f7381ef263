"""Asks with httpx: `httpx_client.py URL AUTHORITY TARGET [CA]`.

Prints JSON: for each request what came back. Sends a GET, a POST that is to be echoed, and many GETs at a time.
"""

import asyncio
import hashlib
import json
import ssl
import sys

import httpx

URL, AUTHORITY, TARGET, *CA = sys.argv[1:]
CONTENT = bytes(range(256)) * 2048


async def main():
    verify = ssl.create_default_context(cafile=CA[0]) if CA else False
    headers = {"host": AUTHORITY, "3gpp-sbi-target-apiroot": TARGET}
    # What the certificate is to be for is who is asked, not where it is reached.
    extensions = {"sni_hostname": AUTHORITY}
    async with httpx.AsyncClient(http1=False, http2=True, verify=verify, headers=headers, timeout=60) as client:

        async def get(path):
            answer = await client.get(f"{URL}{path}", extensions=extensions)
            return [answer.status_code, answer.http_version, hashlib.sha256(answer.content).hexdigest()]

        said = {"get": await get("/small.json"), "missing": (await get("/missing"))[0]}
        answer = await client.post(f"{URL}/echo", content=CONTENT, extensions=extensions)
        said["echoed"] = answer.content == CONTENT
        said["many"] = await asyncio.gather(*(get("/small.json") for _ in range(200)))
    print(json.dumps(said))


asyncio.run(main())
