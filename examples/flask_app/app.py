"""A Flask view that reports an order. Start it: flask --app examples/flask_app/app run."""

from conversions import purchase
from flask import Flask, Response, jsonify, request

from capi_relay import Producer, RelayError

app = Flask(__name__)
producer = Producer.from_env()  # one for the process; opens nothing before its first use


@app.post("/orders")
def place_order() -> Response:
    order = {name: request.form[name] for name in ("id", "email", "phone", "total")}
    # Here a real shop saves the order and commits: only what has happened is reported.
    visitor = {
        "url": request.url,  # of the page the visitor is on
        "ip": request.remote_addr,  # behind a proxy: see werkzeug's ProxyFix
        "user_agent": request.user_agent.string,
        "fbp": request.cookies.get("_fbp"),
        "fbc": request.cookies.get("_fbc"),
    }
    event_id = None
    try:
        receipt = producer.enqueue(purchase(order, visitor))
        event_id = receipt.event_id
        for warning in receipt.warnings:
            app.logger.warning("conversion of order %s: %s", order["id"], warning)
    except RelayError as error:  # the order stands, whatever becomes of its report
        app.logger.error("order %s is not reported: %s", order["id"], error)  # noqa: TRY400 - its message says it all
    return jsonify(order=order["id"], event_id=event_id)
