//! The JSON schema of specs, for editors.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use super::raw_spec::RawSpec;

/// Gives the JSON schema (draft 2020-12) of package specs, made of the very types that specs are read into.
#[must_use]
pub fn schema() -> Value {
    let generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let mut schema = generator.into_root_schema_for::<RawSpec>();
    RecursiveTransform(without_null).transform(&mut schema);
    schema.to_value()
}

/// TOML knows no null: a key is there or not.
fn without_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|kind| kind != "null"));
    }
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    /// Holds a value against a schema, as far as ours go. Says where it does not fit.
    fn check(schema: &Value, value: &Value, root: &Value, place: &str) -> Result<(), String> {
        let refused = |why: &str| Err(format!("{place}: {why}"));
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = root.pointer(reference.trim_start_matches('#')).ok_or(reference)?;
            return check(target, value, root, place);
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(Value::Array(choices)) = schema.get(key)
                && !choices.iter().any(|choice| check(choice, value, root, place).is_ok())
            {
                return refused(&format!("fits none of {key}"));
            }
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        if schema.get("type").is_some_and(|expected| expected != kind) {
            return refused(&format!("is {kind}"));
        }
        if schema.get("const").is_some_and(|only| only != value)
            || schema.get("enum").and_then(Value::as_array).is_some_and(|all| !all.contains(value))
        {
            return refused("is another value");
        }
        if let (Some(items), Value::Array(values)) = (schema.get("items"), value) {
            values.iter().try_for_each(|value| check(items, value, root, place))?;
        }
        let Value::Object(members) = value else { return Ok(()) };
        let required = schema.get("required").and_then(Value::as_array);
        if required.is_some_and(|keys| keys.iter().any(|key| !members.contains_key(key.as_str().unwrap()))) {
            return refused("lacks a key");
        }
        for (key, member) in members {
            let place = format!("{place}.{key}");
            match (schema.get("properties").and_then(|all| all.get(key)), schema.get("additionalProperties")) {
                (Some(property), _) => check(property, member, root, &place)?,
                (None, Some(Value::Bool(false))) => return Err(format!("{place}: unknown")),
                (None, Some(other)) => check(other, member, root, &place)?,
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn fits(toml: &str) -> Result<(), String> {
        let value: Value = toml::from_str(toml).unwrap();
        let schema = schema();
        check(&schema, &value, &schema, "")
    }

    #[test]
    fn accepts_all_specs_that_we_show() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
        let specs = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let specs: Vec<_> = specs.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
        assert!(specs.len() >= 2);
        for path in specs {
            assert_eq!(fits(&std::fs::read_to_string(&path).unwrap()), Ok(()), "{}", path.display());
        }
    }

    #[test]
    fn accepts_and_refuses_as_the_reader_does() {
        for (toml, expected) in [
            ("name='a'", true),
            ("nam='a'", false),
            ("name=1", false),
            ("epoch=1\nrequires=['a']\n[tomcat]\nwar='a'", true),
            ("requires='a'", false),
            ("[tomcat]\nwra='a'", false),
            ("[[contents]]\ntype='file'\nsource='a'", true),
            ("[[contents]]\nsource='a'", false),
            ("[[contents]]\ntype='fil'", false),
            ("[[contents]]\ntype='tree'\nrole='config'\nnoreplace=true\nexclude=['a']\nstrip_components=1", true),
            ("[[contents]]\ntype='tree'\nrole='x'", false),
            ("[scripts]\npre='a'\npost={file='a', interpreter='/b'}", true),
            ("[scripts]\npost={fiel='a'}", false),
            ("[scripts]\npost=1", false),
            ("[[triggers]]\ntype='triggerin'\nwatches=['a']\nscript='b'", true),
            ("[[triggers]]\ntype='triggerout'\nscript='b'", false),
            ("[environments.dev]\ndirectory='a'\nvariables={A='b'}", true),
            ("[environments.dev]\ndirectry='a'", false),
            ("[[packages]]\nname='a'\n[[packages.contents]]\ntype='doc'\nsource='a'", true),
            ("[[packages]]\nnaem='a'", false),
            ("[[changelog]]\ndate='a'\nauthor='b'\nchanges=['c']", true),
            ("[[changelog]]\ndate='a'", false),
        ] {
            let read = crate::SpecFile::parse(Path::new("x.toml"), toml.to_owned());
            assert_eq!((fits(toml).is_ok(), read.is_ok()), (expected, expected), "{toml}: {:?}", fits(toml));
        }
    }

    #[test]
    fn explains_every_key() {
        fn unexplained(schema: &Value, place: &str, found: &mut Vec<String>) {
            let properties = schema.get("properties").and_then(Value::as_object);
            for (key, property) in properties.into_iter().flatten() {
                if property.get("description").is_none() {
                    found.push(format!("{place}.{key}"));
                }
            }
        }
        let schema = schema();
        let mut found = Vec::new();
        unexplained(&schema, "", &mut found);
        for (name, definition) in schema["$defs"].as_object().unwrap() {
            unexplained(definition, name, &mut found);
        }
        assert_eq!(found, Vec::<String>::new());
        assert_eq!(schema["additionalProperties"], json!(false));
        assert!(!schema.to_string().contains("\"null\""), "{schema:#}");
    }
}
