//! Versions as Maven, Gradle, git and people write them: whether the real rpm orders what they are mapped to as they were
//! released.

use packager::{MappedVersion, SourceDate, Target};

use crate::workshop::{SOURCE_DATE, run};

/// In the order of the releases; those of a row are one and the same.
const RELEASES: &[&[&str]] = &[
    &["0.9"],
    &["1.0-20260101.000000-1"],
    &["1.0-20260101.000000-2"],
    &["1.0-alpha-1-SNAPSHOT"],
    &["1.0-alpha-1", "1.0-alpha1", "1.0a1", "1.0.Alpha1", "v1.0-alpha.1"],
    &["1.0-alpha-2"],
    &["1.0-alpha-10"],
    &["1.0-beta-1-SNAPSHOT"],
    &["1.0-beta-1", "1.0.Beta1", "1.0b1", "1.0-BETA1"],
    &["1.0-beta-1-3-gabc1234"],
    &["1.0-beta-2"],
    &["1.0-dev"],
    &["1.0-ea"],
    &["1.0-M1", "1.0.M1", "1.0-milestone-1"],
    &["1.0-M2"],
    &["1.0-M10"],
    &["1.0-pre1", "1.0-preview1", "1.0-PREVIEW-1"],
    &["1.0-rc1", "1.0-RC1", "1.0.CR1", "1.0RC1", "1.0-rc.1"],
    &["1.0-rc1-9-gabc1234"],
    &["1.0-rc2"],
    &["1.0-rc10"],
    &["1.0", "1.0.Final", "1.0.GA", "1.0-RELEASE", "v1.0", "1.0-final", "v1.0-0-gabc1234"],
    &["1.0-1"],
    &["1.0-9-g000abc"],
    &["1.0-10-gfffabc"],
    &["1.0-sp1", "1.0.SP1", "1.0.sp1"],
    &["1.0.1-SNAPSHOT"],
    &["1.0.1-rc1"],
    &["1.0.1", "1.0.1.Final"],
    &["1.0.2-jre"],
    &["1.0.10"],
    &["1.1-SNAPSHOT"],
    &["1.1"],
    &["1.10"],
    &["2.0.0.M1"],
    &["2.0.0.RC1"],
    &["2.0.0.RELEASE"],
    &["2024.0.1"],
    &["20260101"],
];

#[test]
fn rpm_orders_what_is_mapped_as_it_was_released() {
    let time = SourceDate::from_seconds(SOURCE_DATE).unwrap();
    let flat: Vec<(usize, &str)> =
        (0..).zip(RELEASES).flat_map(|(row, texts)| texts.iter().map(move |text| (row, *text))).collect();
    let mapped = |text: &str| MappedVersion::map(text, time).version(Target::El9);
    let versions: Vec<String> = flat.iter().map(|(_, text)| mapped(text)).collect();
    let list: String = versions.iter().map(|version| format!("'{version}',")).collect();
    // rpm's own order of every pair, a line for each version.
    let program = format!(
        "%{{lua: local v = {{{list}}}; for _, a in ipairs(v) do local line = ''; for _, b in ipairs(v) do \
         line = line .. (({{[-1] = '<', [0] = '=', [1] = '>'}})[rpm.vercmp(a, b)]) end; print(line .. '\\n') end}}"
    );
    let printed = run("rpm", &["--eval", &program]);
    let lines: Vec<&str> = printed.split_whitespace().collect();
    assert_eq!(lines.len(), flat.len(), "{printed}");
    for ((row, left), line) in flat.iter().zip(lines) {
        for ((other, right), sign) in flat.iter().zip(line.chars()) {
            let expected = match row.cmp(other) {
                std::cmp::Ordering::Less => '<',
                std::cmp::Ordering::Equal => '=',
                std::cmp::Ordering::Greater => '>',
            };
            assert_eq!(sign, expected, "{left} ({}) and {right} ({})", mapped(left), mapped(right));
        }
    }
}
