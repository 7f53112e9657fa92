//! The context descriptor: what tells Tomcat where the WAR and its configuration are.

/// Renders a context descriptor (Apache Tomcat documentation, "The Context Container" and "The Resources Component").
///
/// The configuration is the first place where the class loader looks, before the WAR's own `WEB-INF/classes`, so that a
/// file of `/etc` wins over a default of the same name in the WAR; hence `PreResources`. It is mounted read-only. Its
/// folder is also a context parameter, `configuration.directory`.
pub(super) fn render(war: &str, configuration: Option<&str>) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.push_str(&format!("<Context docBase=\"{}\">\n", escape(war)));
    if let Some(directory) = configuration {
        let directory = escape(directory);
        xml.push_str(&format!(
            "  <Parameter name=\"configuration.directory\" value=\"{directory}\" override=\"false\"/>\n  \
             <Resources>\n    \
             <PreResources className=\"org.apache.catalina.webresources.DirResourceSet\" base=\"{directory}\" \
             webAppMount=\"/WEB-INF/classes\" readOnly=\"true\"/>\n  \
             </Resources>\n"
        ));
    }
    xml.push_str("</Context>\n");
    xml
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_war_and_the_configuration() {
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<Context docBase="/usr/share/shop/shop.war">
  <Parameter name="configuration.directory" value="/etc/shop" override="false"/>
  <Resources>
    <PreResources className="org.apache.catalina.webresources.DirResourceSet" base="/etc/shop" webAppMount="/WEB-INF/classes" readOnly="true"/>
  </Resources>
</Context>
"#;
        assert_eq!(render("/usr/share/shop/shop.war", Some("/etc/shop")), expected);
    }

    #[test]
    fn names_no_folder_that_is_not_there() {
        assert!(!render("/usr/share/shop/shop.war", None).contains("Resources"));
    }

    #[test]
    fn escapes() {
        assert!(render("/a\"<&", None).contains("docBase=\"/a&quot;&lt;&amp;\""));
    }
}
