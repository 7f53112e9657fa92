//! `pkg find-jar`: which packages carry a jar, and which hosts run them.

use repo_api::{ChannelName, FoundJar, JarCarrier, JarQuery, TagName};

use super::connection::{ServerArgs, failure};
use crate::exit::{Exit, Failure};
use crate::render::{Printer, printable};

/// Say which packages of the repository carry a jar, where they are, and which hosts of which environments run them.
///
/// Hosts are named to those who may watch their environment, as its deployments left them or as they were seen since.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The artifact, or GROUP:ARTIFACT; `*` at either end stands for anything.
    #[arg(value_name = "JAR")]
    jar: String,
    /// Bounds of the version: `<2.17.1`, or several such as `>=2.0,<2.17.1`. Versions that are not known are listed too.
    #[arg(value_name = "VERSIONS")]
    versions: Option<String>,
    /// As of a commit, a tag, a day (2026-11-23) or a time (2026-11-23T12:00:00Z).
    #[arg(long, value_name = "WHEN")]
    at: Option<String>,
    /// Also packages that no channel lists any longer.
    #[arg(long)]
    withdrawn: bool,
    #[command(flatten)]
    server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  pkg find-jar log4j-core '<2.17.1'
  pkg find-jar org.springframework:spring-core '>=5.3,<5.3.18'
  pkg find-jar log4j-core '<2.17.1' --at 2026-06-01
  pkg find-jar 'jackson*' --json | jq -r '.jars[].packages[].nevra'
  pkg find-jar log4j-core --json | jq -r '.jars[].packages[].hosts[] | .environment + \" \" + .host'";

pub(crate) async fn run(args: Args, printer: &Printer) -> Result<Exit, Failure> {
    let query = JarQuery { jar: args.jar, version: args.versions, at: args.at, withdrawn: args.withdrawn };
    let list = args.server.client()?.find_jar(&query).await.map_err(failure)?;
    if list.read < list.of {
        printer.warning(&format!("the server has looked into {} of {} packages so far: ask again", list.read, list.of));
    }
    if printer.is_json() {
        printer.json(&list);
        return Ok(Exit::Done);
    }
    for jar in &list.jars {
        for carrier in &jar.packages {
            printer.data(&line(jar, carrier));
        }
    }
    if list.jars.is_empty() {
        printer.talk("no package carries it");
    }
    Ok(Exit::Done)
}

fn line(jar: &FoundJar, carrier: &JarCarrier) -> String {
    let channels: Vec<&str> = carrier.channels.iter().map(ChannelName::as_str).collect();
    let environments: Vec<&str> = carrier.environments.iter().map(TagName::as_str).collect();
    let version = if jar.is_known { printable(&jar.version) } else { format!("unknown ({})", printable(&jar.version)) };
    let mut line = format!("{} {version}  {}", printable(&jar.component), carrier.nevra);
    line.push_str(&match channels.is_empty() {
        true => "  withdrawn".to_owned(),
        false => format!("  in {}", channels.join(",")),
    });
    if !environments.is_empty() {
        line.push_str(&format!("  held by {}", environments.join(",")));
    }
    for hosts in carrier.hosts.chunk_by(|left, right| left.environment == right.environment) {
        let names: Vec<String> = hosts.iter().map(|host| printable(&host.host)).collect();
        let environment = hosts.first().map(|host| host.environment.as_str()).unwrap_or_default();
        line.push_str(&format!("  on {environment}: {}", names.join(",")));
    }
    line
}
