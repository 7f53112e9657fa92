//! Archives for tests.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Makes a zip archive in memory.
pub(crate) fn archive<Content: AsRef<[u8]>>(entries: &[(&str, Content)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_ref()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Makes a jar that Maven could have built.
pub(crate) fn maven_jar(group: &str, artifact: &str, version: &str) -> Vec<u8> {
    let name = format!("META-INF/maven/{group}/{artifact}/pom.properties");
    let pom = format!("#Generated\ngroupId={group}\nartifactId={artifact}\nversion={version}\n");
    archive(&[("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n\r\n"), (&name, &pom)])
}
