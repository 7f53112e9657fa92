//! The end-to-end tests, in one binary: the real `pkg` against real rpm, dnf, zypper, sshd, Tomcat and HAProxy.
//!
//! The modules under `lab_…` need root and bring up hosts of their own (see `tests/lab/README.md`); all others run
//! anywhere where rpm and dnf are installed.

mod architecture;
mod build_memory;
mod errors;
mod lab;
mod lab_deployment;
mod program;
mod server;
mod tour;
mod version_order;
