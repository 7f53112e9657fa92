//! The text of HTML, as JIRA writes it into its exports: for reading, never for showing as HTML again.

/// Takes the tags off, keeps paragraphs and lists apart, and resolves the usual entities.
pub(super) fn text_of_html(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        push_unescaped(&mut text, &rest[..start]);
        let after = &rest[start..];
        let is_tag = after[1..].starts_with(|next: char| next.is_ascii_alphabetic() || matches!(next, '/' | '!'));
        let Some(end) = after.find('>').filter(|_| is_tag) else {
            text.push('<');
            rest = &after[1..];
            continue;
        };
        let name = after[1..end].trim_start_matches('/');
        let name = name.split(|character: char| !character.is_ascii_alphanumeric()).next().unwrap_or_default();
        let closes = after.starts_with("</");
        rest = &after[end + 1..];
        match (name.to_ascii_lowercase().as_str(), closes) {
            ("br", _) | ("tr", true) | ("ul" | "ol", false) => text.push('\n'),
            ("p" | "div" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "pre" | "table" | "blockquote", true)
            | ("ul" | "ol", true) => text.push_str("\n\n"),
            ("li", false) => text.push_str("\n- "),
            ("script" | "style", false) => {
                let closing = format!("</{}", name.to_ascii_lowercase());
                let end = rest.to_ascii_lowercase().find(&closing).unwrap_or(rest.len());
                rest = &rest[end..];
            }
            _ => {}
        }
    }
    push_unescaped(&mut text, rest);
    text
}

fn push_unescaped(text: &mut String, part: &str) {
    let mut rest = part;
    while let Some(start) = rest.find('&') {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let entity = rest.find(';').filter(|end| *end <= 10).and_then(|end| Some((character(&rest[1..end])?, end)));
        match entity {
            Some((character, end)) => {
                text.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let number = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(number);
    }
    let known = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", ' '),
        ("ndash", '–'),
        ("mdash", '—'),
    ];
    known.iter().find(|(known, _)| *known == name).map(|(_, character)| *character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_text_stays() {
        for (html, text) in [
            ("<p>One &amp; <b>two</b>&nbsp;&#8364;</p><p>3 < 4</p>", "One & two €\n\n3 < 4\n\n"),
            ("<ul><li>a</li><li>b</li></ul>c<br/>d", "\n\n- a\n- b\n\nc\nd"),
            ("x<script>alert('<p>')</script>y<STYLE>z", "xy"),
            ("a <unclosed", "a <unclosed"),
            ("&lt;b&gt; &unknown; & &#x110000;", "<b> &unknown; & &#x110000;"),
            ("<!-- c --><a href=\"x\">l</a>", "l"),
        ] {
            assert_eq!(text_of_html(html), text, "{html}");
        }
    }
}
