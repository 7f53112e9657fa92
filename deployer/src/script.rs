//! Scripts for hosts, with their variables: the one place that quotes for a shell.

use std::fmt::Write;
use std::time::Duration;

/// A POSIX shell script that runs on a host, as root.
///
/// Values only get in as variables, quoted here; the script's own text is a constant of this crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    name: &'static str,
    parts: Vec<&'static str>,
    variables: Vec<(&'static str, String)>,
    time_limit: Duration,
    is_foreign: bool,
    is_sole: bool,
}

/// Makes the texts of tools predictable, whatever the login's settings are.
const SETTINGS: &str = "set -f\nLC_ALL=C\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n\
                        export LC_ALL PATH\numask 022\n";

const TIME_LIMIT: Duration = Duration::from_secs(60);

impl Script {
    /// Makes one of a name for errors and the parts of its text, in order.
    #[must_use]
    pub fn new(name: &'static str, parts: &[&'static str]) -> Self {
        Self {
            name,
            parts: parts.to_vec(),
            variables: Vec::new(),
            time_limit: TIME_LIMIT,
            is_foreign: false,
            is_sole: false,
        }
    }

    /// Appends a part to its text.
    #[must_use]
    pub(crate) fn part(mut self, part: &'static str) -> Self {
        self.parts.push(part);
        self
    }

    /// Gives the script a variable.
    #[must_use]
    pub fn set(mut self, variable: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((variable, value.into()));
        self
    }

    /// Gives the script a list as one variable, its words joined by spaces; no word may hold one.
    #[must_use]
    pub fn set_words(self, variable: &'static str, words: impl IntoIterator<Item = String>) -> Self {
        let words: Vec<String> = words.into_iter().collect();
        self.set(variable, words.join(" "))
    }

    /// Says after what time the controller gives up on an answer; a minute if it is not said.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Says that it runs commands which are not this crate's: they may leave something running that prints into what
    /// comes after them, so nothing comes after them in the same shell.
    #[must_use]
    pub(crate) fn foreign(mut self) -> Self {
        self.is_foreign = true;
        self
    }

    /// Whether it runs commands which are not this crate's.
    pub(crate) fn is_foreign(&self) -> bool {
        self.is_foreign
    }

    /// Says that nothing else is to be run on its host.
    #[must_use]
    pub fn sole(mut self) -> Self {
        self.is_sole = true;
        self
    }

    /// Whether nothing else is to be run on its host.
    pub(crate) fn is_sole(&self) -> bool {
        self.is_sole
    }

    /// The name, for errors.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// After what time the controller gives up.
    #[must_use]
    pub fn limit(&self) -> Duration {
        self.time_limit
    }

    /// The value that a variable was given.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.as_str())
    }

    /// The whole text for `sh`.
    ///
    /// It is one function and its call, so that a text cut short on its way runs nothing, and a command that reads its
    /// input can't swallow the rest of the script.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (variable, value) in &self.variables {
            let _ = writeln!(text, "{variable}={}", quote(value));
        }
        text.push_str("main() {\n");
        text.push_str(SETTINGS);
        // Shells read what they run byte by byte: comments are for us.
        for line in self.parts.iter().flat_map(|part| part.lines()).filter(|line| !line.trim_start().starts_with('#')) {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str("}\nmain </dev/null\n");
        text
    }
}

/// Quotes a value for a POSIX shell.
pub(crate) fn quote(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn run(text: &str) -> String {
        let mut child = Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    }

    #[test]
    fn values_arrive_as_they_are() {
        for value in ["", "a b", "it's", "$(id)`id`\\", "a\nb", "'\\''", "*", "-n", "ü"] {
            let script = Script::new("echo", &["printf '%s|' \"$VALUE\""]).set("VALUE", value);
            assert_eq!(run(&script.text()), format!("{value}|"));
        }
    }

    #[test]
    fn a_text_cut_short_runs_nothing() {
        let text = Script::new("echo", &["echo one\necho two"]).text();
        for end in 0..text.len() - "main </dev/null\n".len() {
            assert_eq!(run(&text[..end]), "", "{end}");
        }
    }

    #[test]
    fn comments_stay_here() {
        let script = Script::new("echo", &["# why\n    # and how\necho \"$VALUE\" # there"]).set("VALUE", "a\n# b");
        assert_eq!(script.text().matches("why").count() + script.text().matches("how").count(), 0);
        assert_eq!(run(&script.text()), "a\n# b\n");
    }

    #[test]
    fn a_command_that_reads_leaves_the_script_alone() {
        assert_eq!(run(&Script::new("cat", &["cat\necho after"]).text()), "after\n");
    }
}
