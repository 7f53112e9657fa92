//! `pkg diff`: what differs between two channels, or a channel at two times.

use repo_api::{Difference, PackageDifference, Snapshot, VersionStep};

use super::connection::{ServerArgs, failure};
use crate::exit::{Exit, Failure};
use crate::render::Printer;

/// Show what differs between two channels, or a channel at two times.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The one: CHANNEL, CHANNEL@COMMIT or CHANNEL@TAG.
    #[arg(value_name = "FROM")]
    from: Snapshot,
    /// The other.
    #[arg(value_name = "TO")]
    to: Snapshot,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Prints one line per package: what becomes of its newest version, and the versions that only one of the two lists.

Examples:
  pkg diff prod qa
  pkg diff prod@4711 prod
  pkg diff prod@june-release prod --json";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let client = args.server.client()?;
    let difference = client.difference(&args.from, &args.to).await.map_err(failure)?;
    if printer.is_json() {
        printer.json(&difference);
    } else {
        print(&difference, printer);
    }
    Ok(Exit::Done)
}

fn print(difference: &Difference, printer: &Printer) {
    for package in &difference.packages {
        printer.data(&line(package));
    }
    if difference.packages.is_empty() {
        printer.talk(&format!("{} and {} list the same", difference.from, difference.to));
    }
}

fn line(package: &PackageDifference) -> String {
    let step = match package.step {
        VersionStep::Added => "added",
        VersionStep::Removed => "removed",
        VersionStep::Up => "up",
        VersionStep::Down => "down",
        VersionStep::Same => "same",
    };
    let version = |nevra: &Option<nevra::Nevra>| nevra.as_ref().map(|nevra| nevra.evr.to_string());
    let versions = [version(&package.before), version(&package.after)];
    let versions: Vec<String> = versions.into_iter().flatten().collect();
    let mut line = format!("{step:<8}{}.{}  {}", package.name, package.arch, versions.join(" -> "));
    for (sign, nevras) in [('-', &package.gone), ('+', &package.come)] {
        for nevra in nevras {
            line.push_str(&format!("  {sign}{}", nevra.evr));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let nevra = |text: &str| text.parse::<nevra::Nevra>().unwrap();
        let package = PackageDifference {
            name: "app".to_owned(),
            arch: "noarch".to_owned(),
            step: VersionStep::Up,
            before: Some(nevra("app-1.0-1.noarch")),
            after: Some(nevra("app-1.1-1.noarch")),
            gone: vec![],
            come: vec![nevra("app-1.1-1.noarch")],
        };
        assert_eq!(line(&package), "up      app.noarch  1.0-1 -> 1.1-1  +1.1-1");
    }
}
