"""Weights as they come from elsewhere: in files, and from a hub that runs here."""

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save, save_file

from trainable.timm_import import timm


@pytest.fixture
def save_weights():
    """Return a function that writes a model's weights, classifier included."""

    def write(name, path):
        torch.manual_seed(5)
        module = timm.create_model(name, num_classes=7).eval()
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({n: v.contiguous() for n, v in module.state_dict().items()}, path)
        return module

    return write


class Hub(BaseHTTPRequestHandler):
    """Answers as the hub does: what a file is, and the file."""

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.server.num_downloads += 1
        time.sleep(self.server.seconds)
        self.answer()
        self.wfile.write(self.server.content)

    def answer(self):
        self.send_response(200)
        self.send_header("X-Repo-Commit", "0" * 40)
        self.send_header("ETag", f'"{hashlib.sha256(self.server.content).hexdigest()}"')
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()

    def log_message(self, *arguments):
        """Keep quiet."""


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub on this machine whose every file are the weights of a test_resnet."""
    torch.manual_seed(5)
    module = timm.create_model("test_resnet")
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        server.content = save({n: v.contiguous() for n, v in module.state_dict().items()})
        server.num_downloads, server.seconds, server.module = 0, 0.0, module
        url = f"http://127.0.0.1:{server.server_port}/{{repo_id}}/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()
