//! Scriptlets and triggers: the scripts that rpm runs around a transaction.

use rpm_header::Dependency;

/// One scriptlet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scriptlet {
    /// When it is run.
    pub kind: ScriptletKind,
    /// The interpreter with its arguments, such as `["/bin/sh"]`, or `["<lua>"]` for rpm's own.
    pub interpreter: Vec<String>,
    /// The script.
    pub body: String,
}

/// When a scriptlet is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ScriptletKind {
    /// `%pretrans`
    PreTransaction,
    /// `%pre`
    PreInstall,
    /// `%post`
    PostInstall,
    /// `%preun`
    PreUninstall,
    /// `%postun`
    PostUninstall,
    /// `%posttrans`
    PostTransaction,
    /// `%verifyscript`
    Verify,
}

/// One trigger: a script that is run when other packages, or files, come or go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// What sets it off.
    pub kind: TriggerKind,
    /// The packages (with versions), or the path prefixes, that it watches.
    pub watches: Vec<Dependency>,
    /// The interpreter with its arguments.
    pub interpreter: Vec<String>,
    /// The script.
    pub body: String,
    /// Of file triggers: a higher one runs earlier; rpm's default is 1,000,000.
    pub priority: Option<u32>,
}

/// What sets a trigger off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TriggerKind {
    /// `%triggerprein`
    PreInstall,
    /// `%triggerin`
    Install,
    /// `%triggerun`
    Uninstall,
    /// `%triggerpostun`
    PostUninstall,
    /// `%filetriggerin`
    FileInstall,
    /// `%filetriggerun`
    FileUninstall,
    /// `%filetriggerpostun`
    FilePostUninstall,
    /// `%transfiletriggerin`
    TransactionFileInstall,
    /// `%transfiletriggerun`
    TransactionFileUninstall,
    /// `%transfiletriggerpostun`
    TransactionFilePostUninstall,
}

impl Scriptlet {
    /// Makes one for `/bin/sh`.
    #[must_use]
    pub fn shell(kind: ScriptletKind, body: String) -> Self {
        Self { kind, interpreter: vec!["/bin/sh".to_owned()], body }
    }
}

impl ScriptletKind {
    /// Its name in a .spec file, such as `%post`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PreTransaction => "%pretrans",
            Self::PreInstall => "%pre",
            Self::PostInstall => "%post",
            Self::PreUninstall => "%preun",
            Self::PostUninstall => "%postun",
            Self::PostTransaction => "%posttrans",
            Self::Verify => "%verifyscript",
        }
    }
}

impl TriggerKind {
    /// Whether it watches files rather than packages.
    #[must_use]
    pub fn is_of_files(self) -> bool {
        self >= Self::FileInstall
    }
}
