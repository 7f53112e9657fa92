//! The build's steps.

use std::path::{Path, PathBuf};

use nevra::Nevra;

use crate::contents::{Contents, ContentsError};
use crate::layout::{self, LayoutError};
use crate::rpm_file::{self, ReadBackError, WriteError};
use crate::{PackageLayout, PackageSpec, SigningKey, SourceDate};

/// A package that was built and stands under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltPackage {
    /// The .rpm file.
    pub path: PathBuf,
    /// Its identity.
    pub nevra: Nevra,
    /// sha256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// Size of the file, bytes.
    pub size: u64,
    /// What its builder should know.
    pub notices: Vec<Notice>,
}

/// Something that is allowed and may still surprise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The WAR holds a `META-INF/context.xml`.
    ContextDescriptorIgnored,
}

/// Says why a package could not be built. Nothing is left in the output directory then.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The WAR or the configuration.
    #[error(transparent)]
    Contents(#[from] ContentsError),
    /// The contents cannot be laid out.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The package could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// What was written is not what was meant.
    #[error(transparent)]
    ReadBack(#[from] ReadBackError),
}

/// Builds a package in `directory`, which is created where it is missing, signed where there is a key.
///
/// A package that stands there under the same name is replaced at once and as a whole.
///
/// # Errors
/// [`BuildError`]; no file is left.
pub fn build(
    spec: &PackageSpec,
    source_date: SourceDate,
    directory: &Path,
    key: Option<&SigningKey>,
) -> Result<BuiltPackage, BuildError> {
    let contents = Contents::gather(spec, source_date)?;
    let layout = layout::plan(spec, &contents, source_date)?;
    let package = pack(&layout, directory, key)?;
    let notices = contents.war.has_context_descriptor.then_some(Notice::ContextDescriptorIgnored);
    Ok(BuiltPackage { notices: notices.into_iter().collect(), ..package })
}

/// Writes a package that is laid out, as [`build`] does with what it made of a spec.
///
/// # Errors
/// [`BuildError`]; no file is left.
pub fn pack(layout: &PackageLayout, directory: &Path, key: Option<&SigningKey>) -> Result<BuiltPackage, BuildError> {
    let draft = rpm_file::write(layout, directory, key)?;
    let (sha256, size) = rpm_file::read_back(&draft, layout, key)?;
    let nevra = layout.about.nevra.clone();
    let path = directory.join(nevra.file_name());
    draft.keep(&path)?;
    Ok(BuiltPackage { path, nevra, sha256, size, notices: Vec::new() })
}

impl std::fmt::Display for Notice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::ContextDescriptorIgnored => {
                "the WAR holds a `META-INF/context.xml`, which Tomcat does not read: the package's descriptor takes its \
                 place"
            }
        })
    }
}
