//! Input that does not hold: what is wrong and where is said, and no file is left.

use std::os::unix::fs::symlink;

use crate::specs::Project;
use crate::workshop::run;

/// Gives what is said of a spec, with `name = 'shop'` before it on line 5.
fn refused(project: &Project, spec: &str) -> String {
    let error = project.try_build(&format!("name = 'shop'\n{spec}"), &[("EMPTY", "")]).unwrap_err();
    assert!(!project.path("out").exists(), "{spec}");
    error
}

#[test]
fn specs() {
    let project = Project::new(&[("a", "a"), ("b", "b"), ("script", "echo ${NOPE}\n"), ("config/x", "")]);
    let file = "[[contents]]\ntype='file'\nsource='a'\n";
    for (spec, expected) in [
        ("x = ", "DIR/shop.toml:6: "),
        ("[contents]", "DIR/shop.toml:6: "),
        ("verison = '1'", "DIR/shop.toml:6: unknown key `verison`; did you mean `version`?"),
        ("[[contents]]\ntype='fil'", "DIR/shop.toml:7: unknown variant `fil`"),
        (
            &format!("{file}destination='/opt/../etc/x'"),
            "DIR/shop.toml:9: `contents.destination`: `/opt/../etc/x` is not",
        ),
        (&format!("{file}destination='etc/x'"), "DIR/shop.toml:9: `contents.destination`: `etc/x` is not a path"),
        (&format!("{file}destination=\"/a\\nb\""), "DIR/shop.toml:9: `contents.destination`: `/a\nb` is not a path"),
        (
            &format!("{file}destination='/${{NOPE}}'"),
            "DIR/shop.toml:9: `contents.destination`: the variable `NOPE` is not",
        ),
        (
            &format!("{file}destination='/${{EMPTY}}'"),
            "DIR/shop.toml:9: `contents.destination`: the variable `EMPTY` is",
        ),
        ("[scripts]\npost='''\na\nb ${NOPE}'''", "DIR/shop.toml:9: `scripts.post`: the variable `NOPE` is not defined"),
        ("[scripts]\npost={file='none'}", "DIR/shop.toml:7: `scripts.post`: could not read the file: "),
        ("[scripts]\npost={file='script', expand=true}", "DIR/script:1: `scripts.post`: the variable `NOPE` is not"),
        ("[scripts]\npost={file='script', body='x'}", "DIR/shop.toml:7: `scripts.post`: a script has either `body` or"),
        ("[scripts]\npost={body='x', interpreter='sh'}", "DIR/shop.toml:7: `scripts.post`: `sh` is not an interpreter"),
        ("[scripts]\npost=' '", "DIR/shop.toml:7: `scripts.post`: is empty"),
        ("requires=['a >> 1']", "DIR/shop.toml:6: `requires`: `a >> 1` is not a requirement"),
        ("requires=['(a or)']", "DIR/shop.toml:6: `requires`: `(a or)` is not a rich dependency"),
        ("provides=['a > 1']", "DIR/shop.toml:6: `provides`: `a > 1` cannot be provided"),
        ("arch='x 86'", "DIR/shop.toml:6: `arch`: `x 86` is not an architecture"),
        ("epoch=-1", "DIR/shop.toml:6: "),
        ("target='el6'", "DIR/shop.toml:6: `target`: `el6` is not a target"),
        ("compression='lzma'", "DIR/shop.toml:6: `compression`: `lzma` is not a compression"),
        ("profile='jetty'", "DIR/shop.toml:6: `profile`: `jetty` is not a profile"),
        ("profile='tomcat'", "DIR/shop.toml: the key `tomcat.war` is missing"),
        ("profile='plain'\n[tomcat]\nwar='a'", "DIR/shop.toml:6: `profile`: the profile is `plain`"),
        (
            "[tomcat]\nwar='a'\nreplace_descriptor=true",
            "DIR/shop.toml:8: `tomcat.replace_descriptor`: is for a context descriptor of your own; name it as",
        ),
        (
            "[tomcat]\nwar='a'\ndescriptor='script'\nexpand_descriptor=true",
            "DIR/script:1: `tomcat.descriptor`: the variable `NOPE` is not",
        ),
        ("[environments.Prod]\ndirectory='config'", "DIR/shop.toml:6: `environments`: `Prod` is not an environment"),
        ("[environments.dev]\nexpand=true", "DIR/shop.toml:6: the key `environments.directory` is missing"),
        ("[[triggers]]\ntype='triggerin'\nscript='x'", "DIR/shop.toml:6: `triggers`: a trigger watches at least one"),
        (
            "[[triggers]]\ntype='filetriggerin'\nscript='x'\nwatches=['a']",
            "DIR/shop.toml:9: `triggers.watches`: `a` is not the beginning of an absolute path",
        ),
        (
            "[[changelog]]\ndate='1.2.2026'\nauthor='a'\nchanges=['x']",
            "DIR/shop.toml:7: `changelog.date`: `1.2.2026` is not a day",
        ),
        ("[[users]]\nname='a b'", "DIR/shop.toml:7: `users.name`: `a b` is not a user"),
        ("[[systemd]]\nsource='a'", "DIR/shop.toml:7: `systemd.source`: `a` is not a unit of systemd"),
        ("[[packages]]\nname='shop'\nsummary='x'", "DIR/shop.toml:6: another package of this spec is named `shop`"),
        ("[[packages]]\nname='x'", "DIR/shop.toml:6: the key `summary` is missing"),
        ("[[packages]]\nname='x'\n[[packages.packages]]", "DIR/shop.toml:6: `packages`: one of `packages` has no"),
        ("", "DIR/shop.toml: the package `shop` has no contents"),
    ] {
        let error = refused(&project, spec);
        assert!(error.starts_with(expected), "{spec}\n{error}");
    }
}

#[test]
fn contents() {
    let project = Project::new(&[
        ("a", "a"),
        ("plain", "a ${X}\n${NOPE}\n"),
        ("tree/ok", ""),
        ("odd/a\nb", ""),
        ("config/a", ""),
        ("no.tar.gz", "no archive"),
        ("no.war", "no zip"),
    ]);
    symlink("nowhere", project.path("broken")).unwrap();
    symlink("/etc/passwd", project.path("config/link")).unwrap();
    run("mkfifo", &[project.path("pipe").to_str().unwrap()]);
    std::fs::write(project.path("binary"), [0xff, 0xfe]).unwrap();
    let content = |kind: &str, rest: &str| format!("[[contents]]\ntype='{kind}'\ndestination='/opt/x'\n{rest}");
    for (spec, expected) in [
        (content("file", "source='none'"), "DIR/shop.toml:6: there is nothing at `DIR/none`"),
        (content("file", "source='broken'"), "DIR/shop.toml:6: there is nothing at `DIR/broken`"),
        (content("file", "source='tree'"), "DIR/shop.toml:6: `DIR/tree` is not a file"),
        (content("file", "source='pipe'"), "DIR/shop.toml:6: `DIR/pipe` is not a file"),
        (
            content("file", "source='plain'\nexpand=true"),
            "DIR/shop.toml:6: DIR/plain:1: the variable `X` is not defined",
        ),
        (
            content("file", "source='binary'\nexpand=true"),
            "DIR/shop.toml:6: could not read the contents: `DIR/binary` is",
        ),
        (content("tree", "source='none'"), "DIR/shop.toml:6: there is nothing at `DIR/none`"),
        (content("tree", "source='a'"), "DIR/shop.toml:6: `DIR/a` is not a directory"),
        (content("tree", "source='odd'"), "DIR/shop.toml:6: \"DIR/odd/a\\nb\" has a name that is not UTF-8 or holds"),
        (content("glob", "source='*.none'"), "DIR/shop.toml:6: nothing matches `DIR/*.none`"),
        (content("archive", "source='none.zip'"), "DIR/shop.toml:6: there is nothing at `DIR/none.zip`"),
        (content("archive", "source='a'"), "DIR/shop.toml:6: `DIR/a` is not an archive; allowed are .tar"),
        (content("archive", "source='no.tar.gz'"), "DIR/shop.toml:6: could not unpack `DIR/no.tar.gz`: "),
        (content("war", "source='no.war'"), "DIR/shop.toml:6: the WAR `DIR/no.war` is not a zip archive"),
        ("[tomcat]\nwar='none.war'".to_owned(), "DIR/shop.toml:7: there is no WAR at `DIR/none.war`"),
        (
            "[tomcat]\nwar='*.wra'".to_owned(),
            "DIR/shop.toml:7: `tomcat.war`: `*.wra` has to fit one file; it fits none",
        ),
        ("[configuration]\ndirectory='none'".to_owned(), "DIR/shop.toml:7: there is nothing at `DIR/none`"),
        ("[configuration]\ndirectory='config'".to_owned(), "DIR/shop.toml:7: `DIR/config/link` is neither a file nor"),
        (
            format!("{}\n{}", content("file", "source='a'"), content("file", "source='plain'")),
            "DIR/shop.toml:10: `/opt/x` is also installed by DIR/shop.toml:6",
        ),
        (
            format!(
                "{}\n{}",
                content("symlink", "target='/etc'"),
                content("file", "source='a'").replace("opt/x", "opt/x/y")
            ),
            "DIR/shop.toml:10: `/opt/x/y` would lie below `/opt/x`, which is no directory",
        ),
    ] {
        let error = refused(&project, &spec);
        assert!(error.starts_with(expected), "{spec}\n{error}");
    }
}
