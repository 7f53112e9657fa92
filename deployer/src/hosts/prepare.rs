//! Looking at what a host lacks of the standard set-up, and bringing it about.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ledger::Digest;

use super::Item;
use crate::environment::Host;
use crate::transport::{ScriptError, run_checked};
use crate::{Script, Transport};

/// Packages are fetched and installed.
const LIMIT: Duration = Duration::from_secs(1800);
const LOOK: &str = "look at the standard set-up";
const BRING: &str = "bring about the standard set-up";

/// How an item stands on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemState {
    /// As it should.
    Ok,
    /// Not so.
    Differs {
        /// In which way.
        because: String,
        /// What a file has, where it has other lines.
        lines: Option<Vec<String>>,
    },
}

/// Says how each item stands on a host. Changes nothing.
///
/// # Errors
/// [`ScriptError`] where the host does not tell.
pub async fn inspect(transport: &dyn Transport, host: &Host, items: &[Item]) -> Result<Vec<ItemState>, ScriptError> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let lines: Vec<String> = items.iter().map(line).collect();
    let script = Script::new(LOOK, &[include_str!("../scripts/standard_look.sh")]).set("ITEMS", lines.join("\n"));
    let text = run_checked(transport, &host.endpoint, &script).await?;
    parse(&text, items.len()).map_err(|line| ScriptError::Unexpected { host: host.name().clone(), script: LOOK, line })
}

/// Brings items about on a host.
///
/// # Errors
/// [`ScriptError`] where the host does not do it; some may be there all the same.
pub async fn bring(transport: &dyn Transport, host: &Host, items: &[&Item]) -> Result<(), ScriptError> {
    let (mut files, mut packages, mut directories, mut services) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::File { path, mode, text } => files.push(format!("{path} {mode} {}", STANDARD.encode(text))),
            Item::Package(name) => packages.push(name.clone()),
            Item::Directory { path, mode, owner } => directories.push(format!("{path} {mode} {owner}")),
            Item::Service(name) => services.push(name.clone()),
        }
    }
    let script = Script::new(BRING, &[include_str!("../scripts/standard_bring.sh")])
        .set("FILES", files.join("\n"))
        .set_words("PACKAGES", packages)
        .set("DIRECTORIES", directories.join("\n"))
        .set_words("SERVICES", services)
        .time_limit(LIMIT)
        .foreign();
    run_checked(transport, &host.endpoint, &script).await.map(drop)
}

/// An item as `standard_look.sh` reads it.
fn line(item: &Item) -> String {
    let mode = |mode: &str| mode.trim_start_matches('0').to_owned();
    match item {
        Item::File { path, mode: octal, text } => {
            format!("file {path} {} root:root {}", mode(octal), Digest::of(text.as_bytes()))
        }
        Item::Package(name) => format!("package {name}"),
        Item::Directory { path, mode: octal, owner } => format!("directory {path} {} {owner}", mode(octal)),
        Item::Service(name) => format!("service {name}"),
    }
}

/// Reads what that prints; gives the line that it would never print.
fn parse(text: &str, count: usize) -> Result<Vec<ItemState>, String> {
    let mut states: Vec<Option<ItemState>> = vec![None; count];
    for line in text.lines() {
        let wrong = || line.to_owned();
        let (number, said) = line.split_once(' ').ok_or_else(wrong)?;
        let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).ok_or_else(wrong)?;
        let state = states.get_mut(index).ok_or_else(wrong)?;
        let (word, rest) = said.split_once(' ').unwrap_or((said, ""));
        match (word, &mut *state) {
            ("ok", None) => *state = Some(ItemState::Ok),
            ("differs", None) => *state = Some(ItemState::Differs { because: rest.to_owned(), lines: None }),
            ("has", Some(ItemState::Differs { lines, .. })) => lines.get_or_insert_default().push(rest.to_owned()),
            _ => return Err(wrong()),
        }
    }
    states.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| "(an item is missing)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_script_prints() {
        let states = parse("1 ok\n2 differs it has other lines\n2 has [pkg]\n2 has \n3 differs it is absent\n", 3);
        let lines = Some(vec!["[pkg]".to_owned(), String::new()]);
        let differs = |because: &str, lines| ItemState::Differs { because: because.to_owned(), lines };
        assert_eq!(
            states.unwrap(),
            [ItemState::Ok, differs("it has other lines", lines), differs("it is absent", None)]
        );
        for bad in ["", "1 ok\n", "1 ok\n1 ok\n2 ok\n", "0 ok\n", "x\n", "1 has y\n", "3 ok\n"] {
            assert!(parse(bad, 2).is_err(), "{bad}");
        }
    }
}
