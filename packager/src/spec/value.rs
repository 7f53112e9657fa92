//! The validation of single values that have no type of their own elsewhere.

use nevra::{ParseEvrError, ParseNameError};

use super::InstallPath;
use crate::lint::UnknownLint;

/// Says why a value does not hold; what it is the value of is said around it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Empty.
    #[error("is empty")]
    Empty,
    /// A text holds a control character (a description may hold line breaks and tabs).
    #[error("holds the control character {0:?}")]
    Control(char),
    /// No lint.
    #[error(transparent)]
    Lint(#[from] UnknownLint),
    /// No package name.
    #[error(transparent)]
    Name(#[from] ParseNameError),
    /// The version is a prerelease without the key `prerelease`.
    #[error("`{0}` is a prerelease already")]
    Prerelease(String),
    /// A key of `version` that its source does not have.
    #[error("is for {1} and not for this source of the version; leave `{0}` out")]
    NotOfSource(&'static str, &'static str),
    /// No version or no release.
    #[error(transparent)]
    Evr(#[from] ParseEvrError),
    /// The release does not begin with the build's number.
    #[error("the release `{0}` does not begin with the build's number, as in `57` or `57.gabc123`")]
    BuildNumber(String),
    /// No context path.
    #[error(
        "`{0}` is not a context path; allowed are `/` and paths such as `/shop` or `/shop/admin` of letters, digits \
         and `. _ ~ -`"
    )]
    Context(String),
    /// No requirement.
    #[error("`{0}` is not a requirement; allowed are `name` and `name >= [epoch:]version[-release]` with < <= = >= >")]
    Requirement(String),
    /// Nothing that can stand for a version in a dependency.
    #[error("`{0}` is not a version; allowed is `[epoch:]version[-release]`")]
    Version(String),
    /// No rich dependency.
    #[error(
        "`{0}` is not a rich dependency; allowed are `(a or b >= 2)`, with `and`, `or`, `with`, `without`, `if … else` \
         and `unless … else`, nested in parentheses"
    )]
    RichDependency(String),
    /// Nothing that a package can provide.
    #[error("`{0}` cannot be provided; allowed are `name` and `name = [epoch:]version[-release]`")]
    Provision(String),
    /// Not the beginning of a path.
    #[error("`{0}` is not the beginning of an absolute path, which is what file triggers watch")]
    PathPrefix(String),
    /// No path on the host.
    #[error(
        "`{0}` is not a path on the host; allowed are absolute paths without `.`, `..`, `//` and control characters"
    )]
    InstallPath(String),
    /// A key that contents of another type take.
    #[error("a content of type \"{kind}\" takes no `{key}`; it takes `{allowed}`")]
    KeyOfOtherType {
        /// The key.
        key: &'static str,
        /// The content's type.
        kind: &'static str,
        /// The keys that it takes.
        allowed: String,
    },
    /// A key that only configuration takes.
    #[error("`{0}` is for configuration: type \"config\", or role = \"config\"")]
    ConfigOnly(&'static str),
    /// No permissions.
    #[error("`{0}` is not a mode; allowed are octal digits from \"0000\" to \"7777\", such as \"0644\"")]
    Mode(String),
    /// No capabilities.
    #[error("`{0}` are no capabilities; allowed are such as `cap_net_bind_service=ep` or `cap_chown,cap_kill+ep`")]
    Capabilities(String),
    /// No pattern.
    #[error("`{0}` is not a pattern; allowed are `*`, `?`, `**`, `[abc]` and `{{a,b}}`, without a leading `/` or `..`")]
    Pattern(String),
    /// A pattern that has to fit one file fits none or several.
    #[error("`{0}` has to fit one file; it fits {1}")]
    NotOne(String, String),
    /// Something is said of a context descriptor, and there is none.
    #[error("is for a context descriptor of your own; name it as `tomcat.descriptor`")]
    NoDescriptor,
    /// No profile.
    #[error("`{0}` is not a profile; allowed are `tomcat` and `plain`")]
    Profile(String),
    /// The profile has no use for a table.
    #[error("the profile is `plain`, which has no use for the table `tomcat`")]
    PlainTomcat,
    /// No interpreter.
    #[error("`{0}` is not an interpreter; allowed are an absolute path, with arguments if need be, and `<lua>`")]
    Interpreter(String),
    /// A script must be given in one way.
    #[error("a script has either `body` or `file`")]
    ScriptSource,
    /// A script would be run by two interpreters.
    #[error("the package has a script of its own of this kind, for `/bin/sh`; allowed is no other interpreter")]
    ScriptInterpreter,
    /// Nothing to watch.
    #[error("a trigger watches at least one package, or for a file trigger the beginning of a path")]
    TriggerWatches,
    /// Only file triggers have an order.
    #[error("only file triggers have a priority")]
    TriggerPriority,
    /// No day.
    #[error("`{0}` is not a day from 1970 to 2105, such as \"2026-01-31\"")]
    Date(String),
    /// No unit of systemd.
    #[error("`{0}` is not a unit of systemd; allowed are names such as `shop.service` or `shop@.timer`")]
    Unit(String),
    /// No drop-in.
    #[error("`{0}` is not a drop-in of systemd: its name ends in `.conf`")]
    DropIn(String),
    /// No environment's name.
    #[error("`{0}` is not an environment; allowed are lower-case letters, digits and `-`, beginning with a letter")]
    Environment(String),
    /// The environment that is none.
    #[error("`none` is not an environment: its package stands for the choice that nobody made")]
    EnvironmentNone,
    /// No name of a variable.
    #[error("`{0}` is not a variable; allowed are letters, digits and `_`, not beginning with a digit")]
    Variable(String),
    /// A table that stands in the wrong place.
    #[error("one of `packages` has no `{0}` of its own")]
    Nested(&'static str),
    /// What cannot stand in sysusers.d(5) and passwd(5).
    #[error("`{0}` cannot stand in a list of users; allowed is neither any of `\" : % \\` nor, in a path, a blank")]
    UserField(String),
    /// No name of an account or of a service.
    #[error("`{0}` is not a {1}; allowed are letters, digits, `_` and `-`, beginning with a letter or `_`")]
    Account(String, &'static str),
    /// The configuration would be mixed with Tomcat's own.
    #[error("`{0}` is also the package's name, so that its configuration would lie in Tomcat's own `/etc/{0}`")]
    InstanceIsPackage(String),
    /// No payload compression that is supported.
    #[error(
        "`{0}` is not a compression; allowed are `zstd`, `gzip`, `xz`, each also with a level as in `zstd:19`, and `none`"
    )]
    Compression(String),
    /// No target that is known.
    #[error("`{0}` is not a target; allowed are `el7`, `el8`, `el9` and `el10`")]
    Target(String),
}

/// Checks a text of one line.
pub(super) fn line(text: &str) -> Result<String, ValueError> {
    match text.chars().find(|c| c.is_control()) {
        Some(control) => Err(ValueError::Control(control)),
        None => Ok(text.trim().to_owned()),
    }
}

/// Checks a text of several lines and takes the line breaks off its ends.
pub(super) fn paragraphs(text: &str) -> Result<String, ValueError> {
    match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        Some(control) => Err(ValueError::Control(control)),
        None => Ok(text.trim().to_owned()),
    }
}

/// Checks the name of a user's group or of a service; `what` says which.
pub(super) fn account(text: &str, what: &'static str) -> Result<String, ValueError> {
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if begins_well && text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)) {
        Ok(text.to_owned())
    } else {
        Err(ValueError::Account(text.to_owned(), what))
    }
}

/// Reads permissions in octal.
pub(super) fn mode(text: &str) -> Result<u16, ValueError> {
    let is_octal = (3..=5).contains(&text.len()) && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let mode = u16::from_str_radix(text, 8).ok().filter(|mode| is_octal && *mode <= 0o7777);
    mode.ok_or_else(|| ValueError::Mode(text.to_owned()))
}

/// The capabilities that there are, without `cap_` (`capabilities(7)`, Linux 6.12). An rpm that does not know one stops in
/// the middle of an installation.
const CAPABILITIES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// Checks capabilities: clauses of names, an operator and flags (`cap_from_text(3)`).
pub(super) fn capabilities(text: &str) -> Result<String, ValueError> {
    let is_name = |name: &str| name.strip_prefix("cap_").is_some_and(|name| CAPABILITIES.contains(&name));
    let is_clause = |clause: &str| match clause.split_once(['=', '+', '-']) {
        Some((names, flags)) => names.split(',').all(is_name) && flags.chars().all(|c| "eip".contains(c)),
        None => false,
    };
    if !text.is_empty() && text.split(' ').all(is_clause) {
        Ok(text.to_owned())
    } else {
        Err(ValueError::Capabilities(text.to_owned()))
    }
}

/// Reads an interpreter with its arguments.
pub(super) fn interpreter(text: &str) -> Result<Vec<String>, ValueError> {
    let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    match words.first() {
        Some(program) if program.starts_with('/') || (words.len() == 1 && program == "<lua>") => Ok(words),
        _ => Err(ValueError::Interpreter(text.to_owned())),
    }
}

/// Reads a day and gives its noon in UTC, as rpmbuild does of a changelog's.
pub(super) fn noon(text: &str) -> Result<u64, ValueError> {
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let noon = day.and_then(|day| day.and_hms_opt(12, 0, 0)).map(|time| time.and_utc().timestamp());
    let seconds = noon.and_then(|seconds| u32::try_from(seconds).ok());
    seconds.map(u64::from).ok_or_else(|| ValueError::Date(text.to_owned()))
}

/// Checks the name of a unit of systemd (`systemd.unit(5)`).
pub(super) fn unit(text: &str) -> Result<String, ValueError> {
    let known = ["service", "socket", "timer", "path", "target", "mount", "automount", "slice", "swap"];
    let fits = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    match text.rsplit_once('.') {
        Some((name, kind)) if !name.is_empty() && known.contains(&kind) && name.chars().all(fits) => {
            Ok(text.to_owned())
        }
        _ => Err(ValueError::Unit(text.to_owned())),
    }
}

/// Checks the name of a drop-in of systemd.
pub(super) fn drop_in(text: &str) -> Result<String, ValueError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ":-_.@".contains(c);
    if text.strip_suffix(".conf").is_some_and(|name| !name.is_empty() && name.chars().all(fits)) {
        Ok(text.to_owned())
    } else {
        Err(ValueError::DropIn(text.to_owned()))
    }
}

/// Checks an environment's name, which becomes part of a package's.
pub(super) fn environment(text: &str) -> Result<String, ValueError> {
    let begins_well = text.starts_with(|c: char| c.is_ascii_lowercase());
    if begins_well && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        Ok(text.to_owned())
    } else {
        Err(ValueError::Environment(text.to_owned()))
    }
}

/// Checks what a user's comment says: it stands in quotes in sysusers.d(5), and between colons in passwd(5).
pub(super) fn user_comment(text: &str) -> Result<String, ValueError> {
    let text = line(text)?;
    if text.contains(['"', ':', '%', '\\']) { Err(ValueError::UserField(text)) } else { Ok(text) }
}

/// Checks the path of a user's home directory or shell.
pub(super) fn user_path(text: &str) -> Result<InstallPath, ValueError> {
    let path = user_comment(text)?;
    if path.contains(char::is_whitespace) { Err(ValueError::UserField(path)) } else { path.parse() }
}

/// Reads the number that a release begins with.
pub(super) fn build_number(release: &str) -> Result<u64, ValueError> {
    let digits = release.find(|c: char| !c.is_ascii_digit()).map_or(release, |end| &release[..end]);
    digits.parse().map_err(|_| ValueError::BuildNumber(release.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_numbers() {
        for (release, number) in [("57", 57), ("57.gabc", 57), ("0.rc1", 0), ("20260101123456", 20_260_101_123_456)] {
            assert_eq!(build_number(release).unwrap(), number);
        }
        for bad in ["", "rc1", ".5", "99999999999999999999999"] {
            assert!(build_number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn modes_and_capabilities() {
        for (text, expected) in [("0644", 0o644), ("755", 0o755), ("04755", 0o4755), ("0000", 0)] {
            assert_eq!(mode(text), Ok(expected));
        }
        for bad in ["", "644x", "0o644", "0888", "-644", "+644", "17777", "000644"] {
            assert!(mode(bad).is_err(), "{bad}");
        }
        for good in ["cap_net_bind_service=ep", "cap_chown,cap_kill+ep", "cap_kill=ep cap_chown-i"] {
            assert!(capabilities(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "net=ep",
            "cap_kill",
            "cap_kill=x",
            "cap_kill=ep;rm",
            "cap_kil=ep",
            "cap_=ep",
            "cap_kill=ep  cap_kill=e",
        ] {
            assert!(capabilities(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names() {
        assert!(interpreter("/usr/bin/python3 -u").is_ok_and(|words| words.len() == 2));
        assert!(interpreter("<lua>").is_ok() && interpreter("<lua> x").is_err() && interpreter("python3").is_err());
        assert_eq!(noon("1970-01-02"), Ok(86_400 + 43_200));
        assert!(noon("2026-02-30").is_err() && noon("1969-12-31").is_err() && noon("31.1.2026").is_err());
        assert!(unit("shop@.service").is_ok() && unit("shop").is_err() && unit("../a.service").is_err());
        assert!(drop_in("10-shop.conf").is_ok() && drop_in(".conf").is_err() && drop_in("a/b.conf").is_err());
        assert!(user_comment("The shop's").is_ok() && user_comment("a:b").is_err() && user_comment("a\"").is_err());
        assert!(user_path("/var/lib/shop").is_ok() && user_path("/a b").is_err() && user_path("a").is_err());
        assert!(environment("qa-2").is_ok() && environment("Prod").is_err() && environment("").is_err());
    }

    #[test]
    fn texts() {
        assert_eq!(line(" a "), Ok("a".to_owned()));
        assert_eq!(line("a\nb"), Err(ValueError::Control('\n')));
        assert_eq!(paragraphs("a\n\n\tb\n"), Ok("a\n\n\tb".to_owned()));
        assert_eq!(paragraphs("a\0"), Err(ValueError::Control('\0')));
        assert!(account("tomcat10", "group").is_ok());
        for bad in ["", "10", "a/b", "..", "a b"] {
            assert!(account(bad, "group").is_err(), "{bad}");
        }
    }
}
