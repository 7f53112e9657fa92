//! A project from nothing to a package: `pkg init`, the schema for editors, variables from files, environments.

use std::path::Path;

use crate::program::{pkg, repository_file, run};

/// A Maven project with a WAR and configuration for two environments.
fn project(directory: &Path) {
    let write = |name: &str, text: &str| {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let pom = "<project><artifactId>petclinic</artifactId><version>1.4.0</version><name>Pet Clinic</name></project>";
    write("pom.xml", pom);
    write("config/dev/app.properties", "url=${URL}\n");
    write("config/prod/app.properties", "url=${URL}\n");
    write("page/index.jsp", "hello");
    let war = directory.join("target/petclinic-1.4.0.war");
    write("target/petclinic-1.4.0.war", "");
    std::fs::remove_file(&war).unwrap();
    let jar = "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w').write(sys.argv[2], 'index.jsp')";
    run(std::process::Command::new("python3").args(["-c", jar]).arg(&war).arg(directory.join("page/index.jsp"))).ok();
}

#[test]
fn what_init_writes_builds() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    project(directory);
    let written = run(pkg(directory).arg("init"));
    assert_eq!(written.ok(), "petclinic.toml");
    written.says(&["`target/petclinic-*.war`", "dev, prod", "pkg build petclinic.toml --release 1"]);
    let again = run(pkg(directory).arg("init"));
    again.exits(2);
    again.says(&["`petclinic.toml` is there already"]);
    let built = run(pkg(directory).args(["build", "petclinic.toml", "--release", "1", "--environment", "prod"]));
    let packages: Vec<_> = built.ok().lines().collect();
    let expected = ["petclinic", "petclinic-config-prod", "petclinic-config-none"];
    assert_eq!(packages, expected.map(|name| format!("dist/{name}-1.4.0-1.noarch.rpm")));
    let nothing = run(pkg(directory).args(["build", "petclinic.toml", "--release", "1", "--environment", "qa"]));
    nothing.exits(2);
    nothing.says(&["petclinic.toml: there is no environment `qa`; the spec has `dev`, `prod`"]);
    let empty = tempfile::tempdir().unwrap();
    let refused = run(pkg(empty.path()).arg("init"));
    refused.exits(2);
    refused.says(&["holds no pom.xml, build.gradle"]);
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0);
}

/// Seen from the top of a project of several modules, with Gradle's way of saying the version.
#[test]
fn init_finds_the_module_that_makes_the_war() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    project(&directory.join("web"));
    let war = "plugins {\n    war\n}\n";
    let files = [
        ("settings.gradle.kts", "include(\"web\")"),
        ("build.gradle.kts", "version = \"2.0\""),
        ("web/build.gradle.kts", war),
    ];
    files.iter().for_each(|(name, text)| std::fs::write(directory.join(name), text).unwrap());
    std::fs::remove_file(directory.join("web/pom.xml")).unwrap();
    let written = run(pkg(directory).arg("init"));
    let spec = written.ok().to_owned();
    written.says(&["`web/target/petclinic-*.war`", "`web/config`, for the environments dev, prod"]);
    let built = run(pkg(directory).args(["build", &spec, "--release", "1", "--environment", "dev"]));
    assert!(built.ok().lines().next().unwrap().ends_with("-2.0-1.noarch.rpm"), "{}", built.ok());
    std::fs::create_dir(directory.join("shop")).unwrap();
    std::fs::write(directory.join("shop/build.gradle"), "apply plugin: 'war'").unwrap();
    let several = run(pkg(directory).arg("init"));
    several.exits(2);
    several.says(&["makes several web applications, in `shop`, `web`", "`pkg init shop`"]);
}

#[test]
fn variables_from_files() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    project(directory);
    let spec = "name = 'shop'\nsummary = 'Shop'\ndescription = 'Sells.'\nlicense = 'MIT'\nversion = '1'\nrelease = '1'\n\
                [[contents]]\ntype = 'config'\nsource = 'config/dev/app.properties'\ndestination = '/etc/shop.properties'\n\
                expand = true\n";
    std::fs::write(directory.join("shop.toml"), spec).unwrap();
    std::fs::write(directory.join("dev.env"), "# of dev\n\nURL=https://dev.example/?a=b\n").unwrap();
    let build = |arguments: &[&str]| run(pkg(directory).args(["build", "shop.toml"]).args(arguments).env_remove("URL"));
    let undefined = build(&[]);
    undefined.exits(2);
    undefined.says(&["shop.toml:7: ", "config/dev/app.properties:1: the variable `URL` is not defined"]);
    let unused = build(&["--set-file", "dev.env", "--set", "ULR=x"]);
    unused.exits(2);
    unused.says(&["`--set ULR=…`"]);
    assert!(!directory.join("dist").exists());
    let package = build(&["--set-file", "dev.env"]).ok().to_owned();
    let cpio = format!("rpm2cpio {package} | cpio -i --quiet --to-stdout ./etc/shop.properties");
    let content = run(std::process::Command::new("sh").current_dir(directory).args(["-c", &cpio]));
    assert_eq!(content.ok(), "url=https://dev.example/?a=b");
    std::fs::write(directory.join("bad.env"), "URL=x\nURL\n").unwrap();
    let bad = build(&["--set-file", "bad.env"]);
    bad.exits(2);
    bad.says(&["bad.env:2: `URL`: it is not KEY=VALUE"]);
}

/// Prints how many errors Python's validator finds in each spec.
const VALIDATE: &str = "import json, jsonschema, sys, tomllib\n\
                        schema = json.load(open(sys.argv[1]))\n\
                        jsonschema.Draft202012Validator.check_schema(schema)\n\
                        validator = jsonschema.Draft202012Validator(schema)\n\
                        for path in sys.argv[2:]:\n\
                        \x20   with open(path, 'rb') as spec:\n\
                        \x20       print(len(list(validator.iter_errors(tomllib.load(spec)))))\n";

/// What an editor would say of specs: nothing of those that are right, something of every slip.
#[test]
fn the_schema_is_what_editors_validate_by() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let schema = run(pkg(directory).args(["build", "--schema"])).ok().to_owned();
    std::fs::write(directory.join("schema.json"), &schema).unwrap();
    let validate = |specs: &[std::path::PathBuf]| {
        let mut python = std::process::Command::new("/usr/bin/python3");
        run(python.current_dir(directory).args(["-c", VALIDATE, "schema.json"]).args(specs)).ok().to_owned()
    };
    let good = ["hello.toml", "examples.toml", "tomcat.toml"].map(|name| repository_file("specs").join(name));
    assert_eq!(validate(&good), "0\n0\n0");
    for slip in [
        "name = 1",
        "nmae = 'a'",
        "[tomcat]\nwra = 'x'",
        "[[contents]]\ntype = 'fiel'",
        "requires = 'a'",
        "epoch = -1",
        "[environments.dev]\ndirectry = 'a'",
        "[scripts]\npoost = 'a'",
        "packages = [{ nmae = 'x' }]",
    ] {
        std::fs::write(directory.join("slip.toml"), slip).unwrap();
        assert_eq!(validate(&["slip.toml".into()]), "1", "{slip}");
    }
}
