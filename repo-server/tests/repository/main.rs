//! Holds the repository against real clients, against createrepo_c, against concurrent writers, and against being killed.
//!
//! Packages are made with rpmbuild and in memory; those below the directory that `RPM_CORPUS` names, if it is set, come
//! on top.

mod access;
mod backup;
mod buckets;
mod clients;
mod collections;
mod crash;
mod createrepo;
mod engine;
mod environment_rules;
mod environment_views;
mod environments;
mod faulty;
mod hostile;
mod http;
mod limits;
mod policy;
mod races;
mod raw;
mod reader;
mod seaweed;
mod support;
mod surgery;
mod tls;
mod xml_tree;
mod zoo;
