//! The templates, and the one place where anything is written into a page.

use std::fmt::Write;
use std::sync::LazyLock;

use bytes::Bytes;
use ledger::Digest;
use minijinja::value::ValueKind;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

/// Says that a page can't be rendered, which is a mistake in its template.
#[derive(Debug, thiserror::Error)]
#[error("the page `{name}` can't be rendered")]
pub(crate) struct PageError {
    name: &'static str,
    #[source]
    source: minijinja::Error,
}

/// A file that pages refer to.
#[derive(Debug, Clone)]
pub(crate) struct Asset {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
}

/// What stands around the content of every page.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Shell {
    /// What was searched for, where something was.
    pub(crate) query: String,
    /// Whether a token would show more.
    pub(crate) can_sign_in: bool,
    /// The newest commit.
    pub(crate) commit: u64,
}

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("templates/", $name)))),*]
    };
}

const TEMPLATES: &[(&str, &str)] = templates![
    "layout.html",
    "parts.html",
    "home.html",
    "channel.html",
    "packages.html",
    "package.html",
    "version.html",
    "files.html",
    "difference.html",
    "search.html",
    "jars.html",
    "timeline.html",
    "environments.html",
    "environment.html",
    "deployment.html",
    "problem.html",
    "feed.xml",
    "environment_feed.xml",
];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

static ASSETS: LazyLock<[(&'static str, Asset); 3]> = LazyLock::new(|| {
    let asset = |content_type, text: &'static str| {
        let bytes = Bytes::from_static(text.as_bytes());
        Asset { content_type, digest: Digest::of(&bytes), bytes }
    };
    [
        ("style.css", asset("text/css; charset=utf-8", include_str!("assets/style.css"))),
        ("live.js", asset("text/javascript; charset=utf-8", include_str!("assets/live.js"))),
        ("icon.svg", asset("image/svg+xml", include_str!("assets/icon.svg"))),
    ]
});

/// Finds a file that pages refer to.
pub(crate) fn asset(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|(known, _)| *known == name).map(|(_, asset)| asset)
}

/// Renders a page; `page` is what its template calls so.
pub(super) fn render(name: &'static str, shell: &Shell, page: &impl Serialize) -> Result<String, PageError> {
    let failed = |source| PageError { name, source };
    let template = ENVIRONMENT.get_template(name).map_err(failed)?;
    template.render(context! { shell => shell, page => Value::from_serialize(page) }).map_err(failed)
}

/// Renders the page of a request that is not answered as it was asked.
pub(crate) fn problem_page(shell: &Shell, (title, detail): (&str, &str)) -> Result<String, PageError> {
    render("problem.html", shell, &context! { title, detail })
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    // Everything is escaped, whatever a template is called.
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    environment.set_formatter(|output, _, value| {
        if value.is_safe() {
            // What a macro of ours wrote, or the templates of release notes: escaped already.
            return write!(output, "{value}").map_err(minijinja::Error::from);
        }
        match value.kind() {
            ValueKind::Undefined | ValueKind::None => Ok(()),
            _ => match value.as_str() {
                Some(text) => output.write_str(&escaped(text)).map_err(minijinja::Error::from),
                None => output.write_str(&escaped(&value.to_string())).map_err(minijinja::Error::from),
            },
        }
    });
    environment.remove_filter("safe");
    environment.remove_filter("escape");
    environment.remove_filter("e");
    environment.add_filter(
        "plural",
        |count: u64, one: &str, many: &str| {
            if count == 1 { format!("{count} {one}") } else { format!("{count} {many}") }
        },
    );
    environment.add_filter("urlencode", |text: &str| super::package_path::encoded(text));
    environment.add_global("style", address("style.css"));
    environment.add_global("live", address("live.js"));
    environment.add_global("icon", address("icon.svg"));
    for (name, text) in TEMPLATES {
        // A template that can't be read is one that can't be found: the tests render each.
        if let Err(error) = environment.add_template(name, text) {
            tracing::error!(error = format!("{error:#}"), "a template can't be read");
        }
    }
    environment
}

/// The URL of an asset, which changes with its bytes.
fn address(name: &str) -> String {
    let digest = asset(name).map(|asset| asset.digest.to_string()).unwrap_or_default();
    format!("/ui/{name}?{}", digest.get(..12).unwrap_or_default())
}

/// Writes a text so that it can stand in HTML and XML, between tags or in a quoted attribute, and shows what it holds: the
/// characters that no page may hold and those that turn the direction of writing are spelt out.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + text.len() / 8);
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' | '\t' => html.push(character),
            '\r' => {}
            _ if is_spelt_out(character) => {
                // Writing to a String never fails.
                let _ = write!(html, "⟨U+{:04X}⟩", u32::from(character));
            }
            _ => html.push(character),
        }
    }
    html
}

fn is_spelt_out(character: char) -> bool {
    let turns =
        matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{061c}');
    let is_hidden = matches!(character, '\u{200b}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    let is_none =
        matches!(u32::from(character) & 0xffff, 0xfffe | 0xffff) || matches!(character, '\u{fdd0}'..='\u{fdef}');
    character.is_control() || turns || is_hidden || is_none
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_markup() {
        for (text, expected) in [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("\"onmouseover='x'", "&quot;onmouseover=&#39;x&#39;"),
            ("a\u{202e}gpj.exe", "a⟨U+202E⟩gpj.exe"),
            ("\u{1b}[31m\0\r\n", "⟨U+001B⟩[31m⟨U+0000⟩\n"),
            ("Größe 🦀 &amp;", "Größe 🦀 &amp;amp;"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn every_template_can_be_read() {
        for (name, _) in TEMPLATES {
            ENVIRONMENT.get_template(name).unwrap();
        }
        let shell = Shell { query: "\"><b>".to_owned(), can_sign_in: true, commit: 7 };
        let html = problem_page(&shell, ("<i>", "{{ 7 * 7 }}")).unwrap();
        assert!(html.contains("value=\"&quot;&gt;&lt;b&gt;\"") && html.contains("&lt;i&gt;"), "{html}");
        assert!(html.contains("{{ 7 * 7 }}"));
    }
}
