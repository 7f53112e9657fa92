"""The operations of a deployment with pyinfra."""
import os, sys
from pyinfra import host
from pyinfra.operations import server

sys.path.insert(0, os.environ["BENCH_PEERS"])
from steps import steps  # noqa: E402

for number, step in enumerate(steps(host.name, os.environ["BENCH_VERSION"])):
    server.shell(name=f"step {number}", commands=[step])
