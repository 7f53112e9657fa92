//! The checks by name: how grave each is, why it is there, and what mends its findings.

use std::fmt;
use std::str::FromStr;

/// What becomes of a package with a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is built, with a warning.
    Warn,
    /// It is not built.
    Deny,
}

/// Says that a check is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a lint; allowed are {list}", list = Lint::ALL.map(|lint| format!("`{lint}`")).join(", "))]
pub struct UnknownLint(String);

/// What is said of a check.
struct Row {
    name: &'static str,
    level: Level,
    reason: &'static str,
    mend: &'static str,
}

macro_rules! lints {
    ($($lint:ident = $name:literal, $level:ident, $reason:literal, $mend:literal;)*) => {
        /// One check.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Lint {
            $(#[doc = concat!("`", $name, "`: ", $reason, ".")] $lint,)*
        }

        impl Lint {
            /// All checks.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$lint),*];

            fn row(self) -> Row {
                match self {
                    $(Self::$lint => Row { name: $name, level: Level::$level, reason: $reason, mend: $mend },)*
                }
            }
        }
    };
}

lints! {
    SystemDirectory = "system-directory", Deny,
        "the directory belongs to the system, whose owner and mode for it the package would contend with",
        "leave the directory out and keep the files in it";
    LocalDirectory = "local-directory", Warn,
        "packages have no business there: it is the administrator's, or emptied at boot, or not always mounted",
        "install below `/usr`, `/etc`, `/var/lib`, `/opt` or `/srv`; let tmpfiles.d make what is below `/run`";
    UnownedDirectory = "unowned-directory", Warn,
        "no package owns the directory: it would get any mode at all, and stay when the package is erased",
        "add the directory to the package, or require the package that owns it";
    UnmarkedConfiguration = "unmarked-configuration", Warn,
        "a file in `/etc` that is not marked as configuration loses its edits at the next upgrade",
        "mark it as configuration, noreplace as a rule";
    SymlinkOut = "symlink-out", Warn,
        "the link leads out of the package: it dangles where the target is missing, and in a container or chroot it \
         leads elsewhere",
        "make it relative, own its target, or require the package that does";
    WorldWritable = "world-writable", Deny,
        "every account of the host could change it",
        "take the write permission of others away; of a directory for all to write in, set the sticky bit";
    ServiceOwnedCode = "service-owned-code", Deny,
        "whoever takes the service over could change the code that it runs",
        "let root own code and its directory, and nobody else write there";
    PrivateKey = "private-key", Deny,
        "everyone who can read the repository could read the key",
        "bring the key to the host another way, and keep its path in the configuration";
    Password = "password", Deny,
        "everyone who can read the repository could read the secret",
        "keep it in a file of the host alone, or in its environment, and refer to it as `${…}`";
    ServiceRestart = "service-restart", Warn,
        "the service would go down whenever the package is installed, behind the back of the balancer and of \
         whoever deploys",
        "leave restarting to the deployment";
    UpgradeBlindScriptlet = "upgrade-blind-scriptlet", Warn,
        "it undoes things and does not look at `$1`: at an upgrade it runs after the new version was installed",
        "do it only where `$1` is 0, that is when the package is erased";
    EmptyDescription = "empty-description", Warn,
        "the description says no more than the summary",
        "say in a sentence or two what the application does and whose it is";
    MissingRpmlib = "missing-rpmlib", Deny,
        "an rpm that lacks the feature would begin to install the package and fail halfway",
        "require the feature, as rpmbuild and pkg do";
    ContextDescriptorIgnored = "context-descriptor-ignored", Warn,
        "Tomcat does not read the WAR's `META-INF/context.xml`: the package's descriptor takes its place",
        "move what it sets to the package's descriptor or configuration, and take it out of the WAR";
    FixedPageTimes = "fixed-page-times", Warn,
        "its JSP pages have the same time in every build, so that Tomcat may go on serving the pages of the build \
         before, compiled",
        "give the WAR's entries the commit's time, or compile the pages at build time";
    FixedFileTimes = "fixed-file-times", Warn,
        "its static files have the same time in every build, and Tomcat tells versions of a file apart by size and time: \
         a browser that holds one of the same length would be told that it is not modified",
        "give the WAR's entries the commit's time (with Maven, `-Dproject.build.outputTimestamp=$(git log -1 \
         --format=%cI)`), or package the exploded directory, which pkg packs with the build's";
    DocBaseElsewhere = "doc-base-elsewhere", Deny,
        "the descriptor's `docBase` is none of the package's files: Tomcat would serve something else, or nothing",
        "name the package's WAR, `/usr/share/<name>/<name>.war`";
    DirectoryBecomesOther = "directory-becomes-other", Deny,
        "rpm refuses to replace a directory by anything else, and a link to a directory by a directory",
        "use another path, or remove the old one in a `%pretrans` scriptlet in Lua";
    DroppedConfiguration = "dropped-configuration", Warn,
        "the file goes, an edited one to `.rpmsave`; a rollback brings back the one of the package without the \
         edits",
        "keep the file for one version more, as configuration that nobody reads";
}

impl Lint {
    /// Its name, as specs and flags have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What its findings lead to unless a spec or a flag says otherwise.
    #[must_use]
    pub fn level(self) -> Level {
        self.row().level
    }

    /// Why it is wrong.
    #[must_use]
    pub fn reason(self) -> &'static str {
        self.row().reason
    }

    /// What to do about it.
    #[must_use]
    pub fn mend(self) -> &'static str {
        self.row().mend
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Lint {
    type Err = UnknownLint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|lint| lint.name() == text).ok_or_else(|| UnknownLint(text.to_owned()))
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Warn => "warn",
            Self::Deny => "deny",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_kebab_case_and_each_its_own() {
        let names: BTreeSet<&str> = Lint::ALL.iter().map(|lint| lint.name()).collect();
        assert_eq!(names.len(), Lint::ALL.len());
        for lint in Lint::ALL {
            assert!(lint.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{lint}");
            assert_eq!(lint.name().parse(), Ok(lint));
        }
    }

    #[test]
    fn unknown_names_list_the_known() {
        let error = "sytem-directory".parse::<Lint>().unwrap_err().to_string();
        assert!(error.starts_with("`sytem-directory` is not a lint; allowed are `system-directory`, "), "{error}");
    }
}
