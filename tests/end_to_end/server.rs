//! A `pkg serve` of a test's own, ended with the test.

use std::io::{BufRead, BufReader, Read, Seek};
use std::process::{Child, Command, Stdio};

/// A running server.
pub(crate) struct Server {
    process: Child,
    /// Its address, such as `http://127.0.0.1:40123`.
    pub(crate) url: String,
}

impl Server {
    /// Starts the server that the command line describes and waits until it tells its address.
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut talk = tempfile::tempfile().unwrap();
        let errors = Stdio::from(talk.try_clone().unwrap());
        let mut process = command.stdout(Stdio::piped()).stderr(errors).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        if !url.starts_with("http://") {
            let mut said = String::new();
            talk.rewind().and_then(|()| talk.read_to_string(&mut said)).unwrap();
            panic!("the server did not start: {url}{said}");
        }
        Self { process, url: url.trim().to_owned() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
