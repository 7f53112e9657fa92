//! Texts into Markdown and HTML: nothing that others wrote becomes markup, except what is harmless in their Markdown.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// A line's parts: in pairs of backticks stands code.
enum Part<'a> {
    Text(&'a str),
    Code(&'a str),
}

/// Splits a line at single backticks, if they come in pairs; otherwise all of it is text.
fn parts(line: &str) -> Vec<Part<'_>> {
    let pieces: Vec<&str> = line.split('`').collect();
    let in_pairs = pieces.len() % 2 == 1 && pieces.iter().skip(1).step_by(2).all(|code| !code.is_empty());
    // `` a``b `` has an empty piece: runs of backticks mean more than we read.
    if !in_pairs || line.contains("``") {
        return vec![Part::Text(line)];
    }
    let part = |(index, piece)| if index % 2 == 1 { Part::Code(piece) } else { Part::Text(piece) };
    pieces.into_iter().enumerate().map(part).collect()
}

/// Escapes a text for HTML, as content and in attributes.
pub(crate) fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A line as HTML.
pub(crate) fn line_to_html(line: &str) -> String {
    let part = |part: Part<'_>| match part {
        Part::Text(text) => escape_html(text),
        Part::Code(code) => format!("<code>{}</code>", escape_html(code)),
    };
    parts(line).into_iter().map(part).collect()
}

/// A text within a line of Markdown, in which nothing but code is markup.
pub(crate) fn words_to_markdown(text: &str) -> String {
    let part = |part: Part<'_>| match part {
        Part::Text(text) => escape_markdown(text),
        Part::Code(code) => format!("`{code}`"),
    };
    parts(text).into_iter().map(part).collect()
}

/// A whole line as Markdown, in which nothing but code is markup.
pub(crate) fn line_to_markdown(line: &str) -> String {
    let markdown = words_to_markdown(line);
    // What begins a block: headings, quotes, items, numbers.
    let first = markdown.chars().next();
    if matches!(first, Some('#' | '>' | '+' | '-' | '=' | '~' | '|')) {
        return format!("\\{markdown}");
    }
    let digits = markdown.len() - markdown.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    match markdown[digits..].chars().next() {
        Some('.' | ')') if digits > 0 => format!("{}\\{}", &markdown[..digits], &markdown[digits..]),
        _ => markdown,
    }
}

fn escape_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escape = match character {
            '\\' | '`' | '*' | '[' | ']' | '<' => true,
            '~' => before == '~' || characters.peek() == Some(&'~'),
            // Within a word an underscore is none of Markdown's.
            '_' => !before.is_alphanumeric() || !characters.peek().is_some_and(|next| next.is_alphanumeric()),
            '&' => characters.peek().is_some_and(|next| next.is_ascii_alphabetic() || *next == '#'),
            '!' => characters.peek() == Some(&'['),
            _ => false,
        };
        if escape {
            escaped.push('\\');
        }
        escaped.push(character);
        before = character;
    }
    escaped
}

/// The words of Markdown, without its marks; code stays in backticks.
pub(crate) fn words_of_markdown(markdown: &str) -> String {
    let mut words = String::with_capacity(markdown.len());
    for event in Parser::new_ext(markdown, Options::empty()) {
        match event {
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => words.push_str(&text),
            Event::Code(code) => {
                words.push('`');
                words.push_str(&code);
                words.push('`');
            }
            Event::SoftBreak
            | Event::HardBreak
            | Event::End(TagEnd::Paragraph | TagEnd::Item | TagEnd::Heading(_) | TagEnd::CodeBlock) => words.push(' '),
            _ => {}
        }
    }
    words
}

/// Prose as Markdown: as it is where that is harmless, escaped where it holds HTML, images, or links to what is no page.
pub(crate) fn prose_to_markdown(prose: &str) -> String {
    let is_harmless = Parser::new_ext(prose, Options::empty()).all(|event| match event {
        Event::Html(_) | Event::InlineHtml(_) | Event::Start(Tag::Image { .. } | Tag::HtmlBlock) => false,
        Event::Start(Tag::Link { dest_url, .. }) => is_page(&dest_url),
        _ => true,
    });
    if is_harmless {
        return prose.to_owned();
    }
    let line = |line: &str| {
        let text = line.trim_start();
        let indent = &line[..line.len() - text.len()];
        // Items stay items.
        match text.strip_prefix("- ").or_else(|| text.strip_prefix("* ")) {
            Some(item) => format!("{indent}- {}", line_to_markdown(item)),
            None => format!("{indent}{}", line_to_markdown(text)),
        }
    };
    prose.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Prose, in Markdown, as HTML: raw HTML in it is shown as text, images as their description, and links lead to pages
/// alone. Headings become small ones: they stand below ours.
pub(crate) fn prose_to_html(prose: &str) -> String {
    let mut dropped = Vec::new();
    let events =
        Parser::new_ext(prose, Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES).filter_map(
            |event| match event {
                Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
                Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
                Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
                Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
                Event::Start(Tag::Link { ref dest_url, .. }) => {
                    let drop = !is_page(dest_url);
                    dropped.push(drop);
                    (!drop).then_some(event)
                }
                Event::End(TagEnd::Link) => (!dropped.pop().unwrap_or(true)).then_some(event),
                Event::Start(Tag::Heading { classes, attrs, .. }) => {
                    Some(Event::Start(Tag::Heading { level: HeadingLevel::H4, id: None::<CowStr<'_>>, classes, attrs }))
                }
                Event::End(TagEnd::Heading(_)) => Some(Event::End(TagEnd::Heading(HeadingLevel::H4))),
                Event::Start(Tag::CodeBlock(_)) => {
                    Some(Event::Start(Tag::CodeBlock(pulldown_cmark::CodeBlockKind::Indented)))
                }
                other => Some(other),
            },
        );
    let mut html = String::with_capacity(prose.len() * 2);
    pulldown_cmark::html::push_html(&mut html, events);
    html
}

fn is_page(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    ["https://", "http://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [&str; 12] = [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "[x](javascript:alert(1))",
        "![x](https://tracker.example.org/a.gif)",
        "[x][y]\n\n[y]: javascript:alert(1)",
        "<javascript:alert(1)>",
        "`<b>` and <b>",
        "``<b>` <i>",
        "<div>\n<p onclick='x'>\n\ntext",
        "[a](https://e.example/\"onmouseover=\"x)",
        "```\"><script>\n<b>\n```",
        "&lt;b&gt; &#60;i&#62;",
    ];

    /// All tags that stand in a text.
    fn tags(html: &str) -> Vec<&str> {
        html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()).collect()
    }

    #[test]
    fn nothing_hostile_becomes_html() {
        let allowed = ["p", "/p", "code", "/code", "pre", "/pre", "pre", "a", "/a"];
        for text in HOSTILE {
            for html in [
                line_to_html(text),
                prose_to_html(text),
                prose_to_html(&prose_to_markdown(text)),
                prose_to_html(&line_to_markdown(text)),
            ] {
                for tag in tags(&html) {
                    let is_link = tag.starts_with("a href=\"http") && tag.matches('"').count() == 2;
                    assert!(allowed.contains(&tag) || is_link, "{text:?} gives {tag:?} in {html}");
                }
                assert!(!html.contains("javascript:") || !html.contains("<a"), "{text:?}: {html}");
            }
        }
    }

    #[test]
    fn markdown_of_lines_reads_as_the_line() {
        for line in [
            "Add `<b>` & <i> to *all* __init__ snake_case [x](y) #1",
            "# no heading",
            "1. no list",
            "- no item",
            "a ` b",
            "C:\\dir ~~x~~ &amp; \"quoted\" it's",
        ] {
            let html = prose_to_html(&line_to_markdown(line));
            let text = html
                .trim()
                .strip_prefix("<p>")
                .and_then(|html| html.strip_suffix("</p>"))
                .unwrap_or_else(|| panic!("{html}"));
            let text = text.replace("<code>", "`").replace("</code>", "`");
            let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
            assert_eq!(text, line);
        }
    }

    #[test]
    fn markdown_stays_where_it_is_harmless() {
        let prose = "Some **bold**, `a < b`, [page](https://example.org).\n\n- one\n- two";
        assert_eq!(prose_to_markdown(prose), prose);
        let html = prose_to_html(prose);
        assert!(
            html.contains("<strong>bold</strong>") && html.contains("<a href=\"https://example.org\">page</a>"),
            "{html}"
        );
        assert_eq!(prose_to_markdown("- <b> x\n\n  1. y"), "- \\<b> x\n\n  1\\. y");
        assert_eq!(words_of_markdown("a **b**, <i> `c` [d](https://e)\nf").trim(), "a b, <i> `c` d f");
        assert_eq!(prose_to_html("# Title").trim(), "<h4>Title</h4>");
    }
}
