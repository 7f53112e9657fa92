//! Rich dependencies: `(a or b >= 2)` (rpm's `docs/manual/boolean_dependencies.md`).

use super::dependency;

/// How deep they may be nested.
const DEPTH_LIMIT: usize = 16;

/// Gives a rich dependency with single blanks, as rpm has it in a header; none if it does not hold.
pub(super) fn normal_form(text: &str) -> Option<String> {
    let mut reader = Reader { rest: text };
    let normal = reader.group(DEPTH_LIMIT)?;
    reader.rest.trim().is_empty().then_some(normal)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// `(operand operator operand …)`.
    fn group(&mut self, depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        self.rest = self.rest.trim_start().strip_prefix('(')?;
        let mut normal = format!("({}", self.operand(depth)?);
        let mut operators = Vec::new();
        while !self.closes() {
            operators.push(self.word()?);
            normal.push_str(&format!(" {} {}", operators.last()?, self.operand(depth)?));
        }
        normal.push(')');
        is_chain(&operators).then_some(normal)
    }

    fn operand(&mut self, depth: usize) -> Option<String> {
        if self.rest.trim_start().starts_with('(') {
            return self.group(depth);
        }
        let mut words = vec![self.word()?];
        let ahead = Reader { rest: self.rest }.word();
        if ahead.is_some_and(|word| matches!(word, "<" | "<=" | "=" | ">=" | ">")) {
            words.extend([self.word()?, self.word()?]);
        }
        dependency::simple(&words).map(|_| words.join(" "))
    }

    /// What stands up to a blank, or to a `)` that the word itself did not open.
    fn word(&mut self) -> Option<&'a str> {
        let text = self.rest.trim_start();
        let mut open = 0_usize;
        let mut end = text.len();
        for (index, character) in text.char_indices() {
            match character {
                '(' => open += 1,
                ')' if open > 0 => open -= 1,
                ')' => end = end.min(index),
                character if character.is_whitespace() => end = end.min(index),
                _ => {}
            }
            if end < text.len() {
                break;
            }
        }
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn closes(&mut self) -> bool {
        match self.rest.trim_start().strip_prefix(')') {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// Only `and`, `or` and `with` may be chained, each with itself; `if` and `unless` may have an `else`.
fn is_chain(operators: &[&str]) -> bool {
    match operators {
        ["if" | "unless" | "without"] | ["if" | "unless", "else"] => true,
        [first @ ("and" | "or" | "with"), rest @ ..] => rest.iter().all(|operator| operator == first),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        for (text, expected) in [
            ("(a or b)", "(a or b)"),
            ("( a  and\tb and c )", "(a and b and c)"),
            ("(a >= 1:2-3 if b else c)", "(a >= 1:2-3 if b else c)"),
            ("((a with b < 2) or perl(X::Y))", "((a with b < 2) or perl(X::Y))"),
            ("(lib()(64bit) unless b)", "(lib()(64bit) unless b)"),
            ("(a or(b and c))", ""),
        ] {
            assert_eq!(normal_form(text).unwrap_or_default(), expected, "{text}");
        }
    }

    #[test]
    fn refuses() {
        let deep = format!("{}a or b{}", "(".repeat(200), ")".repeat(200));
        for bad in [
            "(a)",
            "()",
            "(a or)",
            "(a or b",
            "(a or b))",
            "(a or b) c",
            "(a xor b)",
            "(a and b or c)",
            "(a >= or b)",
            &deep,
        ] {
            assert_eq!(normal_form(bad), None, "{bad}");
        }
    }
}
