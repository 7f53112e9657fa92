//! Finds what looks like a secret in a text: PEM keys, and keys named like passwords with a value that is no placeholder.

/// A secret, by where it is; never with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Secret {
    PrivateKey { line: usize },
    Password { line: usize, key: String },
}

/// Words at the end of a key whose value is a password.
const PASSWORD_WORDS: [&str; 5] = ["password", "passwd", "passphrase", "passcode", "pwd"];

/// Words at the end of a key whose value is a secret if it looks random; `token` and `secret` alone name much else.
const RANDOM_WORDS: [&str; 9] = [
    "secret",
    "secretkey",
    "apikey",
    "accesstoken",
    "authtoken",
    "token",
    "privatekey",
    "secretaccesskey",
    "accountkey",
];

/// Values that stand for the real one, or for none.
const PLACEHOLDERS: [&str; 19] = [
    "changeme",
    "change_me",
    "change-me",
    "changeit",
    "password",
    "passwd",
    "secret",
    "none",
    "null",
    "nil",
    "true",
    "false",
    "yes",
    "no",
    "todo",
    "example",
    "redacted",
    "required",
    "optional",
];

/// How references, placeholders, paths, and encrypted or hashed values begin.
const REFERENCES: [&str; 26] = [
    "/",
    "./",
    "../",
    "$",
    "@",
    "%",
    "{{",
    "<",
    "*",
    "#{",
    "{cipher}",
    "{bcrypt}",
    "{noop}${",
    "{ssha",
    "{sha",
    "{aes",
    "enc(",
    "!vault",
    "vault:",
    "env:",
    "file:",
    "classpath:",
    "jndi:",
    "xxx",
    "your",
    "arn:",
];

/// Finds the secrets of a text, each line's first.
pub(super) fn find_secrets(text: &str) -> Vec<Secret> {
    let text = without_xml_comments(text);
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    lines.filter(|(_, line)| !is_comment(line)).filter_map(|(number, line)| find_in_line(number, line)).collect()
}

/// Leaves the line breaks of comments, so that lines keep their numbers.
fn without_xml_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        let (comment, behind) = after.split_once("-->").unwrap_or((after, ""));
        kept.push_str(before);
        kept.extend(comment.chars().filter(|character| *character == '\n'));
        rest = behind;
    }
    kept + rest
}

fn find_in_line(line: usize, text: &str) -> Option<Secret> {
    if is_private_key(text) {
        return Some(Secret::PrivateKey { line });
    }
    let (key, _) = assignments(text).into_iter().find(|(key, value)| is_secret(key, value))?;
    Some(Secret::Password { line, key: key.to_owned() })
}

/// RFC 7468, and OpenPGP's armor (RFC 9580, section 6.2).
fn is_private_key(line: &str) -> bool {
    line.starts_with("-----BEGIN ") && (line.ends_with("PRIVATE KEY-----") || line.ends_with("PRIVATE KEY BLOCK-----"))
}

fn is_comment(line: &str) -> bool {
    ["#", "!", ";", "//", "*"].iter().any(|mark| line.starts_with(mark))
}

/// What a line assigns: `key = value`, `key: value`, `key="value"`, `<key>value</key>`, and `name="key" value="value"`.
fn assignments(line: &str) -> Vec<(&str, &str)> {
    let quoted = quoted(line);
    let mut found = Vec::new();
    let is_element = line.starts_with('<');
    if let (false, Some((key, value))) = (is_element, line.split_once(['=', ':'])) {
        let key = key.trim().trim_start_matches("export ").trim_start_matches("- ").trim_matches(['"', '\'', '{', ' ']);
        found.push((key, unquoted(value)));
    }
    if let Some((element, value)) = element(line) {
        found.push((element, value));
    }
    let attribute = |names: [&str; 2]| quoted.iter().find(|(key, _)| names.contains(key)).map(|(_, value)| *value);
    if let Some(name) = attribute(["name", "key"]) {
        let body = line.split_once('>').and_then(|(_, rest)| rest.split_once("</")).map(|(body, _)| body.trim());
        found.extend(attribute(["value", "content"]).or(body).map(|value| (name, value)));
    }
    found.extend(quoted);
    found
}

fn unquoted(value: &str) -> &str {
    let value = value.trim().trim_end_matches([',', ';', '}']).trim_end();
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.split(quote).next());
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// Every `key="value"`, `key='value'` and `"key": "value"`.
fn quoted(line: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut rest = line;
    let mut before = "";
    while let Some(start) = rest.find(['"', '\'']) {
        let quote = if rest.as_bytes()[start] == b'"' { '"' } else { '\'' };
        let head = &rest[..start];
        let Some((value, after)) = rest[start + 1..].split_once(quote) else { break };
        let assigned = head.trim_end().strip_suffix(['=', ':']);
        if let Some(key) = assigned {
            let key = key.trim_end();
            let key = key.rsplit(|c: char| !is_key_character(c)).next().unwrap_or(key);
            found.push((if key.is_empty() { before } else { key }, value));
        }
        before = value;
        rest = after;
    }
    found
}

fn is_key_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "._-".contains(character)
}

/// `<key>value</key>` or `<key …>value</key>`.
fn element(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix('<')?;
    let (tag, rest) = rest.split_once('>')?;
    let (value, _) = rest.split_once("</")?;
    Some((tag.split_whitespace().next()?, value.trim()))
}

fn is_secret(key: &str, value: &str) -> bool {
    if key.is_empty() || key.contains(char::is_whitespace) || is_placeholder(value) {
        return false;
    }
    let letters: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let ends_with = |words: &[&str]| words.iter().any(|word| letters.ends_with(word));
    ends_with(&PASSWORD_WORDS) || (ends_with(&RANDOM_WORDS) && looks_random(value))
}

fn is_placeholder(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    let is_hash = ["$2a$", "$2b$", "$2y$", "$5$", "$6$", "$argon2"].iter().any(|prefix| value.starts_with(prefix));
    let refers = value.contains("${") || value.contains("{{") || value.contains("%(");
    value.is_empty()
        || is_hash
        || refers
        || value.contains(char::is_whitespace)
        || PLACEHOLDERS.contains(&value.as_str())
        || REFERENCES.iter().any(|beginning| value.starts_with(beginning))
}

/// Letters and digits, and long.
fn looks_random(value: &str) -> bool {
    let has = |kind: fn(&char) -> bool| value.chars().any(|c| kind(&c));
    value.len() >= 16 && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic) && !value.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(line: &str) -> Option<String> {
        find_secrets(line).into_iter().find_map(|secret| match secret {
            Secret::Password { key, .. } => Some(key),
            Secret::PrivateKey { .. } => None,
        })
    }

    #[test]
    fn finds_passwords() {
        for (line, expected) in [
            ("db.password=tiger7", "db.password"),
            ("db.password = tiger7", "db.password"),
            ("spring.datasource.password: \"tiger7\"", "spring.datasource.password"),
            ("  password: tiger7", "password"),
            ("export DB_PASSWORD='tiger7'", "DB_PASSWORD"),
            ("\"dbPassword\": \"tiger7\",", "dbPassword"),
            ("{\"user\": \"shop\", \"password\": \"tiger7\"}", "password"),
            ("<password>tiger7</password>", "password"),
            ("<Resource name=\"jdbc/shop\" username=\"shop\" password=\"tiger7\"/>", "password"),
            ("<property name=\"password\" value=\"tiger7\"/>", "password"),
            ("<entry key=\"mail.passwd\">tiger7</entry>", "mail.passwd"),
            ("<Parameter name=\"db.pwd\" value='tiger7'/>", "db.pwd"),
            ("api.token=9f8e7d6c5b4a39281706", "api.token"),
            ("aws.secretAccessKey=wJalrXUtnFEMIK7MDENGbPxRfiCY", "aws.secretAccessKey"),
        ] {
            assert_eq!(key(line).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn leaves_placeholders_and_other_keys_alone() {
        for line in [
            "db.password=",
            "db.password=${DB_PASSWORD}",
            "db.password=${vault:db}",
            "db.password=@db.password@",
            "db.password={{ db_password }}",
            "db.password=changeit",
            "db.password=CHANGEME",
            "db.password=ENC(0f3ab)",
            "db.password={cipher}0f3ab",
            "db.password=/run/secrets/db",
            "db.password=<your password>",
            "db.password=********",
            "db.password=$2a$10$N9qo8uLOickgx2ZMRZoMye",
            "#db.password=tiger7",
            "<!-- password=\"tiger7\" -->",
            "password.min.length=8",
            "passwordEncoder=bcrypt",
            "db.password.file=secret.txt",
            "label.password=Please type your password",
            "csrf.token=on",
            "client.secret=short",
            "token.url=https://id.example.org/token",
            "<password/>",
            "<input type=\"password\" name=\"pw\"/>",
            "just words",
            "=",
            "\"",
        ] {
            assert_eq!(key(line), None, "{line}");
        }
    }

    #[test]
    fn comments_hold_no_secrets() {
        let text = "<users>\n<!--\n<user password=\"tiger7\"/>\n-->\n<user password=\"tiger8\"/>\n<!-- open";
        assert_eq!(find_secrets(text), [Secret::Password { line: 5, key: "password".to_owned() }]);
    }

    #[test]
    fn finds_private_keys() {
        for kind in
            ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
        {
            let text = format!("x\n-----BEGIN {kind}-----\n");
            assert_eq!(find_secrets(&text), [Secret::PrivateKey { line: 2 }], "{kind}");
        }
        assert_eq!(find_secrets("-----BEGIN PUBLIC KEY-----\n-----END PRIVATE KEY-----"), []);
    }
}
