//! Holds what the documentation, the CI pipelines and `--help` tell people to type against the command line itself:
//! each `pkg …` line has to parse.

use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};

use crate::cli::Cli;

/// A line that begins with `pkg`, and where it stands.
struct Documented {
    place: String,
    line: String,
}

#[test]
fn documented_commands_parse() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documented: Vec<Documented> = documents(root).iter().flat_map(|path| commands_in(root, path)).collect();
    let files = documented.len();
    commands_in_help(&Cli::command(), &mut documented);
    let failures: Vec<String> = documented
        .iter()
        .filter_map(|command| {
            let words = words(&command.line)?;
            let error = Cli::try_parse_from(words).err()?;
            let asks_for_help = !error.use_stderr();
            (!asks_for_help).then(|| format!("{}: {}\n{error}", command.place, command.line))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(files > 100 && documented.len() > files + 50, "{files} lines of files, {} in all", documented.len());
}

#[test]
fn lines_are_read_as_a_shell_does() {
    let of = |line: &str| words(line).map(|words| words.join("|"));
    assert_eq!(of("pkg list  # the channels").as_deref(), Some("pkg|list"));
    assert_eq!(of("pkg plan prod shop-1-1      what would be done").as_deref(), Some("pkg|plan|prod|shop-1-1"));
    assert_eq!(of("pkg find-jar log4j-core '<2.17.1'").as_deref(), Some("pkg|find-jar|log4j-core|<2.17.1"));
    assert_eq!(of("pkg serve --store /tmp/r & sleep 1").as_deref(), Some("pkg|serve|--store|/tmp/r"));
    assert_eq!(of("pkg run prod -- 'a && b' | tee x").as_deref(), Some("pkg|run|prod|--|a && b"));
    assert_eq!(
        of("pkg deploy qa $PACKAGES --why \"build $N\"").as_deref(),
        Some("pkg|deploy|qa|VALUE-1-1|--why|build VALUE-1-1")
    );
    assert_eq!(of("pkg publish FILE… --to CHANNEL"), None);
    assert_eq!(of("pkg deploy <environment>"), None);
    assert_eq!(of("pkg log [--since WHEN]"), None);
}

/// Everything people copy commands from.
fn documents(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
    let mut folders = vec![root.join("docs"), root.join("specs/ci")];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match path.is_dir() {
                true => folders.push(path),
                false if [".md", ".yml", "Jenkinsfile"].iter().any(|end| name.ends_with(end)) => found.push(path),
                false => {}
            }
        }
    }
    found
}

/// The commands of a file: in Markdown of its blocks of code, elsewhere of all lines.
fn commands_in(root: &Path, path: &Path) -> Vec<Documented> {
    let text = fs_err::read_to_string(path).unwrap().replace("\\\n", " ");
    let markdown = path.extension().is_some_and(|extension| extension == "md");
    let mut fenced = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") {
            fenced = !fenced;
        } else if !markdown || fenced || line.starts_with("    ") {
            let place = path.strip_prefix(root).unwrap_or(path).display().to_string();
            found.extend(command_of(trimmed).map(|line| Documented { place, line: line.to_owned() }));
        }
    }
    found
}

/// What follows a prompt (`$`, `ana$`), a key of YAML, or assignments (`PKG_TOKEN=… pkg …`), if that is `pkg`.
fn command_of(line: &str) -> Option<&str> {
    let mut rest = line;
    while !rest.starts_with("pkg ") {
        let (first, after) = rest.split_once(' ')?;
        let prefix = first.ends_with('$') || ["-", "run:"].contains(&first) || first.contains('=');
        rest = prefix.then(|| after.trim_start())?;
    }
    Some(rest)
}

/// The examples of a command's help, and of those below it.
fn commands_in_help(command: &clap::Command, found: &mut Vec<Documented>) {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default().replace("\\\n", " ");
    let place = format!("--help of {}", command.get_name());
    found.extend(
        help.lines()
            .filter_map(|line| command_of(line.trim()))
            .map(|line| Documented { place: place.clone(), line: line.to_owned() }),
    );
    command.get_subcommands().for_each(|below| commands_in_help(below, found));
}

/// The words of the first command of a line as a shell reads them; an explanation set off by two spaces is none of it.
/// Nothing for a line with placeholders: `…`, `<name>`, `[optional]`.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote, mut spaces) = (Vec::new(), None::<String>, None, 0);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        spaces = if character == ' ' && quote.is_none() { spaces + 1 } else { 0 };
        match (quote, character) {
            (_, '…') => return None,
            (Some(open), close) if open == close => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None | Some('"'), '$') => word.get_or_insert_default().push_str(variable(&mut characters)),
            (Some(_), _) => word.get_or_insert_default().push(character),
            (None, '<' | '[') => return None,
            (None, '·') => break,
            (None, '#') if word.is_none() => break,
            (None, ';' | '&' | '|' | '>' | ')') => break,
            (None, ' ') => {
                words.extend(word.take());
                if spaces > 1 {
                    break;
                }
            }
            (None, '\\') => word.get_or_insert_default().extend(characters.next()),
            (None, _) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    Some(words)
}

/// Takes the rest of `$NAME`, `${NAME}` or `$(command)`, and gives something that can stand for a package and for a channel.
fn variable(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> &'static str {
    match characters.peek() {
        Some('{') => while characters.next().is_some_and(|character| character != '}') {},
        Some('(') => while characters.next().is_some_and(|character| character != ')') {},
        _ => while characters.next_if(|character| character.is_alphanumeric() || *character == '_').is_some() {},
    }
    "VALUE-1-1"
}
