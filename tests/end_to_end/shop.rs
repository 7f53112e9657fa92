//! A package with everything that rpm treats in ways of its own: scriptlets and triggers, configuration of each kind,
//! directories of another owner, a ghost, links, names that are not ASCII, weak and rich dependencies, environments.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Ran, pkg, run};

const SPEC: &str = r#"
name = "shop"
summary = "The shop"
license = "MIT"
version = "${VERSION}"
release = "1"
compression = "${COMPRESSION}"
target = "${TARGET}"
requires = ["/bin/sh", "(java-headless or jre-headless)"]
recommends = ["shop-docs"]
suggests = ["shop-themes"]
contents = [
    { type = "directory", destination = "/usr/share/shop" },
    { type = "file", source = "files/code", destination = "/usr/share/shop/" },
    { type = "symlink", target = "code", destination = "/usr/share/shop/current" },
    { type = "tree", source = "tree", destination = "/usr/share/shop/tree" },
    { type = "directory", destination = "/etc/shop.d" },
    { type = "config", source = "files/plain", destination = "/etc/shop.d/" },
    { type = "config", source = "files/kept", destination = "/etc/shop.d/", noreplace = true },
    { type = "config", source = "files/optional", destination = "/etc/shop.d/", noreplace = true, missingok = true },
    { type = "directory", destination = "/var/lib/shop", owner = "tomcat", group = "tomcat", mode = "0750" },
    { type = "ghost", destination = "/var/lib/shop/state", owner = "tomcat" },
    { type = "doc", source = "files/README" },
    { type = "license", source = "files/LICENSE" },
]

[environments.prod]
directory = "prod"
[environments.test]
directory = "test"

[scripts]
pre = "echo ${VERSION} pre $1 >>/var/log/shop"
post = "echo ${VERSION} post $1 >>/var/log/shop"
preun = "echo ${VERSION} preun $1 >>/var/log/shop"
postun = "echo ${VERSION} postun $1 >>/var/log/shop"
posttrans = "echo ${VERSION} posttrans $1 >>/var/log/shop"
[scripts.pretrans]
interpreter = "<lua>"
body = "local log = io.open('/var/log/shop', 'a'); log:write('${VERSION} pretrans ' .. arg[2] .. '\\n'); log:close()"

[[triggers]]
type = "triggerin"
watches = ["shop-docs"]
script = "echo ${VERSION} triggerin $1 $2 >>/var/log/shop"

[[triggers]]
type = "transfiletriggerin"
watches = ["/usr/share/shop-docs/"]
script = "while read file; do echo ${VERSION} transfiletriggerin $file >>/var/log/shop; done"

[[packages]]
name = "shop-docs"
summary = "Documentation of the shop"
contents = [{ type = "tree", source = "docs", destination = "/usr/share/shop-docs" }]
"#;

/// Builds a version's four packages; in every file stands the version alone.
#[track_caller]
pub(crate) fn build(directory: &Path, version: &str, options: &[(&str, &str)]) -> Vec<PathBuf> {
    let sources = directory.join(version);
    let only = format!("tree/only-{version}");
    for name in ["code", "plain", "kept", "optional", "README", "LICENSE"].map(|name| format!("files/{name}")) {
        write(&sources.join(name), version);
    }
    for name in ["tree/Größe und Maß", "prod/shop.properties", "test/shop.properties", "docs/index", &only] {
        write(&sources.join(name), version);
    }
    std::fs::write(sources.join("shop.toml"), SPEC).unwrap();
    let mut build = pkg(directory);
    build
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .env("VERSION", version)
        .env("COMPRESSION", "zstd")
        .env("TARGET", "el8");
    build.args(["build", &format!("{version}/shop.toml")]);
    for (option, value) in options {
        build.args([option, value]);
    }
    let built = run(&mut build);
    built.ok().lines().map(|path| directory.join(path)).collect()
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("{text}\n")).unwrap();
}

/// An OpenPGP key of a builder: `private.asc` and `public.asc` in the directory.
#[track_caller]
pub(crate) fn make_key(directory: &Path, algorithm: &str) {
    let home = tempfile::Builder::new().prefix("gpg").tempdir_in("/tmp").unwrap();
    let gpg = |arguments: &[&str]| -> Ran {
        let mut gpg = Command::new("gpg");
        gpg.arg("--homedir").arg(home.path()).args(["--batch", "--quiet", "--pinentry-mode", "loopback"]);
        run(gpg.args(["--passphrase", ""]).args(arguments).current_dir(directory))
    };
    gpg(&["--quick-generate-key", "Builder <builder@shop.example>", algorithm, "sign", "never"]).ok();
    gpg(&["--armor", "--yes", "--output", "public.asc", "--export"]).ok();
    gpg(&["--armor", "--yes", "--output", "private.asc", "--export-secret-keys"]).ok();
    run(Command::new("gpgconf").arg("--homedir").arg(home.path()).args(["--kill", "all"])).ok();
}
