"""A FastAPI view that reports a lead. Start it: uvicorn --app-dir examples/fastapi_app app:app."""

import asyncio
import logging

from conversions import lead
from fastapi import FastAPI, Request
from pydantic import BaseModel

from capi_relay import Producer, RelayError

log = logging.getLogger(__name__)
app = FastAPI()
producer = Producer.from_env()  # one for the process; opens nothing before its first use


class Quote(BaseModel):
    email: str
    phone: str | None = None


@app.post("/quotes")
async def ask_for_quote(quote: Quote, request: Request) -> dict[str, str | None]:
    # Here a real site saves the request for a quote: only what has happened is reported.
    visitor = {
        "url": str(request.url),  # of the page the visitor is on
        "ip": request.client.host if request.client else None,  # behind a proxy: uvicorn --proxy-headers
        "user_agent": request.headers.get("user-agent"),
        "fbp": request.cookies.get("_fbp"),
        "fbc": request.cookies.get("_fbc"),
    }
    event_id = None
    try:
        # enqueue waits for the event store, up to its deadline: in a thread it keeps no other request waiting.
        receipt = await asyncio.to_thread(producer.enqueue, lead(quote.email, quote.phone, visitor))
        event_id = receipt.event_id
        for warning in receipt.warnings:
            log.warning("lead: %s", warning)
    except RelayError as error:  # the lead stands, whatever becomes of its report
        log.error("a lead is not reported: %s", error)  # noqa: TRY400 - its message says it all
    return {"event_id": event_id}
