//! The only printer: data goes to stdout, talk to stderr, and nothing else in the workspace prints.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::exit::Failure;

/// The flags of every command: stdout is data, stderr is talk.
#[derive(Debug, clap::Args)]
pub(crate) struct OutputArgs {
    /// Print machine-readable JSON on stdout.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Print no progress, only warnings and failures.
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print more of what is done.
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// Colour what is printed to stderr.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Prints what commands return, in the manner that the global flags ask for.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    json: bool,
    quiet: bool,
    verbose: bool,
    color: bool,
    /// The lines at the bottom of the terminal that are drawn anew.
    live: Arc<Mutex<Vec<String>>>,
}

/// The colours that carry meaning on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Busy,
    Faint,
}

impl Printer {
    pub(crate) fn new(output: &OutputArgs) -> Self {
        let color = match output.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
        };
        Self { json: output.json, quiet: output.quiet, verbose: output.verbose, color, live: Arc::default() }
    }

    /// Tells whether stdout is to hold JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Tells whether more is to be told of what is done.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose && !self.quiet
    }

    /// Tells whether only warnings and failures are to be told.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints one line of data to stdout.
    pub(crate) fn data(&self, line: &str) {
        self.above_live(|| to_stdout(line));
    }

    /// Prints a value to stdout as one line of JSON.
    pub(crate) fn json<T: Serialize>(&self, value: &T) {
        match serde_json::to_string(value) {
            Ok(text) => to_stdout(&escape(&text, |character| format!("\\u{:04x}", u32::from(character)))),
            Err(error) => self.warning(&format!("could not print the result as JSON: {error}")),
        }
    }

    /// Prints one line of talk to stderr, unless `--quiet`.
    pub(crate) fn talk(&self, line: &str) {
        if !self.quiet {
            self.say(line);
        }
    }

    /// Prints one line of talk that only `--verbose` shows.
    pub(crate) fn detail(&self, line: &str) {
        if self.verbose && !self.quiet {
            self.say(line);
        }
    }

    /// Prints one line of talk that also `--quiet` shows.
    pub(crate) fn urgent(&self, line: &str) {
        self.say(line);
    }

    /// Prints a warning to stderr, also with `--quiet`.
    pub(crate) fn warning(&self, line: &str) {
        self.say(&format!("{} {line}", self.paint(Tone::Busy, "warning:")));
    }

    /// Prints to stderr what makes something be refused, also with `--quiet`.
    pub(crate) fn denied(&self, line: &str) {
        self.say(&format!("{} {line}", self.paint(Tone::Bad, "denied:")));
    }

    /// Prints what can be done next to stderr, also with `--quiet`.
    pub(crate) fn hint(&self, hint: &str) {
        self.say(&format!("{} {hint}", self.paint(Tone::Faint, "hint:")));
    }

    /// Prints what failed, its causes and the hint; with `--json` also as one line on stdout.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.json {
            let causes: Vec<String> = failure.error.chain().skip(1).map(ToString::to_string).collect();
            self.json(&serde_json::json!({ "error": {
                "message": failure.error.to_string(),
                "causes": causes,
                "hint": failure.hint,
                "exit_code": failure.exit.code(),
            }}));
        }
        self.say(&format!("{} {}", self.paint(Tone::Bad, "error:"), failure.error));
        for cause in failure.error.chain().skip(1) {
            self.say(&format!("  caused by: {cause}"));
        }
        if let Some(hint) = &failure.hint {
            self.hint(hint);
        }
    }

    /// Tells whether lines at the bottom of the terminal may be drawn anew: not where somebody reads along line by line.
    pub(crate) fn is_live(&self) -> bool {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        !(self.json || self.quiet || self.verbose || dumb) && self.terminal_size().is_some()
    }

    /// The width and height of the terminal that stderr is, if it is one.
    pub(crate) fn terminal_size(&self) -> Option<(usize, usize)> {
        let size = rustix::termios::tcgetwinsize(io::stderr()).ok()?;
        // A terminal that does not know says 0.
        let or = |given: u16, usual| if given == 0 { usual } else { usize::from(given) };
        Some((or(size.ws_col, 80), or(size.ws_row, 24)))
    }

    /// Draws lines at the bottom of the terminal over those that were drawn before; all else is printed above them.
    pub(crate) fn live(&self, lines: Vec<String>) {
        let mut drawn = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if *drawn == lines {
            return;
        }
        let text = format!("{}{}", erase(&drawn), block(&lines));
        let _ = io::stderr().lock().write_all(text.as_bytes());
        *drawn = lines;
    }

    /// Lets the lines that were drawn last stand as they are: what is printed next comes below.
    pub(crate) fn leave_live(&self) {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn say(&self, line: &str) {
        self.above_live(|| to_stderr(line));
    }

    fn above_live(&self, print: impl FnOnce()) {
        let drawn = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.is_empty() {
            return print();
        }
        let _ = io::stderr().lock().write_all(erase(&drawn).as_bytes());
        print();
        let _ = io::stderr().lock().write_all(block(&drawn).as_bytes());
    }

    /// Colours a text for stderr where colours are on.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31;1",
            Tone::Busy => "33",
            Tone::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// An error and what caused it, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

/// Makes a text that somebody else wrote safe for a terminal: control characters and those that turn the direction of
/// writing become `\u{…}`; tabs stay.
pub(crate) fn printable(text: &str) -> String {
    escape(text, |character| character.escape_unicode().to_string())
}

/// Escapes what would act on a terminal. In JSON such characters stand only within strings, where `\uXXXX` means them.
fn escape(text: &str, one: impl Fn(char) -> String) -> String {
    let acts = |character: char| {
        let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (character.is_control() && character != '\t')
    };
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if acts(character) {
            escaped.push_str(&one(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// Goes up over the lines and erases from there on (ECMA-48: CUU, ED).
fn erase(drawn: &[String]) -> String {
    if drawn.is_empty() { String::new() } else { format!("\u{1b}[{}A\r\u{1b}[J", drawn.len()) }
}

fn block(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A reader that went away (`pkg list | head -1`) is no failure of ours.
fn to_stdout(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

fn to_stderr(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_acts_on_the_terminal() {
        assert_eq!(printable("a\tb\u{1b}[31m\u{9b}2J\u{202e}ü\r\n"), "a\tb\\u{1b}[31m\\u{9b}2J\\u{202e}ü\\u{d}\\u{a}");
        let json = serde_json::to_string("\u{9b}\u{7f}\u{202e}\t").unwrap();
        let escaped = escape(&json, |character| format!("\\u{:04x}", u32::from(character)));
        assert_eq!(escaped, r#""\u009b\u007f\u202e\t""#);
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), "\u{9b}\u{7f}\u{202e}\t");
    }
}
