//! Where the pages of packages are.

use nevra::Nevra;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What may not stand in a segment of a path, or in the value of a query, as it is (RFC 3986).
const SEGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'/')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A package's written form, cut into the two segments of its pages' URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PackagePath {
    /// The name as it is written in a NEVRA.
    pub(crate) name: String,
    /// Epoch, version, release and architecture: `1.4.0-57.noarch`.
    pub(crate) version: String,
}

impl PackagePath {
    /// The segments of a package.
    pub(crate) fn of(nevra: &Nevra) -> Self {
        // No part of the written form but the name holds a `-`.
        let text = nevra.to_string();
        let mut dashes = text.rmatch_indices('-').map(|(at, _)| at);
        let (_, cut) = (dashes.next(), dashes.next().unwrap_or_default());
        let (name, version) = text.split_at(cut);
        Self { name: name.to_owned(), version: version.get(1..).unwrap_or_default().to_owned() }
    }

    /// The page of the package's versions.
    pub(crate) fn package_url(&self) -> String {
        format!("/ui/packages/{}", encoded(&self.name))
    }

    /// The page of the version.
    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.package_url(), encoded(&self.version))
    }

    /// The page of what differs between it and a later one of the same name.
    pub(crate) fn difference_url(&self, to: &Self) -> String {
        format!("{}/differences?from={}&to={}", self.package_url(), encoded(&self.version), encoded(&to.version))
    }
}

/// The name of a package as it is written in NEVRAs and URLs.
pub(crate) fn of_package(nevra: &Nevra) -> String {
    PackagePath::of(nevra).name
}

/// Writes a text so that it can be a segment of a path or a value of a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

#[cfg(test)]
mod tests {
    use nevra::{Arch, Evr, Name};

    use super::*;

    #[test]
    fn paths_read_back() {
        let odd = Nevra {
            name: Name::from_header("<script>\"ü-".to_owned()),
            evr: Evr::from_header(0, "1 2".to_owned(), "3-4".to_owned()),
            arch: Arch::noarch(),
        };
        let plain: Nevra = "a-b+c-2:1.0~rc1^2-1.el9.noarch".parse().unwrap();
        assert_eq!(PackagePath::of(&plain).url(), "/ui/packages/a-b%2Bc/2:1.0~rc1%5E2-1.el9.noarch");
        for nevra in [odd, plain] {
            let path = PackagePath::of(&nevra);
            assert_eq!(format!("{}-{}", path.name, path.version).parse(), Ok(nevra));
            let url = percent_encoding::percent_decode_str(&path.url()).decode_utf8().unwrap().into_owned();
            assert_eq!(url, format!("/ui/packages/{}/{}", path.name, path.version));
        }
    }
}
