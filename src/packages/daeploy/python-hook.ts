import {HOOK_DOTTED, HOOK_FIXED_PORT, HOOK_PORT} from './environment.ts'

/*
 * The hook that every Python process of a service loads, since its folder is first in PYTHONPATH. Restores variables with a dot in their names,
 * which dash, npm and make drop, and replaces the hard-coded port by the port that Pillion has chosen.
 */

export const HOOK_TEXT = `# Written by pillion; see PILLION_PORT and PILLION_FIXED_PORT in the environment.
import json
import os
import sys

for _name, _value in json.loads(os.environ.get("${HOOK_DOTTED}") or "{}").items():
    os.environ.setdefault(_name, _value)


def _move(fixed, port, is_hidden):
    """Bind the port; where it is hidden, sockets there name the number of the code."""
    import socket

    real_bind, real_name = socket.socket.bind, socket.socket.getsockname
    shown = fixed[0]

    def bind(self, address):
        nonlocal shown
        is_moved = self.type != socket.SOCK_DGRAM and isinstance(address, tuple) and len(address) >= 2
        if is_moved and address[1] in fixed:
            shown = address[1]
            if self.family == socket.AF_INET:
                address = ("127.0.0.1", port)
            elif self.family == socket.AF_INET6:
                address = ("::1", port)
        return real_bind(self, address)

    def getsockname(self):
        address = real_name(self)
        is_moved = isinstance(address, tuple) and len(address) >= 2 and address[1] == port
        return (address[0], shown, *address[2:]) if is_moved else address

    socket.socket.bind = bind
    if is_hidden:
        socket.socket.getsockname = getsockname


def _show(fixed, port):
    """Make uvicorn log the real port."""
    import importlib.abc
    import importlib.util

    class Finder(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name != "uvicorn.config":
                return None
            sys.meta_path.remove(self)
            spec = importlib.util.find_spec(name)
            if spec is None or spec.loader is None:
                return spec
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                init = module.Config.__init__

                def __init__(self, *args, **kwargs):
                    init(self, *args, **kwargs)
                    if self.port in fixed and not self.uds and self.fd is None:
                        self.host, self.port = "127.0.0.1", port

                module.Config.__init__ = __init__

            spec.loader.exec_module = exec_module
            return spec

    sys.meta_path.insert(0, Finder())


def _chain():
    """Run the sitecustomize that this one hides: of a distribution, or of a virtual environment."""
    import importlib.machinery
    import importlib.util

    here = os.path.dirname(os.path.abspath(__file__))
    rest = [place for place in sys.path if os.path.abspath(place or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", rest)
    if spec and spec.loader:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


try:
    _port = int(os.environ.get("${HOOK_PORT}") or 0)
    _fixed = [int(each) for each in (os.environ.get("${HOOK_FIXED_PORT}") or "").split(",") if each]
    if _port and _fixed and _port not in _fixed:
        # an app with a published port is called at the number in its code: that is what it shows
        _is_service = bool(os.environ.get("${HOOK_DOTTED}"))
        _move(_fixed, _port, not _is_service)
        if _is_service:
            _show(_fixed, _port)
finally:
    _chain()
`
