//! The spec that a project can begin with.

use super::{Configuration, Project};

/// Writes a commented spec, which builds as it is once the project's WAR is there.
#[must_use]
pub fn starter(project: &Project) -> String {
    let Project { name, .. } = project;
    let summary = project.summary.clone().unwrap_or_else(|| format!("The web application {name}"));
    let license = project.license.as_deref().unwrap_or("LicenseRef-Proprietary");
    let mut text = format!(
        "# The package {name}: an RPM for Tomcat. Build it with `pkg build {name}.toml`.\n\
         # Every value may use variables: ${{NAME}} comes from `--set NAME=VALUE`, else from the environment; $${{ is a ${{.\n\
         # `pkg build --schema` explains all keys.\n\
         name = {}\nsummary = {}\n",
        quoted(name),
        quoted(&summary)
    );
    match &project.description {
        Some(description) => text.push_str(&format!("description = {}\n", quoted(description))),
        None => text.push_str("#description = \"\"\"\n#Paragraphs.\"\"\"\n"),
    }
    text.push_str(&format!("license = {}  # an SPDX expression\n", quoted(license)));
    match &project.url {
        Some(url) => text.push_str(&format!("url = {}\n", quoted(url))),
        None => text.push_str("#url = \"https://shop.example/\"\n"),
    }
    text.push_str(if project.has_version {
        "version = \"auto\"  # what the WAR, the pom.xml, a gradle.properties or git's tags say; or \"1.4.0\"\n"
    } else {
        "version = \"${VERSION}\"  # from the environment, or `--version 1.4.0`; or \"auto\": the WAR, the build or git\n"
    });
    text.push_str("release = \"auto\"  # the CI build's number and the commit; elsewhere, `--release 1`\n");
    text.push_str("requires = [\"tomcat\"]  # what must be installed, such as \"java-headless >= 1:17\"\n");
    text.push_str(&format!(
        "\n[tomcat]\nwar = {}\n#context = \"/{name}\"  # where it is served; \"/\" is the root\n\
         #instance = \"tomcat\"  # the service, /etc/tomcat and /var/lib/tomcat; \"tomcat10\" on Debian\n\
         #group = \"tomcat\"  # may read the configuration\n\
         #descriptor = \"context.xml\"  # a context descriptor of your own, for data sources and the like\n",
        quoted(&project.war)
    ));
    text.push_str(&configuration(project));
    text.push_str(
        "\n# Anything else that is to be installed.\n\
         #[[contents]]\n\
         #type = \"file\"  # or config, directory, tree, glob, symlink, ghost, doc, license, archive, war\n\
         #source = \"files/shop.cron\"\n\
         #destination = \"/etc/cron.d/shop\"\n",
    );
    text
}

fn configuration(project: &Project) -> String {
    let name = &project.name;
    match &project.configuration {
        None => format!(
            "\n# A folder of configuration files: installed in /etc/{name}, before the WAR's own on the class path.\n\
             #[configuration]\n#directory = \"config\"\n"
        ),
        Some(Configuration::Folder(folder)) => format!(
            "\n[configuration]  # installed in /etc/{name}, before the WAR's own on the class path\n\
             directory = {}\n#expand = true  # replaces ${{NAME}} in the files\n",
            quoted(folder)
        ),
        Some(Configuration::Environments(folder, environments)) => {
            let mut text = format!(
                "\n# A configuration package for each environment, installed in /etc/{name}. Name it when you install: \n\
                 # `dnf install {name} {name}-config-{}`.\n",
                environments.last().map_or("prod", String::as_str)
            );
            for environment in environments {
                let directory = quoted(&format!("{folder}/{environment}"));
                text.push_str(&format!("[environments.{environment}]\ndirectory = {directory}\n"));
            }
            text.replace(" \n", "\n")
        }
    }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Overrides, SpecFile, Variables};

    fn project() -> Project {
        Project {
            name: "shop".to_owned(),
            summary: Some("The \"shop\"".to_owned()),
            description: None,
            license: Some("MIT".to_owned()),
            url: None,
            war: "target/shop.war".to_owned(),
            has_version: false,
            configuration: None,
        }
    }

    #[test]
    fn what_it_writes_resolves() {
        let environments = Configuration::Environments("config".to_owned(), vec!["dev".to_owned(), "prod".to_owned()]);
        let folder = Configuration::Folder("conf".to_owned());
        for (configuration, packages) in [(None, 1), (Some(folder), 1), (Some(environments), 4)] {
            let description = configuration.as_ref().map(|_| "Two\nlines".to_owned());
            let text = starter(&Project { configuration, description, ..project() });
            let file = SpecFile::parse(Path::new("shop.toml"), text.clone()).unwrap_or_else(|e| panic!("{e}\n{text}"));
            let overrides =
                Overrides { version: Some("1.4.0".to_owned()), release: Some("57".to_owned()), ..Overrides::default() };
            let specs = file.resolve(&Variables::default(), &overrides).unwrap();
            assert_eq!((specs.len(), specs[0].summary.as_str()), (packages, "The \"shop\""));
            assert!(text.lines().all(|line| line.len() <= 120 && line.trim_end() == line), "{text}");
        }
    }

    #[test]
    fn every_key_in_a_comment_is_known() {
        let text = starter(&project());
        let keys = text.lines().filter_map(|line| line.strip_prefix('#')).filter(|line| !line.starts_with(' '));
        let keys = keys.map(|line| line.replace("[tomcat]", "")).collect::<Vec<_>>().join("\n");
        let (top, rest) = keys.split_once("#context").unwrap_or((&keys, ""));
        assert!(rest.is_empty());
        let (top, tomcat) = top.split_once("context").unwrap();
        let all = format!("{top}\n[tomcat]\ncontext{tomcat}");
        SpecFile::parse(Path::new("x.toml"), all.clone()).unwrap_or_else(|error| panic!("{error}\n{all}"));
    }
}
