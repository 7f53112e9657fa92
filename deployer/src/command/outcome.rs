//! What came of a command.

use serde::{Deserialize, Serialize};

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandOutcome {
    /// Its exit code; `None` where it is not known, as with a host that can't be reached.
    pub exit: Option<i32>,
    /// What it printed and complained about.
    pub output: String,
    /// Why there is no exit code, or what the code means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What `timeout` exits with when the time is over (timeout(1)).
const TIMED_OUT: i32 = 124;

impl CommandOutcome {
    /// Takes an exit code; one of `timeout` is explained.
    pub(crate) fn ended(exit: i32, output: String, seconds: u64) -> Self {
        let trouble = (exit == TIMED_OUT).then(|| format!("it was ended after {seconds} s"));
        Self { exit: Some(exit), output, trouble }
    }

    /// Says why it is not known how the command ended.
    pub(crate) fn unknown(trouble: String) -> Self {
        Self { exit: None, output: String::new(), trouble: Some(trouble) }
    }

    /// Whether it ended with 0.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.exit == Some(0)
    }

    /// Why it failed, in few words.
    #[must_use]
    pub fn reason(&self) -> String {
        match (&self.trouble, self.exit) {
            (Some(trouble), _) => trouble.clone(),
            (None, Some(exit)) => format!("exit code {exit}"),
            (None, None) => "its end is unknown".to_owned(),
        }
    }

    /// The last lines of what it printed.
    #[must_use]
    pub fn last_lines(&self, count: usize) -> Vec<String> {
        let lines: Vec<&str> = self.output.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(count)..].iter().map(|line| (*line).to_owned()).collect()
    }
}
