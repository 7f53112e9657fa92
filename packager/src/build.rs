//! The build's steps.

use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use fs_err::File;
use nevra::Nevra;
use openpgp::PrivateKey;
use sha2::{Digest, Sha256};

use crate::contents::{Contents, ContentsError};
use crate::inside::{self, Archives, Described, Jar, JarProblem, NotesError, WebArchive, WebArchiveError};
use crate::layout::{self, LayoutError};
use crate::rpm_file::{self, Draft, KnownContent, KnownContents, ReadBackError, WriteError};
use crate::{PackageLayout, PackageSpec, SourceDate};

/// A package that was built and stands under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltPackage {
    /// The .rpm file.
    pub path: PathBuf,
    /// Its identity.
    pub nevra: Nevra,
    /// Size of the file, bytes.
    pub size: u64,
    /// What its builder should know.
    pub notices: Vec<Notice>,
}

/// Something that is allowed and may still surprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A jar is not known as well as it could be.
    Jar {
        /// Its path, within what holds it or on the host.
        path: String,
        /// The WAR, EAR or executable jar that holds it.
        holder: Option<String>,
        /// Why.
        problem: JarProblem,
    },
    /// Git refuses to read the checkout, so that no commit is known.
    Git(String),
}

/// Says why a package could not be built. Nothing is left in the output directory then.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Something that the spec asks for.
    #[error(transparent)]
    Contents(#[from] ContentsError),
    /// The contents cannot be laid out.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The WAR could not be looked into.
    #[error(transparent)]
    Inside(#[from] WebArchiveError),
    /// The release notes could not be written.
    #[error(transparent)]
    Notes(#[from] NotesError),
    /// The package could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// What was written is not what was meant.
    #[error(transparent)]
    ReadBack(#[from] ReadBackError),
}

/// A package that is laid out: every input was found, nothing is written yet.
#[derive(Debug)]
pub struct PlannedPackage {
    layout: PackageLayout,
    notices: Vec<Notice>,
    /// The archives that were looked into.
    archives: Archives,
    /// Keeps what was packed or unpacked for it.
    _contents: Contents,
}

/// A package that is written and read back, but has no name yet. Dropped, it is gone.
#[derive(Debug)]
pub struct DraftedPackage {
    draft: Draft,
    package: BuiltPackage,
}

/// Finds everything that a spec asks for and lays it out.
///
/// # Errors
/// [`BuildError`] for a content that is not there or cannot be laid out.
pub fn plan(spec: &PackageSpec, source_date: SourceDate) -> Result<PlannedPackage, BuildError> {
    let contents = Contents::gather(spec, source_date)?;
    let mut layout = layout::plan(spec, &contents, source_date)?;
    let archives = inside::describe(&mut layout, &Described::of(spec))?;
    inside::add_notes(&mut layout, &Described::of(spec))?;
    let git = spec.provenance.git_refusal.clone().map(Notice::Git);
    let notices = git.into_iter().chain(unknown_jars(&archives)).collect();
    Ok(PlannedPackage { layout, notices, archives, _contents: contents })
}

/// Refuses packages that are installed together, since one requires the other, and would install the same file.
///
/// # Errors
/// [`BuildError::Layout`], naming both.
pub fn check_together(planned: &[PlannedPackage]) -> Result<(), BuildError> {
    let layouts: Vec<_> = planned.iter().map(PlannedPackage::layout).collect();
    Ok(layout::check_together(&layouts)?)
}

impl BuiltPackage {
    /// Digests the file: sha256, 64 hexadecimal digits.
    ///
    /// # Errors
    /// Where the file can't be read any more.
    pub fn sha256(&self) -> io::Result<String> {
        let mut digest = Sha256::new();
        io::copy(&mut BufReader::with_capacity(256 * 1024, File::open(&self.path)?), &mut digest)?;
        Ok(hex::encode(digest.finalize()))
    }
}

impl PlannedPackage {
    /// What goes into it.
    #[must_use]
    pub fn layout(&self) -> &PackageLayout {
        &self.layout
    }

    /// Writes it to `directory`, which is created where it is missing, signed where there is a key.
    ///
    /// # Errors
    /// [`BuildError`]; no file is left.
    pub fn write(&self, directory: &Path, key: Option<&PrivateKey>) -> Result<DraftedPackage, BuildError> {
        let known = self.archives.holders.iter().map(|(path, WebArchive { sha256, crc32, .. })| {
            let known = KnownContent { sha256, crc32: *crc32 };
            (path.as_str(), known)
        });
        let known = known.collect();
        let mut drafted = draft(&self.layout, &known, directory, key)?;
        drafted.package.notices.clone_from(&self.notices);
        Ok(drafted)
    }
}

impl DraftedPackage {
    /// Where it is until it has its name.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.draft.path()
    }

    /// Gives it its name. A package that stands there under the same name is replaced at once and as a whole.
    ///
    /// # Errors
    /// [`BuildError`]; no file is left.
    pub fn keep(self) -> Result<BuiltPackage, BuildError> {
        self.draft.keep(&self.package.path)?;
        Ok(self.package)
    }
}

/// Builds a package in `directory`: [`plan`], [`PlannedPackage::write`] and [`DraftedPackage::keep`] in one.
///
/// # Errors
/// [`BuildError`]; no file is left.
pub fn build(
    spec: &PackageSpec,
    source_date: SourceDate,
    directory: &Path,
    key: Option<&PrivateKey>,
) -> Result<BuiltPackage, BuildError> {
    plan(spec, source_date)?.write(directory, key)?.keep()
}

/// Writes a package that is laid out, as [`build`] does with what it made of a spec.
///
/// # Errors
/// [`BuildError`]; no file is left.
pub fn pack(layout: &PackageLayout, directory: &Path, key: Option<&PrivateKey>) -> Result<BuiltPackage, BuildError> {
    draft(layout, &KnownContents::new(), directory, key)?.keep()
}

fn draft(
    layout: &PackageLayout,
    known: &KnownContents<'_>,
    directory: &Path,
    key: Option<&PrivateKey>,
) -> Result<DraftedPackage, BuildError> {
    let draft = rpm_file::write(layout, known, directory, key)?;
    let size = rpm_file::read_back(&draft, layout, key)?;
    let nevra = layout.about.nevra.clone();
    let path = directory.join(nevra.file_name());
    Ok(DraftedPackage { draft, package: BuiltPackage { path, nevra, size, notices: Vec::new() } })
}

fn unknown_jars(archives: &Archives) -> impl Iterator<Item = Notice> {
    let notice = |holder: Option<&String>, jar: &Jar| {
        let problem = jar.problem.clone()?;
        Some(Notice::Jar { path: jar.path.clone(), holder: holder.cloned(), problem })
    };
    let held = archives.holders.iter().flat_map(|(path, held)| held.jars.iter().map(move |jar| (Some(path), jar)));
    let all = held.chain(archives.jars.iter().map(|jar| (None, jar)));
    all.filter_map(move |(holder, jar)| notice(holder, jar))
}

impl std::fmt::Display for Notice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Jar { path, holder: Some(holder), problem } => write!(formatter, "`{path}` in `{holder}` {problem}"),
            Self::Jar { path, holder: None, problem } => write!(formatter, "`{path}` {problem}"),
            Self::Git(refusal) => write!(formatter, "the package does not say its commit: {refusal}"),
        }
    }
}
