//! The end-to-end tests, in one binary: the real `pkg` against real rpm, dnf, zypper, sshd, Tomcat and HAProxy.
//!
//! The modules under `lab_…`, `foreign_…` and `build_input` need root, and hosts or roots of their own (see
//! `tests/lab/README.md`); all others run anywhere where rpm and dnf are installed.

mod api_document;
mod architecture;
mod browser;
mod bucket_export;
mod build_input;
mod build_memory;
mod channels;
mod dialogue;
mod errors;
mod foreign_rpm;
mod foreign_tomcat;
mod going;
mod init;
mod killed_build;
mod lab;
mod lab_chain;
mod lab_clusters;
mod lab_deployment;
mod lab_drift;
mod lab_drivers;
mod lab_environment;
mod lab_faults;
mod lab_interruptions;
mod lab_lvs;
mod lab_people;
mod lab_repository;
mod lab_site;
mod lab_tomcat;
mod notes;
mod pages;
mod pages_guarded;
mod program;
mod repository_clients;
mod repository_content;
mod root;
mod rpmlint;
mod second_thoughts;
mod server;
mod server_kills;
mod shop;
mod static_index;
mod tour;
mod version_order;
