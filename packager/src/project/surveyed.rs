//! Looks at a project: its build, its WAR, its configuration.

use std::io;
use std::path::{Path, PathBuf};

use super::maven::Maven;
use super::modules;
use crate::version::gradle;

/// A project, as far as its directory shows it. Paths are relative to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The package's name.
    pub name: String,
    /// One line.
    pub summary: Option<String>,
    /// Paragraphs.
    pub description: Option<String>,
    /// An SPDX expression.
    pub license: Option<String>,
    /// The project's page.
    pub url: Option<String>,
    /// The WAR, a pattern that fits it, or an exploded one.
    pub war: String,
    /// Whether something says the version: the build or git.
    pub has_version: bool,
    /// The configuration.
    pub configuration: Option<Configuration>,
}

/// The folder of a project's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Configuration {
    /// One folder for everywhere.
    Folder(String),
    /// A folder for each environment, by name.
    Environments(String, Vec<String>),
}

/// Says why a directory cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// It cannot be read.
    #[error("could not read the project")]
    Read(#[source] io::Error),
    /// Nothing there is a web application.
    #[error(
        "`{}` holds no pom.xml, build.gradle, build.gradle.kts, WAR nor a folder with a WEB-INF", .0.display()
    )]
    NoProject(PathBuf),
    /// Several modules make a WAR.
    #[error("`{}` makes several web applications, in {}", .0.display(), listed(.1))]
    SeveralModules(PathBuf, Vec<PathBuf>),
}

/// Where builds leave WARs, and where people put them.
const WAR_DIRECTORIES: [&str; 4] = ["target", "build/libs", "dist", "."];

/// Where exploded web applications lie.
const EXPLODED: [&str; 6] = ["app", "web", "webapp", "WebContent", "src/main/webapp", "."];

/// Where configuration lies.
const CONFIGURATION: [&str; 6] = ["config", "conf", "etc", "configuration", "src/main/config", "src/main/conf"];

/// Names of environments that are known as such.
const ENVIRONMENTS: [&str; 14] = [
    "dev",
    "development",
    "int",
    "integration",
    "test",
    "qa",
    "uat",
    "stage",
    "staging",
    "preprod",
    "prod",
    "production",
    "demo",
    "local",
];

impl Project {
    /// Looks at a directory.
    ///
    /// # Errors
    /// [`ProjectError`] when it cannot be read or holds no web application.
    pub fn survey(directory: &Path) -> Result<Self, ProjectError> {
        fs_err::read_dir(directory).map_err(ProjectError::Read)?;
        match modules::web_module(directory)? {
            Some(module) => Self::of_module(directory, &module),
            None => Self::of_directory(directory),
        }
    }

    /// A project of several modules, seen from its top; the WAR and, if the top has none, the configuration are the
    /// module's.
    fn of_module(directory: &Path, module: &Path) -> Result<Self, ProjectError> {
        let below = Self::of_directory(&directory.join(module))?;
        let within = |path: &str| module.join(path).display().to_string();
        let of_module = below.configuration.map(|configuration| match configuration {
            Configuration::Folder(folder) => Configuration::Folder(within(&folder)),
            Configuration::Environments(folder, names) => Configuration::Environments(within(&folder), names),
        });
        let has_pom = directory.join(module).join("pom.xml").is_file();
        Ok(Self {
            name: gradle_name(directory).filter(|_| !has_pom).map_or(below.name, |name| package_name(&name)),
            war: within(&below.war),
            has_version: below.has_version || says_version(directory),
            configuration: configuration(directory).or(of_module),
            ..below
        })
    }

    fn of_directory(directory: &Path) -> Result<Self, ProjectError> {
        let pom = fs_err::read_to_string(directory.join("pom.xml")).ok().map(|text| Maven::read(&text));
        let is_gradle = ["build.gradle", "build.gradle.kts"].iter().any(|name| directory.join(name).is_file());
        let found = built_war(directory).or_else(|| exploded(directory).filter(|_| pom.is_none() && !is_gradle));
        let maven = pom.as_ref();
        let name = package_name(&project_name(directory, maven));
        let war = match (found, maven, is_gradle) {
            (Some(war), _, _) => war,
            (None, Some(maven), _) => {
                let end = if maven.final_name.is_some() { ".war" } else { "-*.war" };
                let base = maven.final_name.as_ref().or(maven.artifact.as_ref()).unwrap_or(&name);
                format!("target/{base}{end}")
            }
            (None, None, true) => "build/libs/*.war".to_owned(),
            (None, None, false) => return Err(ProjectError::NoProject(directory.to_owned())),
        };
        let text = |choose: fn(&Maven) -> Option<&String>| maven.and_then(choose).cloned();
        Ok(Self {
            summary: text(|maven| maven.name.as_ref()),
            description: text(|maven| maven.description.as_ref()),
            license: text(|maven| maven.license.as_ref())
                .or_else(|| pom.as_ref().and_then(|_| license_of_parent(directory)))
                .map(|license| spdx(&license)),
            url: text(|maven| maven.url.as_ref()),
            has_version: maven.is_some() || says_version(directory),
            configuration: configuration(directory),
            name,
            war,
        })
    }
}

/// Whether Gradle or git says the version.
fn says_version(directory: &Path) -> bool {
    gradle::FILES.iter().any(|name| gradle::version(&directory.join(name)).is_ok()) || directory.join(".git").exists()
}

/// The licence that a pom.xml inherits, where its parents lie above it.
fn license_of_parent(directory: &Path) -> Option<String> {
    let above = ["../pom.xml", "../../pom.xml"].iter().map(|name| directory.join(name));
    let parents = above.map_while(|file| fs_err::read_to_string(file).ok());
    parents.map(|text| Maven::read(&text)).find_map(|parent| parent.license)
}

fn listed(modules: &[PathBuf]) -> String {
    modules.iter().map(|module| format!("`{}`", module.display())).collect::<Vec<_>>().join(", ")
}

fn project_name(directory: &Path, maven: Option<&Maven>) -> String {
    let of_directory = || {
        let path = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        path.file_name().map(|name| name.to_string_lossy().into_owned())
    };
    let artifact = maven.and_then(|maven| maven.artifact.clone());
    artifact.or_else(|| gradle_name(directory)).or_else(of_directory).unwrap_or_default()
}

/// Reads `rootProject.name = 'shop'`.
fn gradle_name(directory: &Path) -> Option<String> {
    let files = ["settings.gradle", "settings.gradle.kts"].iter().map(|name| directory.join(name));
    let text = files.into_iter().find_map(|file| fs_err::read_to_string(file).ok())?;
    let line = text.lines().find_map(|line| line.trim().strip_prefix("rootProject.name"))?;
    line.split(['\'', '"']).nth(1).map(str::to_owned)
}

/// Makes a name that a package can have.
fn package_name(text: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || "._+-".contains(c) { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().map(fits).collect();
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if name.is_empty() { "application".to_owned() } else { name.to_owned() }
}

/// The WAR that was built last; a pattern where its name holds a version. `shop-1.0-plain.war`, which Spring Boot's build
/// leaves beside the executable `shop-1.0.war`, is not meant.
fn built_war(directory: &Path) -> Option<String> {
    WAR_DIRECTORIES.iter().find_map(|place| {
        let mut names = names(&directory.join(place));
        names.retain(|name| name.ends_with(".war") && directory.join(place).join(name).is_file());
        let all = names.len();
        names.retain(|name| !name.ends_with("-plain.war"));
        let end = if names.len() < all { "-*[!n].war" } else { "-*.war" };
        let name = names.first()?;
        let is_version = |index: &usize| name[index + 1..].starts_with(|c: char| c.is_ascii_digit());
        let version = name.match_indices('-').map(|(index, _)| index).find(is_version);
        let file = match (names.as_slice(), version) {
            ([_], Some(index)) => format!("{}{end}", &name[..index]),
            ([_], None) => name.clone(),
            _ => "*.war".to_owned(),
        };
        Some(if *place == "." { file } else { format!("{place}/{file}") })
    })
}

fn exploded(directory: &Path) -> Option<String> {
    EXPLODED.iter().find(|place| directory.join(place).join("WEB-INF").is_dir()).map(|place| (*place).to_owned())
}

fn configuration(directory: &Path) -> Option<Configuration> {
    let folder = CONFIGURATION.iter().find(|folder| directory.join(folder).is_dir())?;
    let mut names = names(&directory.join(folder));
    names.retain(|name| ENVIRONMENTS.contains(&name.as_str()) && directory.join(folder).join(name).is_dir());
    Some(match names.len() {
        0 | 1 => Configuration::Folder((*folder).to_owned()),
        _ => Configuration::Environments((*folder).to_owned(), names),
    })
}

/// The names in a directory, sorted; none where it cannot be read.
fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Translates what pom.xml files commonly say.
fn spdx(license: &str) -> String {
    let lower = license.to_lowercase();
    let known = match lower.as_str() {
        text if text.contains("apache") && text.contains('2') => "Apache-2.0",
        "mit" | "mit license" | "the mit license" | "the mit license (mit)" => "MIT",
        text if text.contains("eclipse public") && text.contains('2') => "EPL-2.0",
        text if text.contains("bsd") && text.contains('3') => "BSD-3-Clause",
        text if text.contains("bsd") && text.contains('2') => "BSD-2-Clause",
        _ => license,
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> Result<Project, ProjectError> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join("My Shop").join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        Project::survey(&directory.path().join("My Shop"))
    }

    #[test]
    fn finds_the_war() {
        let pom = ("pom.xml", "<project><artifactId>shop</artifactId></project>");
        let named = ("pom.xml", "<project><artifactId>a</artifactId><build><finalName>b</finalName></build></project>");
        for (files, expected) in [
            (&[pom][..], "target/shop-*.war"),
            (&[named], "target/b.war"),
            (&[pom, ("target/shop.war", "")], "target/shop.war"),
            (&[pom, ("target/my-shop-1.4.0-SNAPSHOT.war", "")], "target/my-shop-*.war"),
            (&[pom, ("target/a.war", ""), ("target/b.war", "")], "target/*.war"),
            (&[("build.gradle.kts", "")], "build/libs/*.war"),
            (&[("build.gradle", ""), ("build/libs/a-1.war", "")], "build/libs/a-*.war"),
            (
                &[("build.gradle", ""), ("build/libs/a-1.war", ""), ("build/libs/a-1-plain.war", "")],
                "build/libs/a-*[!n].war",
            ),
            (&[("shop.war", "")], "shop.war"),
            (&[("web/WEB-INF/web.xml", "")], "web"),
            (&[pom, ("src/main/webapp/WEB-INF/web.xml", "")], "target/shop-*.war"),
        ] {
            assert_eq!(project(files).unwrap().war, expected, "{files:?}");
        }
        assert!(matches!(project(&[("README", "")]), Err(ProjectError::NoProject(_))));
        assert!(matches!(Project::survey(Path::new("/nowhere")), Err(ProjectError::Read(_))));
    }

    #[test]
    fn finds_the_name_and_the_configuration() {
        let project_of = |files: &[(&str, &str)]| project(files).unwrap();
        assert_eq!(project_of(&[("a.war", "")]).name, "my-shop");
        let gradle = [("build.gradle", ""), ("settings.gradle", "\nrootProject.name = 'Pet Clinic'\n")];
        assert_eq!(project_of(&gradle).name, "pet-clinic");
        let folder = project_of(&[("a.war", ""), ("conf/a.properties", "")]).configuration;
        assert_eq!(folder, Some(Configuration::Folder("conf".to_owned())));
        let files = [("a.war", ""), ("config/prod/a", ""), ("config/dev/a", ""), ("config/common/a", "")];
        let environments = vec!["dev".to_owned(), "prod".to_owned()];
        let expected = Some(Configuration::Environments("config".to_owned(), environments));
        assert_eq!(project_of(&files).configuration, expected);
    }

    #[test]
    fn finds_the_module_that_makes_the_war() {
        let parent = "<project><artifactId>acme</artifactId><packaging>pom</packaging>\
                      <licenses><license><name>MIT License</name></license></licenses></project>";
        let web = "<project><artifactId>acme-web</artifactId><packaging>war</packaging></project>";
        let maven = [("pom.xml", parent), ("web/pom.xml", web), ("web/config/a", "")];
        let found = project(&maven).unwrap();
        assert_eq!((found.name.as_str(), found.war.as_str()), ("acme-web", "web/target/acme-web-*.war"));
        assert_eq!(found.configuration, Some(Configuration::Folder("web/config".to_owned())));
        assert_eq!(found.license.as_deref(), Some("MIT"));
        let gradle = [
            ("settings.gradle.kts", "rootProject.name = \"orders\""),
            ("build.gradle.kts", "version = \"1.0\""),
            ("app/build.gradle.kts", "plugins { war }"),
            ("config/dev/a", ""),
            ("config/prod/a", ""),
        ];
        let found = project(&gradle).unwrap();
        assert_eq!((found.name.as_str(), found.war.as_str()), ("orders", "app/build/libs/*.war"));
        assert!(found.has_version && matches!(found.configuration, Some(Configuration::Environments(..))), "{found:?}");
        let error = project(&[maven[0], maven[1], ("shop/pom.xml", web)]).unwrap_err().to_string();
        assert!(error.ends_with("makes several web applications, in `shop`, `web`"), "{error}");
    }

    #[test]
    fn names_licences_as_spdx_does() {
        for (text, expected) in [
            ("The Apache Software License, Version 2.0", "Apache-2.0"),
            ("MIT License", "MIT"),
            ("Eclipse Public License v2.0", "EPL-2.0"),
            ("Ours", "Ours"),
        ] {
            assert_eq!(spdx(text), expected);
        }
    }
}
