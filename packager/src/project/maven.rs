//! What a pom.xml says of a project (<https://maven.apache.org/pom.html>), as far as a package is to say it too.

use quick_xml::Reader;
use quick_xml::events::Event;

/// The texts of a pom.xml.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Maven {
    pub(super) artifact: Option<String>,
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) url: Option<String>,
    pub(super) license: Option<String>,
    pub(super) packaging: Option<String>,
    pub(super) final_name: Option<String>,
}

impl Maven {
    /// Reads what can be read: a broken pom.xml says less.
    pub(super) fn read(text: &str) -> Self {
        let mut maven = Self::default();
        let mut reader = Reader::from_str(text);
        let mut path: Vec<String> = Vec::new();
        loop {
            match reader.read_event() {
                Ok(Event::Start(start)) => path.push(start.local_name().as_ref().to_owned()),
                Ok(Event::End(_)) => drop(path.pop()),
                Ok(Event::Text(value)) => maven.take(&path, value.trim()),
                Ok(Event::CData(value)) => maven.take(&path, value.trim()),
                Ok(Event::Eof) | Err(_) => return maven,
                Ok(_) => {}
            }
        }
    }

    /// What uses properties is left to the person.
    fn take(&mut self, path: &[String], value: &str) {
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        let field = match path.as_slice() {
            ["project", "artifactId"] => &mut self.artifact,
            ["project", "name"] => &mut self.name,
            ["project", "description"] => &mut self.description,
            ["project", "url"] => &mut self.url,
            ["project", "licenses", "license", "name"] => &mut self.license,
            ["project", "packaging"] => &mut self.packaging,
            ["project", "build", "finalName"] => &mut self.final_name,
            _ => return,
        };
        if field.is_none() && !value.is_empty() && !value.contains("${") {
            *field = Some(value.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_projects_own_texts() {
        let maven = Maven::read(
            "<project xmlns='http://maven.apache.org/POM/4.0.0'><parent><artifactId>p</artifactId></parent>\
             <artifactId>shop</artifactId><packaging>war</packaging><name>${x}</name><description>The\n  shop\
             </description><licenses><license><name>MIT</name></license><license><name>x</name></license></licenses>\
             <build><finalName>${a}</finalName></build></project>",
        );
        let text = |text: &str| Some(text.to_owned());
        let expected = Maven {
            artifact: text("shop"),
            description: text("The shop"),
            license: text("MIT"),
            packaging: text("war"),
            ..Maven::default()
        };
        assert_eq!(maven, expected);
        assert_eq!(Maven::read("<project><artifactId>a</artifactId><x").artifact, text("a"));
    }
}
