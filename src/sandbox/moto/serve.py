"""Serves moto on a free port of 127.0.0.1, with Batchwright's corrections applied.

The parent sends a line of JSON {"secret": text, "fixes": [[name, source], …], "snapshots": source} first and keeps our standard
input open for as long as it lives: when that pipe closes, however the parent ended, this process ends too. The first line
written to standard output is the port. Only requests with the secret in a header are answered: they come from the parent.
"""

import functools
import hmac
import io
import json
import linecache
import os
import signal
import sys
import threading
import traceback
import types

signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent still needs us to clean up


def follow_parent():
    while os.read(0, 65536):
        pass
    os._exit(0)


sources = json.loads(sys.stdin.buffer.readline())
fixes = sources["fixes"]
secret = sources["secret"].encode()
threading.Thread(target=follow_parent, daemon=True).start()

# No web page is answered, so none needs leave to read the answer; and moto's own Batch and Lambda, which would run containers with
# whatever folder of this machine they are asked for, find no Docker.
cors = types.ModuleType("flask_cors")
cors.CORS = lambda *_args, **_kwargs: None
sys.modules.update({"flask_cors": cors, "docker": None})

import moto.backends  # noqa: E402
import moto.core.responses  # noqa: E402
from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server  # noqa: E402


# Moto lists its folder and looks through a class's methods at every request: two thirds of its time. Once is enough.
modules = list(moto.backends.list_of_moto_modules())
moto.backends.list_of_moto_modules = lambda: modules
moto.core.responses.method_names_from_class = functools.cache(moto.core.responses.method_names_from_class)


class Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536

    def log(self, *_args, **_kwargs):
        pass

    def run_wsgi(self):
        """Answers, and keeps the connection: werkzeug's own closes each one, and looks 10 ms long for what may still come."""
        if not hmac.compare_digest(self.headers.get("X-Batchwright-Secret", "").encode(), secret):
            # As much is read as keeps the answer from being lost with the connection.
            self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 65536))
            self.close_connection = True
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        environ = self.make_environ()
        del environ["HTTP_X_BATCHWRIGHT_SECRET"]
        length = int(environ.get("CONTENT_LENGTH") or 0)
        try:
            body = environ["wsgi.input"].read() if environ.get("wsgi.input_terminated") else self.rfile.read(length)
        except OSError:
            body = None
        if body is None or len(body) < length:
            # The parent breaks off a body that is not what its request says it is.
            self.close_connection = True
            return
        environ["wsgi.input"] = io.BytesIO(body)
        begun = []
        parts = app(environ, lambda status, headers, *_: begun.append((status, headers)))
        try:
            content = b"".join(parts)
        finally:
            getattr(parts, "close", lambda: None)()
        status, headers = begun[-1]
        code, reason = status.split(None, 1)
        self.send_response(int(code), reason)
        names = {name.lower() for name, _ in headers}
        if not names & {"content-length", "transfer-encoding"} and int(code) not in (204, 304):
            headers = [*headers, ("Content-Length", str(len(content)))]
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)
        self.wfile.flush()


def load(name, source):
    module = types.ModuleType(f"batchwright_{name}")
    path = f"<batchwright {name}.py>"
    linecache.cache[path] = (len(source), None, source.splitlines(True), path)
    sys.modules[module.__name__] = module
    exec(compile(source, path, "exec"), module.__dict__)
    return module


for name, source in fixes:
    load(name, source)
snapshots = load("snapshots", sources["snapshots"])


dispatcher = DomainDispatcherApplication(create_backend_app)
# Moto's state is dictionaries that one request walks through while another adds to them. Python runs one thread at a time
# anyway: what is answered one by one takes no longer.
one_at_a_time = threading.Lock()


def app(environ, start_response):
    with one_at_a_time:
        return answer(environ, start_response)


def answer(environ, start_response):
    """Says what moto stumbled over instead of showing a page for people."""
    try:
        path = environ.get("PATH_INFO", "")
        if environ.pop("HTTP_X_BATCHWRIGHT_INSIDE", None) and path.startswith("/batchwright/"):
            text = snapshots.answer(path.removeprefix("/batchwright/"), environ["HTTP_X_MOTO_ACCOUNT_ID"]).encode()
            start_response("200 OK", [("content-type", "text/plain"), ("content-length", str(len(text)))])
            return [text]
        return dispatcher(environ, start_response)
    except Exception as error:
        traceback.print_exc()
        frame = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} at {os.path.basename(frame.filename)}:{frame.lineno}".encode()
        start_response("501 Not Implemented", [("content-type", "text/plain"), ("content-length", str(len(text)))])
        return [text]


server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
server.daemon_threads = True
print(server.server_port, flush=True)
server.serve_forever()
