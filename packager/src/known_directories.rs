//! Directories that every host has, and those of packages that many others put files into.

/// Those of the package `filesystem` of RHEL 7 to 10 and Fedora, and of Debian's `base-files`.
const SYSTEM: &[&str] = &[
    "/",
    "/afs",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/var",
    "/etc/X11",
    "/etc/X11/applnk",
    "/etc/X11/fontpath.d",
    "/etc/X11/xinit",
    "/etc/X11/xinit/xinitrc.d",
    "/etc/bash_completion.d",
    "/etc/default",
    "/etc/keys",
    "/etc/keys/ima",
    "/etc/opt",
    "/etc/pki",
    "/etc/pm",
    "/etc/pm/config.d",
    "/etc/pm/power.d",
    "/etc/pm/sleep.d",
    "/etc/profile.d",
    "/etc/skel",
    "/etc/sysconfig",
    "/etc/xdg",
    "/etc/xdg/autostart",
    "/run/lock",
    "/usr/bin",
    "/usr/games",
    "/usr/include",
    "/usr/lib",
    "/usr/lib/X11",
    "/usr/lib/debug",
    "/usr/lib/games",
    "/usr/lib/gcc",
    "/usr/lib/locale",
    "/usr/lib/modules",
    "/usr/lib/sysimage",
    "/usr/lib/sse2",
    "/usr/lib64",
    "/usr/lib64/X11",
    "/usr/lib64/games",
    "/usr/lib64/pm-utils",
    "/usr/lib64/sse2",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/etc",
    "/usr/local/games",
    "/usr/local/include",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/local/libexec",
    "/usr/local/sbin",
    "/usr/local/share",
    "/usr/local/src",
    "/usr/sbin",
    "/usr/share",
    "/usr/share/X11",
    "/usr/share/aclocal",
    "/usr/share/appdata",
    "/usr/share/applications",
    "/usr/share/augeas",
    "/usr/share/augeas/lenses",
    "/usr/share/backgrounds",
    "/usr/share/bash-completion",
    "/usr/share/bash-completion/completions",
    "/usr/share/desktop-directories",
    "/usr/share/dict",
    "/usr/share/doc",
    "/usr/share/empty",
    "/usr/share/fish",
    "/usr/share/fish/vendor_completions.d",
    "/usr/share/fonts",
    "/usr/share/games",
    "/usr/share/gnome",
    "/usr/share/help",
    "/usr/share/icons",
    "/usr/share/idl",
    "/usr/share/info",
    "/usr/share/licenses",
    "/usr/share/locale",
    "/usr/share/man",
    "/usr/share/man/man1",
    "/usr/share/man/man2",
    "/usr/share/man/man3",
    "/usr/share/man/man4",
    "/usr/share/man/man5",
    "/usr/share/man/man6",
    "/usr/share/man/man7",
    "/usr/share/man/man8",
    "/usr/share/man/man9",
    "/usr/share/metainfo",
    "/usr/share/mime-info",
    "/usr/share/misc",
    "/usr/share/omf",
    "/usr/share/pixmaps",
    "/usr/share/sounds",
    "/usr/share/themes",
    "/usr/share/xsessions",
    "/usr/share/wayland-sessions",
    "/usr/share/zsh",
    "/usr/share/zsh/site-functions",
    "/usr/src",
    "/usr/src/debug",
    "/usr/src/kernels",
    "/usr/tmp",
    "/var/adm",
    "/var/backups",
    "/var/cache",
    "/var/db",
    "/var/empty",
    "/var/ftp",
    "/var/games",
    "/var/gopher",
    "/var/kerberos",
    "/var/kerberos/krb5",
    "/var/lib",
    "/var/lib/games",
    "/var/lib/misc",
    "/var/local",
    "/var/lock",
    "/var/log",
    "/var/mail",
    "/var/nis",
    "/var/opt",
    "/var/preserve",
    "/var/run",
    "/var/spool",
    "/var/spool/lpd",
    "/var/spool/mail",
    "/var/tmp",
    "/var/yp",
];

/// Directories of one package that many others put files into.
const SHARED: &[&str] = &[
    "/etc/alternatives",
    "/etc/cron.d",
    "/etc/cron.daily",
    "/etc/cron.hourly",
    "/etc/cron.monthly",
    "/etc/cron.weekly",
    "/etc/httpd",
    "/etc/httpd/conf.d",
    "/etc/init.d",
    "/etc/ld.so.conf.d",
    "/etc/logrotate.d",
    "/etc/modprobe.d",
    "/etc/nginx",
    "/etc/nginx/conf.d",
    "/etc/nginx/default.d",
    "/etc/pam.d",
    "/etc/pki/ca-trust",
    "/etc/pki/ca-trust/source",
    "/etc/pki/ca-trust/source/anchors",
    "/etc/pki/java",
    "/etc/pki/rpm-gpg",
    "/etc/pki/tls",
    "/etc/pki/tls/certs",
    "/etc/pki/tls/private",
    "/etc/rsyslog.d",
    "/etc/security",
    "/etc/security/limits.d",
    "/etc/ssl",
    "/etc/ssl/certs",
    "/etc/ssl/private",
    "/etc/sudoers.d",
    "/etc/sysctl.d",
    "/etc/systemd",
    "/etc/systemd/system",
    "/etc/tmpfiles.d",
    "/etc/yum",
    "/etc/yum.repos.d",
    "/etc/dnf",
    "/etc/zypp",
    "/etc/zypp/repos.d",
    "/usr/lib/binfmt.d",
    "/usr/lib/firewalld",
    "/usr/lib/firewalld/services",
    "/usr/lib/modprobe.d",
    "/usr/lib/modules-load.d",
    "/usr/lib/jvm",
    "/usr/lib/jvm-common",
    "/usr/lib/rpm",
    "/usr/lib/rpm/macros.d",
    "/usr/lib/sysctl.d",
    "/usr/lib/systemd",
    "/usr/lib/systemd/system",
    "/usr/lib/systemd/system-preset",
    "/usr/lib/systemd/user",
    "/usr/lib/sysusers.d",
    "/usr/lib/tmpfiles.d",
    "/usr/lib/udev",
    "/usr/lib/udev/rules.d",
    "/usr/share/dbus-1",
    "/usr/share/dbus-1/interfaces",
    "/usr/share/dbus-1/services",
    "/usr/share/dbus-1/system-services",
    "/usr/share/dbus-1/system.d",
    "/usr/share/icons/hicolor",
    "/usr/share/java",
    "/usr/share/javadoc",
    "/usr/share/maven-metadata",
    "/usr/share/maven-poms",
    "/usr/share/polkit-1",
    "/usr/share/polkit-1/actions",
    "/usr/share/polkit-1/rules.d",
    "/var/www",
    "/var/www/html",
    "/var/spool/cron",
];

/// Directories of which the same packages own also all directories below.
const FORESTS: &[&str] = &["/usr/share/icons/hicolor/", "/usr/share/locale/", "/usr/share/man/"];

/// Where files of packages don't belong.
const LOCAL: &[&str] = &[
    "/dev",
    "/home",
    "/media",
    "/mnt",
    "/proc",
    "/root",
    "/run",
    "/sys",
    "/tmp",
    "/usr/local",
    "/usr/tmp",
    "/var/lock",
    "/var/run",
    "/var/tmp",
];

/// The folders of a Tomcat below its own `/etc/<instance>`, `/usr/share/<instance>` and `/var/lib/<instance>`.
const TOMCAT: &[&str] = &[
    "/etc/*/Catalina",
    "/etc/*/Catalina/localhost",
    "/etc/tomcat*",
    "/etc/tomcat*/conf.d",
    "/etc/tomcat*/policy.d",
    "/usr/share/tomcat*",
    "/usr/share/tomcat*/bin",
    "/usr/share/tomcat*/lib",
    "/var/cache/tomcat*",
    "/var/lib/tomcat*",
    "/var/lib/tomcat*/lib",
    "/var/lib/tomcat*/webapps",
    "/var/lib/tomcats",
    "/var/log/tomcat*",
];

/// Whether the path is a directory that belongs to the system itself, or one that many packages share.
pub(crate) fn is_system(path: &str) -> bool {
    SYSTEM.contains(&path) || SHARED.contains(&path)
}

/// Whether the path is below a directory where packages have no business.
pub(crate) fn is_local(path: &str) -> bool {
    LOCAL.iter().any(|local| path.strip_prefix(local).is_some_and(|rest| rest.starts_with('/')))
}

/// Whether some package that is known owns the directory.
pub(crate) fn is_known(path: &str) -> bool {
    is_system(path)
        || FORESTS.iter().any(|forest| path.starts_with(forest))
        || TOMCAT.iter().any(|pattern| matches(pattern, path))
        || is_instance(path)
}

/// `/etc/<instance>`, which a Tomcat of any name has.
fn is_instance(path: &str) -> bool {
    path.strip_prefix("/etc/").is_some_and(|name| name.contains("tomcat") && !name.contains('/'))
}

/// `*` stands for anything but a `/`.
fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) => {
                let fits = match pattern.strip_suffix('*') {
                    Some(beginning) => part.starts_with(beginning),
                    None => part == pattern,
                };
                if !fits {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_directories() {
        for (path, system, local, known) in [
            ("/usr/share", true, false, true),
            ("/usr/lib/systemd/system", true, false, true),
            ("/usr/lib/systemd/system/tomcat.service.d", false, false, false),
            ("/etc/tomcat10/Catalina/localhost", false, false, true),
            ("/etc/own-tomcat", false, false, true),
            ("/etc/front/Catalina/localhost", false, false, true),
            ("/etc/shop", false, false, false),
            ("/usr/share/locale/de/LC_MESSAGES", false, false, true),
            ("/usr/local/shop", false, true, false),
            ("/usr/localize", false, false, false),
            ("/run/shop", false, true, false),
            ("/var/lib/tomcat/webapps", false, false, true),
            ("/var/lib/tomcat/webapps/shop", false, false, false),
        ] {
            assert_eq!((is_system(path), is_local(path), is_known(path)), (system, local, known), "{path}");
        }
    }
}
