//! The context descriptor: what tells Tomcat where the WAR and its configuration are (Apache Tomcat documentation, "The
//! Context Container" and "The Resources Component").

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, Event};
use quick_xml::reader::Reader;

use super::DescriptorError;

/// The paths on the host that a descriptor names.
pub(super) struct Places<'a> {
    pub(super) war: &'a str,
    /// Where Tomcat keeps what it compiles.
    pub(super) work: &'a str,
    /// The folder of the configuration.
    pub(super) configuration: Option<&'a str>,
}

/// Renders a descriptor.
///
/// The configuration is the first place where the class loader looks, before the WAR's own `WEB-INF/classes`, so that a
/// file of `/etc` wins over a default of the same name in the WAR; hence `PreResources`. It is mounted read-only. Its
/// folder is also a context parameter, `configuration.directory`.
pub(super) fn render(places: &Places<'_>) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (war, work) = (escape(places.war), escape(places.work));
    xml.push_str(&format!("<Context docBase=\"{war}\" workDir=\"{work}\">\n"));
    xml.push_str(&parameter(places).unwrap_or_default());
    xml.push_str(&resources(places).unwrap_or_default());
    xml.push_str("</Context>\n");
    xml
}

/// Adds the same to a descriptor that the spec brings along.
pub(super) fn extend(own: &str, places: &Places<'_>) -> Result<String, DescriptorError> {
    let has_resources = check(own, not_ours)?;
    let mut reader = Reader::from_str(own);
    let mut writer = Writer::new(Vec::new());
    let mut depth = 0_usize;
    loop {
        let event = reader.read_event().map_err(|error| DescriptorError::Syntax(error.to_string()))?;
        let (start, is_empty) = match event {
            Event::Eof => break,
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            event => {
                depth -= usize::from(matches!(event, Event::End(_)) && depth > 0);
                write(&mut writer, event)?;
                continue;
            }
        };
        let inner = match (depth, start.name().as_ref()) {
            (0, _) if has_resources => Some(parameter(places)),
            (0, _) => Some(Some([parameter(places), resources(places)].into_iter().flatten().collect::<String>())),
            (1, "Resources") => Some(pre_resources(places)),
            _ => None,
        };
        let end = BytesEnd::new(start.name().as_ref().to_owned());
        let start = if depth == 0 { with_places(start, places) } else { start };
        match inner.flatten().filter(|inner| !inner.is_empty()) {
            Some(inner) => {
                write(&mut writer, Event::Start(start))?;
                writer.get_mut().extend_from_slice(format!("\n{}", inner.trim_end()).as_bytes());
                if is_empty {
                    writer.get_mut().push(b'\n');
                    write(&mut writer, Event::End(end))?;
                }
            }
            None if is_empty => write(&mut writer, Event::Empty(start))?,
            None => write(&mut writer, Event::Start(start))?,
        }
        depth += usize::from(!is_empty);
    }
    String::from_utf8(writer.into_inner()).map_err(|error| DescriptorError::Syntax(error.to_string()))
}

/// Takes a descriptor that the spec brings along as it is, provided that it is one. What its docBase should be is
/// lint's to say.
pub(super) fn taken_whole(own: &str) -> Result<String, DescriptorError> {
    check(own, |_| Ok(()))?;
    Ok(own.to_owned())
}

/// Tells whether a descriptor has `Resources` of its own. Refuses what is no descriptor, and attributes of its root that
/// `allow` refuses.
fn check(own: &str, allow: impl Fn(String) -> Result<(), DescriptorError>) -> Result<bool, DescriptorError> {
    let syntax = |error: String| DescriptorError::Syntax(error);
    let mut reader = Reader::from_str(own);
    let (mut depth, mut roots, mut has_resources) = (0_usize, 0, false);
    loop {
        let event = reader.read_event().map_err(|error| syntax(error.to_string()))?;
        let start = match &event {
            Event::Eof if roots == 1 && depth == 0 => return Ok(has_resources),
            Event::Eof => return Err(syntax("it ends too early".to_owned())),
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                continue;
            }
            Event::Start(start) | Event::Empty(start) => start,
            _ => continue,
        };
        if depth == 0 {
            roots += 1;
            check_root(start, &allow)?;
        }
        has_resources |= depth == 1 && start.name().as_ref() == "Resources";
        depth += usize::from(matches!(event, Event::Start(_)));
    }
}

fn check_root(
    root: &BytesStart<'_>,
    allow: impl Fn(String) -> Result<(), DescriptorError>,
) -> Result<(), DescriptorError> {
    let name = root.name().as_ref().to_owned();
    if name != "Context" {
        return Err(DescriptorError::Root(name));
    }
    for attribute in root.attributes() {
        let attribute = attribute.map_err(|error| DescriptorError::Syntax(error.to_string()))?;
        allow(attribute.key.as_ref().to_owned())?;
    }
    Ok(())
}

/// Refuses what the package sets itself, and `path`, which Tomcat takes from the descriptor's name.
fn not_ours(attribute: String) -> Result<(), DescriptorError> {
    match attribute.as_str() {
        "docBase" | "workDir" | "path" => Err(DescriptorError::Attribute(attribute)),
        _ => Ok(()),
    }
}

fn with_places<'a>(mut root: BytesStart<'a>, places: &Places<'_>) -> BytesStart<'a> {
    root.push_attribute(("docBase", places.war));
    root.push_attribute(("workDir", places.work));
    root
}

fn write(writer: &mut Writer<Vec<u8>>, event: Event<'_>) -> Result<(), DescriptorError> {
    writer.write_event(event).map_err(|error| DescriptorError::Syntax(error.to_string()))
}

fn parameter(places: &Places<'_>) -> Option<String> {
    let directory = escape(places.configuration?);
    Some(format!("  <Parameter name=\"configuration.directory\" value=\"{directory}\" override=\"false\"/>\n"))
}

fn resources(places: &Places<'_>) -> Option<String> {
    Some(format!("  <Resources>\n{}  </Resources>\n", pre_resources(places)?))
}

fn pre_resources(places: &Places<'_>) -> Option<String> {
    let directory = escape(places.configuration?);
    Some(format!(
        "    <PreResources className=\"org.apache.catalina.webresources.DirResourceSet\" base=\"{directory}\" \
         webAppMount=\"/WEB-INF/classes\" readOnly=\"true\"/>\n"
    ))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: Places<'_> = Places {
        war: "/usr/share/shop/shop.war",
        work: "/var/cache/tomcat/shop@1-2",
        configuration: Some("/etc/shop"),
    };

    #[test]
    fn names_the_war_and_the_configuration() {
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<Context docBase="/usr/share/shop/shop.war" workDir="/var/cache/tomcat/shop@1-2">
  <Parameter name="configuration.directory" value="/etc/shop" override="false"/>
  <Resources>
    <PreResources className="org.apache.catalina.webresources.DirResourceSet" base="/etc/shop" webAppMount="/WEB-INF/classes" readOnly="true"/>
  </Resources>
</Context>
"#;
        assert_eq!(render(&PLACES), expected);
        assert!(!render(&Places { configuration: None, ..PLACES }).contains("Resources"));
        assert!(render(&Places { war: "/a\"<&", ..PLACES }).contains("docBase=\"/a&quot;&lt;&amp;\""));
    }

    #[test]
    fn adds_to_a_descriptor() {
        let own = "<?xml version=\"1.0\"?>\n<!-- ours -->\n<Context reloadable=\"false\">\n  <Resource name=\"jdbc/x\"/>\n</Context>\n";
        let expected = r#"<?xml version="1.0"?>
<!-- ours -->
<Context reloadable="false" docBase="/usr/share/shop/shop.war" workDir="/var/cache/tomcat/shop@1-2">
  <Parameter name="configuration.directory" value="/etc/shop" override="false"/>
  <Resources>
    <PreResources className="org.apache.catalina.webresources.DirResourceSet" base="/etc/shop" webAppMount="/WEB-INF/classes" readOnly="true"/>
  </Resources>
  <Resource name="jdbc/x"/>
</Context>
"#;
        assert_eq!(extend(own, &PLACES).unwrap(), expected);
    }

    #[test]
    fn keeps_resources_that_are_there() {
        for own in [
            "<Context><Resources cachingAllowed=\"false\"><PostResources/></Resources></Context>",
            "<Context><Resources/></Context>",
        ] {
            let extended = extend(own, &PLACES).unwrap();
            assert_eq!(extended.matches("<Resources").count(), 1, "{extended}");
            let (pre, end) = (extended.find("<PreResources").unwrap(), extended.find("</Resources>").unwrap());
            assert!(extended.find("<Resources").unwrap() < pre && pre < end, "{extended}");
        }
        let extended = extend("<Context/>", &PLACES).unwrap();
        assert!(extended.contains("</Resources>") && extended.ends_with("</Context>"), "{extended}");
        let nothing = Places { configuration: None, ..PLACES };
        let extended = extend("<Context/>", &nothing).unwrap();
        assert_eq!(extended, "<Context docBase=\"/usr/share/shop/shop.war\" workDir=\"/var/cache/tomcat/shop@1-2\"/>");
    }

    #[test]
    fn refuses() {
        for (own, expected) in [
            ("<Server/>", "is not a context descriptor: its root is `Server` instead of `Context`"),
            ("<Context docBase=\"/x\"/>", "sets `docBase`, which the package sets itself"),
            ("<Context>", "is not well-formed XML: it ends too early"),
            ("", "is not well-formed XML: it ends too early"),
            ("<Context></Resources>", "is not well-formed XML: "),
            ("<Context a=1/>", "is not well-formed XML: "),
            ("<Context/><Context/>", "is not well-formed XML: it ends too early"),
        ] {
            let error = extend(own, &PLACES).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{own}: {error}");
        }
    }
}
