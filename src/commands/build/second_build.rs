//! `pkg build --check`: the same build once more, by a process of its own, with everything around it changed that must
//! not matter: the checkout's place, times, modes and order of files, hard links, umask, locale, time zone.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use packager::SourceDate;
use tempfile::TempDir;

use super::mirror::{Mirror, Mirrored};
use crate::render::Printer;

/// A build that was made again.
pub(super) struct SecondBuild {
    place: TempDir,
}

impl SecondBuild {
    /// Runs this very command again, as of `date`; `out` is where the first build's packages go.
    pub(super) fn run(specs: &[PathBuf], out: &Path, date: SourceDate, printer: &Printer) -> anyhow::Result<Self> {
        let place = tempfile::Builder::new().prefix("pkg-check-").tempdir().context("no place for a second build")?;
        let copy = place.path().join("sources of another checkout");
        let mirror = match Mirror::of_project(specs, out)? {
            Mirrored::At(mirror) => mirror.copy_to(&copy)?.then_some((mirror, copy)),
            Mirrored::Nowhere => None,
        };
        if mirror.is_none() {
            printer.talk("checking in place: the sources are spread too far, or too large, to be copied");
        }
        let here = std::env::current_dir().context("could not tell the current directory")?;
        let moved = |path: &Path| match &mirror {
            Some((mirror, copy)) => mirror.moved(path, copy),
            None => path.to_owned(),
        };
        let output = place.path().join("out");
        let arguments = arguments(std::env::args_os().skip(1), &output, moved);
        let mut command = Command::new("/bin/sh");
        // A umask can be set without further tools in a shell alone; the real arguments pass through untouched.
        command.args(["-c", "umask 0; exec \"$@\"", "sh"]).arg(std::env::current_exe()?).args(arguments);
        command.current_dir(moved(&here)).stdin(Stdio::null());
        command.envs([("LC_ALL", "tr_TR.UTF-8"), ("TZ", "Pacific/Kiritimati"), ("GIT_OPTIONAL_LOCKS", "0")]);
        command.env("SOURCE_DATE_EPOCH", date.seconds().to_string()).env("TMPDIR", place.path());
        let result = command.output().context("could not run /bin/sh for a second build")?;
        if !result.status.success() {
            bail!("the second build failed:\n{}", String::from_utf8_lossy(&result.stderr).trim_end());
        }
        Ok(Self { place })
    }

    /// Where it left a package.
    pub(super) fn package(&self, file_name: &OsStr) -> PathBuf {
        self.place.path().join("out").join(file_name)
    }
}

/// This command's arguments without `--check`, with another directory for packages, and absolute paths moved.
fn arguments(own: impl Iterator<Item = OsString>, out: &Path, moved: impl Fn(&Path) -> PathBuf) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = own
        .filter(|argument| argument != "--check")
        .map(|argument| match Path::new(&argument) {
            path if path.is_absolute() => moved(path).into_os_string(),
            _ => argument,
        })
        .collect();
    // After a `--` there are only specs.
    let end = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    arguments.splice(end..end, ["--out".into(), out.into()]);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_of_the_second_build() {
        let moved = |path: &Path| Path::new("/copy").join(path.strip_prefix("/project").unwrap_or(path));
        let of = |text: &str| {
            let arguments = arguments(text.split(' ').map(OsString::from), Path::new("/tmp/out"), moved);
            arguments.join(OsStr::new(" ")).into_string().unwrap()
        };
        assert_eq!(of("build --check a.toml --out dist"), "build a.toml --out dist --out /tmp/out");
        assert_eq!(of("build /project/a.toml --check"), "build /copy/a.toml --out /tmp/out");
        assert_eq!(of("build --check -- a.toml"), "build --out /tmp/out -- a.toml");
    }
}
