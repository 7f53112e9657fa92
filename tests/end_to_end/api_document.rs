//! The OpenAPI document against the server that it describes, by schemathesis: thousands of requests that fit it and that
//! do not, each answer held against what the document says.

use std::path::PathBuf;
use std::process::Command;

use crate::program::{pkg, run};
use crate::server::Server;

/// Where `lab install` puts schemathesis.
fn schemathesis() -> PathBuf {
    let cache = std::env::var_os("PKG_LAB_CACHE").unwrap_or_else(|| "/var/cache/pkg-lab".into());
    PathBuf::from(cache).join("schemathesis/bin/schemathesis")
}

#[test]
fn the_server_does_what_its_document_says() {
    let directory = tempfile::tempdir().unwrap();
    let server =
        Server::start(pkg(directory.path()).args(["serve", "--store", "store", "--listen", "127.0.0.1:0", "--quiet"]));
    let mut command = Command::new(schemathesis());
    command.current_dir(directory.path()).args(["run", "--no-color", "--max-examples", "20", "--seed", "1"]);
    command.args(["--phases", "examples,coverage,fuzzing", "--request-timeout", "20"]);
    // The first token would end the trust in this machine, and with it the run. That a request fits the document does
    // not mean that there is what it names. And serde takes lists for objects within a body whose fields come in order.
    let excluded = "positive_data_acceptance,negative_data_rejection";
    command.args(["--exclude-operation-id", "createToken", "--exclude-checks", excluded]);
    // Events have no end, which would be waited for.
    command.args(["--exclude-operation-id", "followEnvironment"]);
    run(command.arg(format!("{}/api/v1/openapi.json", server.url))).ok();
}
