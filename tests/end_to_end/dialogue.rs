//! A person at a terminal: a program in a pseudo-terminal, what it shows, and what is typed.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::program::Ran;

/// A program that runs at a terminal of its own.
pub(crate) struct Dialogue {
    child: Child,
    shown: Arc<Mutex<String>>,
    read: usize,
    line: String,
}

impl Dialogue {
    /// Starts a command at a terminal (script(1) of util-linux makes it).
    #[track_caller]
    pub(crate) fn start(command: &Command) -> Self {
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap().replace('\'', r"'\''")))
            .collect();
        let line = words.join(" ");
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"]);
        script.env("TERM", "xterm").env("NO_COLOR", "1");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            script.current_dir(directory);
        }
        let mut child = script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let shown = Arc::<Mutex<String>>::default();
        let (mut stdout, kept) = (child.stdout.take().unwrap(), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = stdout.read(&mut buffer) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        });
        Self { child, shown, read: 0, line }
    }

    /// Waits until a text is shown that was not there at the text before.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) -> &mut Self {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let shown = self.shown.lock().unwrap().clone();
            if let Some(found) = shown[self.read..].find(text) {
                self.read += found + text.len();
                return self;
            }
            assert!(Instant::now() < deadline, "`{text}` is not shown by {}:\n{}", self.line, &shown[self.read..]);
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Types a line.
    #[track_caller]
    pub(crate) fn types(&mut self, line: &str) -> &mut Self {
        self.child.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
        self
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn ends(mut self) -> Ran {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        std::thread::sleep(Duration::from_millis(100));
        let shown = self.shown.lock().unwrap().clone();
        Ran { line: self.line.clone(), code, stdout: shown.clone(), stderr: shown }
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
