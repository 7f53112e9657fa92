//! The memory of `pkg build` does not grow with the WAR.

use std::process::Command;

use crate::program::{PKG, run};

const SPEC: &str = "name = \"shop\"\nversion = \"1.0\"\nrelease = \"1\"\nsummary = \"A shop\"\nlicense = \"MIT\"\n\n[tomcat]\nwar = \"shop.war\"\n";

/// Writes a WAR of the megabytes given, then runs the command line and prints the peak of its resident memory in MiB.
const MEASURE: &str = "
import resource, subprocess, sys, zipfile, random
noise = random.Random(1)
with zipfile.ZipFile('shop.war', 'w', zipfile.ZIP_STORED) as war:
    for number in range(int(sys.argv[1])):
        war.writestr(f'WEB-INF/lib/{number}.jar', noise.randbytes(1 << 20))
subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
";

#[test]
fn stays_below_64_mib_for_a_war_of_300_mib() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("shop.toml"), SPEC).unwrap();
    let mut measure = Command::new("python3");
    measure.current_dir(directory.path()).args(["-c", MEASURE, "300", PKG, "build", "shop.toml"]);
    let peak: u64 = run(&mut measure).ok().parse().unwrap();
    assert!(peak < 64, "{peak} MiB");
}
