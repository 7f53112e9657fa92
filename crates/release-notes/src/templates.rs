//! Notes as Markdown, HTML and text, by templates that can be replaced. In every template of HTML or Markdown, what is not
//! marked as harmless is escaped.

use std::io;
use std::path::{Path, PathBuf};

use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Output, State, UndefinedBehavior};
use serde::Serialize;

use crate::text::without_gaps;
use crate::{
    Audience, Change, CommitReference, Kind, Line, Prose, Reference, ReferenceKind, ReleaseNotes, WebAddress, markup,
};

/// What notes can be written as by a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// CommonMark.
    Markdown,
    /// A whole page.
    Html,
    /// The body of such a page, without its heading, to stand below a heading of the second level.
    HtmlArticle,
    /// Plain text.
    Text,
}

/// Says why a template does not hold.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// It could not be read.
    #[error("could not read the template")]
    Read(#[source] io::Error),
    /// It is wrong.
    #[error("the template `{name}` does not hold{}", line.map(|line| format!(" at line {line}")).unwrap_or_default())]
    Wrong {
        /// Its file.
        name: String,
        /// The line, counted from 1.
        line: Option<usize>,
        /// Why.
        source: minijinja::Error,
    },
}

/// The templates.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    /// Templates in place of the usual ones, by format.
    own: Vec<(Format, PathBuf)>,
}

/// What templates see.
#[derive(Serialize)]
struct View<'a> {
    heading: String,
    /// The level of the sections' headings in HTML.
    level: u8,
    subtitle: Option<String>,
    audience: Audience,
    name: Option<&'a Line>,
    version: Option<&'a Line>,
    build: Option<&'a Line>,
    date: Option<String>,
    from: Option<&'a Line>,
    to: Option<&'a Line>,
    introduction: Option<&'a Prose>,
    sections: Vec<Section<'a>>,
}

/// The changes of one kind.
#[derive(Serialize)]
struct Section<'a> {
    kind: &'static str,
    heading: &'static str,
    changes: Vec<ChangeView<'a>>,
}

#[derive(Serialize)]
struct ChangeView<'a> {
    title: &'a Line,
    /// The description, where readers want more than the title.
    details: Option<&'a Prose>,
    description: Option<&'a Prose>,
    customer: Option<&'a Prose>,
    scope: Option<&'a Line>,
    breaking: bool,
    references: Vec<ReferenceView<'a>>,
    commits: Vec<CommitView<'a>>,
    authors: &'a [Line],
}

/// A reference, with nothing left out: templates may ask for what is not there.
#[derive(Serialize)]
struct ReferenceView<'a> {
    kind: ReferenceKind,
    id: &'a Line,
    title: Option<&'a Line>,
    url: Option<&'a str>,
}

#[derive(Serialize)]
struct CommitView<'a> {
    id: &'a str,
    short: &'a str,
    url: Option<&'a str>,
}

const MARKDOWN: AutoEscape = AutoEscape::Custom("markdown");

impl Format {
    fn template(self) -> &'static str {
        match self {
            Self::Markdown => "notes.md",
            Self::Html => "notes.html",
            Self::HtmlArticle => "notes.article.html",
            Self::Text => "notes.txt",
        }
    }
}

impl Templates {
    /// The usual templates.
    ///
    /// # Errors
    /// [`TemplateError`]; the usual ones hold.
    pub fn usual() -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_keep_trailing_newline(true);
        environment.set_auto_escape_callback(|name| match name {
            "notes.html" | "notes.article.html" => AutoEscape::Html,
            "notes.md" => MARKDOWN,
            _ => AutoEscape::None,
        });
        environment.set_formatter(write_escaped);
        environment.add_filter("line", line);
        environment.add_filter("prose", prose);
        let mut templates = Self { environment, own: Vec::new() };
        for (format, text) in [
            (Format::Markdown, include_str!("../templates/notes.md.jinja")),
            (Format::Html, include_str!("../templates/notes.html.jinja")),
            (Format::HtmlArticle, include_str!("../templates/notes.article.html.jinja")),
            (Format::Text, include_str!("../templates/notes.txt.jinja")),
        ] {
            templates.add(format, text.to_owned())?;
        }
        Ok(templates)
    }

    /// Puts a file in the place of a format's template.
    ///
    /// # Errors
    /// [`TemplateError`], with file and line.
    pub fn replace(&mut self, format: Format, path: &Path) -> Result<(), TemplateError> {
        let text = fs_err::read_to_string(path).map_err(TemplateError::Read)?;
        self.own.push((format, path.to_owned()));
        self.add(format, text)
    }

    fn add(&mut self, format: Format, text: String) -> Result<(), TemplateError> {
        self.environment.add_template_owned(format.template(), text).map_err(|source| self.wrong(format, source))
    }

    fn wrong(&self, format: Format, source: minijinja::Error) -> TemplateError {
        let own = self.own.iter().rev().find(|(known, _)| *known == format);
        let name = own.map_or_else(|| format.template().to_owned(), |(_, path)| path.display().to_string());
        TemplateError::Wrong { name, line: source.line(), source }
    }

    /// Writes notes.
    ///
    /// # Errors
    /// [`TemplateError`] of a replaced template.
    pub fn render(&self, notes: &ReleaseNotes, format: Format) -> Result<String, TemplateError> {
        let wrong = |source| self.wrong(format, source);
        let template = self.environment.get_template(format.template()).map_err(wrong)?;
        let text = template.render(View::of(notes, format)).map_err(wrong)?;
        Ok(match format {
            Format::HtmlArticle => text,
            Format::Html => format!("{}\n", text.trim_end()),
            // Templates are easier to read where they need not count empty lines.
            Format::Markdown | Format::Text => format!("{}\n", without_gaps(&text)),
        })
    }
}

impl<'a> View<'a> {
    fn of(notes: &'a ReleaseNotes, format: Format) -> Self {
        let sections = Kind::ALL.into_iter().map(|kind| Section {
            kind: kind.name(),
            heading: kind.heading(),
            changes: notes.of_kind(kind).map(|change| ChangeView::of(change, notes.audience)).collect(),
        });
        let date = notes.date.map(|date| date.to_string());
        Self {
            heading: notes.heading(),
            level: if format == Format::HtmlArticle { 3 } else { 2 },
            subtitle: subtitle(notes, date.as_deref()),
            audience: notes.audience,
            name: notes.name.as_ref(),
            version: notes.version.as_ref(),
            build: notes.build.as_ref(),
            date,
            from: notes.from.as_ref(),
            to: notes.to.as_ref(),
            introduction: notes.introduction.as_ref(),
            sections: sections.filter(|section| !section.changes.is_empty()).collect(),
        }
    }
}

/// The day, and since which revision.
fn subtitle(notes: &ReleaseNotes, date: Option<&str>) -> Option<String> {
    let since = notes.from.as_ref().map(|from| format!("changes since {from}"));
    let parts: Vec<String> = date.map(str::to_owned).into_iter().chain(since).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

impl<'a> ChangeView<'a> {
    fn of(change: &'a Change, audience: Audience) -> Self {
        let tells_more = !matches!(change.kind, Kind::Fix | Kind::Other | Kind::Internal);
        Self {
            title: &change.title,
            details: change.description.as_ref().filter(|_| tells_more || audience == Audience::Customer),
            description: change.description.as_ref(),
            customer: change.customer.as_ref(),
            scope: change.scope.as_ref(),
            breaking: change.breaking,
            references: change.references.iter().map(ReferenceView::of).collect(),
            commits: change.commits.iter().map(CommitView::of).collect(),
            authors: &change.authors,
        }
    }
}

impl<'a> ReferenceView<'a> {
    fn of(reference: &'a Reference) -> Self {
        let Reference { kind, id, title, url } = reference;
        Self { kind: *kind, id, title: title.as_ref(), url: url.as_ref().map(WebAddress::as_str) }
    }
}

impl<'a> CommitView<'a> {
    fn of(commit: &'a CommitReference) -> Self {
        let id = commit.id.as_str();
        Self { id, short: id.get(..10).unwrap_or(id), url: commit.url.as_ref().map(WebAddress::as_str) }
    }
}

/// Writes a value as the template's format wants it.
fn write_escaped(output: &mut Output<'_>, state: &State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    if state.auto_escape() != MARKDOWN {
        return minijinja::escape_formatter(output, state, value);
    }
    let text = value.to_string();
    let text =
        if value.is_safe() || value.kind() != ValueKind::String { text } else { markup::words_to_markdown(&text) };
    output.write_str(&text).map_err(minijinja::Error::from)
}

/// A line, in which code stands in backticks.
fn line(state: &State<'_, '_>, text: &str) -> Value {
    match state.auto_escape() {
        AutoEscape::Html => Value::from_safe_string(markup::line_to_html(text)),
        MARKDOWN => Value::from_safe_string(markup::line_to_markdown(text)),
        _ => Value::from(text),
    }
}

/// Paragraphs in Markdown.
fn prose(state: &State<'_, '_>, text: &str) -> Value {
    match state.auto_escape() {
        AutoEscape::Html => Value::from_safe_string(markup::prose_to_html(text)),
        MARKDOWN => Value::from_safe_string(markup::prose_to_markdown(text)),
        _ => Value::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> ReleaseNotes {
        let mut feature = Change::new(Kind::Feature, Line::new("Carts with `<b>` & \"quotes\" in *stars*"));
        feature.description = Prose::new("They are **kept**.\n\n- one\n- two <script>");
        feature.scope = Some(Line::new("cart"));
        feature.breaking = true;
        feature.authors = vec![Line::new("Ana <b>"), Line::new("Bob")];
        let url = WebAddress::try_from("https://jira.example.org/browse/SHOP-1?a=(b)&c".to_owned()).unwrap();
        let title = Some(Line::new("\"><script>"));
        feature.refer(Reference { url: Some(url), title, ..Reference::new(ReferenceKind::Ticket, "SHOP-1") });
        feature.refer(Reference::new(ReferenceKind::Issue, "#7"));
        feature.commits = vec![CommitReference { id: Line::new(&"ab".repeat(20)), url: None }];
        let mut fix = Change::new(Kind::Fix, Line::new("The till opens"));
        fix.description = Prose::new("not shown");
        let mut notes = ReleaseNotes::new(vec![fix, feature]);
        notes.name = Some(Line::new("The shop"));
        notes.version = Some(Line::new("1.4.0"));
        notes.build = Some(Line::new("57"));
        notes.date = chrono::NaiveDate::from_ymd_opt(2026, 2, 3);
        notes.from = Some(Line::new("v1.3"));
        notes
    }

    #[test]
    fn markdown() {
        let text = Templates::usual().unwrap().render(&sample(), Format::Markdown).unwrap();
        let expected = "# The shop 1.4.0 (build 57)\n\n2026-02-03, changes since v1.3\n\n## New features\n\n\
            - **Breaking:** **cart:** Carts with `<b>` & \"quotes\" in \\*stars\\* \
            ([SHOP-1](<https://jira.example.org/browse/SHOP-1?a=(b)&c>), #7)\n\n  They are \\*\\*kept\\*\\*.\n\n  - one\n  \
            - two \\<script>\n\n## Fixed bugs\n\n- The till opens\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn text() {
        let text = Templates::usual().unwrap().render(&sample(), Format::Text).unwrap();
        let expected = "The shop 1.4.0 (build 57)\n2026-02-03, changes since v1.3\n\nNew features:\n\
            - BREAKING: cart: Carts with `<b>` & \"quotes\" in *stars* (SHOP-1, #7)\n  They are **kept**.\n\n  - one\n  \
            - two <script>\n\nFixed bugs:\n- The till opens\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn html_escapes_everything() {
        let html = Templates::usual().unwrap().render(&sample(), Format::Html).unwrap();
        let article = html.split("<main>").nth(1).unwrap();
        for part in [
            "Carts with <code>&lt;b&gt;</code> &amp; &quot;quotes&quot; in *stars*",
            "href=\"https://jira.example.org/browse/SHOP-1?a=(b)&amp;c\" title=\"&quot;&gt;&lt;script&gt;\"",
            "two &lt;script&gt;",
            "<span class=\"authors\">Ana &lt;b&gt;, Bob</span>",
            "<span class=\"commit\">ababababab</span>",
        ] {
            let found = article.replace("&#x2f;", "/").replace("&#47;", "/");
            assert!(found.contains(part), "no {part} in\n{found}");
        }
        assert!(!html.contains("<script") && !article.contains("not shown"), "{html}");
    }

    #[test]
    fn own_templates() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("own.jinja");
        fs_err::write(
            &path,
            "{% for section in sections %}{{ section.heading }}: {{ section.changes[0].title }}\n{% endfor %}",
        )
        .unwrap();
        let mut templates = Templates::usual().unwrap();
        templates.replace(Format::Markdown, &path).unwrap();
        let text = templates.render(&sample(), Format::Markdown).unwrap();
        assert_eq!(text.lines().next().unwrap(), "New features: Carts with `<b>` & \"quotes\" in \\*stars\\*");
        fs_err::write(&path, "a\n{{ colour }}").unwrap();
        templates.replace(Format::Text, &path).unwrap();
        let error = templates.render(&sample(), Format::Text).unwrap_err().to_string();
        assert!(error.ends_with("own.jinja` does not hold at line 2"), "{error}");
        fs_err::write(&path, "{% if %}").unwrap();
        assert!(templates.replace(Format::Text, &path).is_err());
    }

    #[test]
    fn nothing_to_tell_is_said() {
        let templates = Templates::usual().unwrap();
        for format in [Format::Markdown, Format::Html, Format::Text] {
            assert!(templates.render(&ReleaseNotes::new(Vec::new()), format).unwrap().contains("Nothing to tell."));
        }
    }
}
