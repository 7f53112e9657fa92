//! How far ledgers were seen: a chain proves that nothing before its head was changed, and only who remembers an earlier head
//! can prove that it was not written anew as a whole.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ledger::{Digest, Ledger, Position};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::link::{Link, short};
use crate::exit::Failure;

/// What was seen, by the ledgers' names.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    file: Option<PathBuf>,
    heads: BTreeMap<String, Head>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    number: u64,
    sha256: Digest,
}

impl Remembered {
    /// Reads the file; it need not be there yet.
    pub(super) fn read(file: Option<&Path>) -> Result<Self, Failure> {
        let Some(file) = file else { return Ok(Self::default()) };
        let heads = match fs_err::read_to_string(file) {
            Ok(text) => serde_json::from_str(&text)
                .with_context(|| format!("`{}` is not what --remember wrote", file.display()))
                .map_err(Failure::input)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(Failure::input(error)),
        };
        Ok(Self { file: Some(file.to_owned()), heads })
    }

    /// Whether what was seen of a ledger is still there; remembers how far it goes now.
    pub(super) async fn check<T>(&mut self, ledger: &Ledger<T>, position: Option<&Position>) -> Option<Link>
    where
        T: Serialize + DeserializeOwned,
    {
        const LINK: &str = "remembered";
        self.file.as_ref()?;
        let (name, position) = (ledger.name().to_owned(), position.filter(|position| position.number > 0)?);
        let now = Head { number: position.number, sha256: position.digest };
        let Some(before) = self.heads.get(&name).cloned() else {
            self.heads.insert(name.clone(), now);
            return Some(Link::not_there(LINK, format!("{name} was never seen before; its head is remembered")));
        };
        let digest = before.sha256.to_string();
        let against = format!("commit {} as it was seen, {}", before.number, short(&digest));
        let found = match ledger.stored(before.number).await {
            Ok(Some(bytes)) if Digest::of(&bytes) == before.sha256 => {
                self.heads.insert(name.clone(), now);
                return Some(Link::proven(LINK, format!("{name} goes on from where it was seen last"), against));
            }
            Ok(Some(_)) => format!("{name} was written anew: commit {} is another", before.number),
            Ok(None) => format!("{name} was cut short: it had {} commits", before.number),
            Err(error) => format!("{name} can't be read: {error}"),
        };
        Some(Link::not_proven(LINK, found).against(against))
    }

    /// Writes what is remembered.
    pub(super) fn write(&self) -> Result<(), Failure> {
        let Some(path) = &self.file else { return Ok(()) };
        let text = serde_json::to_string_pretty(&self.heads).map_err(Failure::failed)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(Failure::failed)?;
        file.write_all(format!("{text}\n").as_bytes()).map_err(Failure::failed)?;
        file.persist(path).map(drop).map_err(|error| Failure::failed(error.error))
    }
}
