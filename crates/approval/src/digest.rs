//! A plan's digest: what is signed.

use std::fmt::Write;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The sha256 of a plan's JSON in one canonical form (the keys of objects sorted, nothing between tokens), as hexadecimal.
/// Whoever has the JSON comes to the same, whatever order its keys came in.
#[must_use]
pub fn plan_digest(plan: &Value) -> String {
    let mut text = String::new();
    write(plan, &mut text);
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hexadecimal, byte| {
        let _ = write!(hexadecimal, "{byte:02x}");
        hexadecimal
    })
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<(&String, &Value)> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (index, (name, field)) in fields.into_iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                let _ = write!(text, "{}:", Value::String(name.clone()));
                write(field, text);
            }
            text.push('}');
        }
        scalar => {
            let _ = write!(text, "{scalar}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_count_and_all_else_does() {
        let digest = |text: &str| plan_digest(&serde_json::from_str(text).unwrap());
        let plan = digest(r#"{"hosts": [{"host": "web1", "work": "change"}], "stages": []}"#);
        assert_eq!(plan.len(), 64);
        assert_eq!(plan, digest(r#"{"stages":[],"hosts":[{"work":"change","host":"web1"}]}"#));
        for other in [
            r#"{"hosts": [{"host": "web2", "work": "change"}], "stages": []}"#,
            r#"{"hosts": [{"host": "web1", "work": "change"}], "stages": [null]}"#,
            r#"{"hosts": [{"host": "web1"}], "stages": []}"#,
        ] {
            assert_ne!(plan, digest(other), "{other}");
        }
        assert_eq!(digest("{}"), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }
}
