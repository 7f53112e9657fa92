"""A deployment with Fabric: with_fabric.py VERSION ADDRESS…, or a command: with_fabric.py true ADDRESS…"""
import os, sys
from fabric import Config, ThreadingGroup
from steps import steps

what, *addresses = sys.argv[1:]
config = Config(overrides={"load_ssh_configs": False, "run": {"hide": True}})
group = ThreadingGroup(*addresses, user="root", config=config, connect_kwargs={"key_filename": os.environ["BENCH_KEY"]})
# Each step on all hosts side by side; Fabric has no words for a command that depends on the host, but the shell has.
for step in ["true"] if what == "true" else steps("${SSH_CONNECTION##* 127.}", what):
    group.run(step.replace("${SSH_CONNECTION##* 127.}", "$(echo $SSH_CONNECTION | cut -d' ' -f3)"))
group.close()
