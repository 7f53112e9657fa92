//! The metalink and the mirror list of a channel: this server, at one commit.

use ledger::Digest;
use repo_api::ChannelName;

/// What a metalink says of a channel (Metalink 3.0 with MirrorManager's timestamp, as yum, dnf and zypper read it): which
/// repomd.xml is the newest, and the one place where it is.
///
/// It names an immutable URL of one commit, so that repomd.xml, its signature and the documents that it names are fetched
/// of one commit, whatever is published in between; and dnf, whose repomd.xml has this digest already, asks for nothing
/// else.
#[derive(Debug, Clone)]
pub(crate) struct Metalink<'a> {
    /// The server, such as `https://rpm.example.org`.
    pub(crate) base: &'a str,
    pub(crate) channel: &'a ChannelName,
    pub(crate) commit: u64,
    pub(crate) repomd: Digest,
    /// Bytes of repomd.xml.
    pub(crate) size: u64,
    /// The newest time that repomd.xml says of a document, which yum 3 compares; seconds since 1970.
    pub(crate) time: u64,
}

impl Metalink<'_> {
    /// Renders it.
    pub(crate) fn render(&self) -> String {
        let Self { base, channel, commit, repomd, size, time } = self;
        let protocol = if base.starts_with("https:") { "https" } else { "http" };
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <metalink version=\"3.0\" xmlns=\"http://www.metalinker.org/\" \
             xmlns:mm0=\"http://fedorahosted.org/mirrormanager\" type=\"dynamic\" generator=\"pkg\">\n \
             <files>\n  \
             <file name=\"repomd.xml\">\n   \
             <mm0:timestamp>{time}</mm0:timestamp>\n   \
             <size>{size}</size>\n   \
             <verification>\n    <hash type=\"sha256\">{repomd}</hash>\n   </verification>\n   \
             <resources maxconnections=\"1\">\n    \
             <url protocol=\"{protocol}\" type=\"{protocol}\" preference=\"100\">\
             {base}/{channel}/@{commit}/repodata/repomd.xml</url>\n   \
             </resources>\n  </file>\n </files>\n</metalink>\n"
        )
    }
}

/// Renders the mirror list: one line.
pub(crate) fn mirror_list(base: &str, channel: &ChannelName, commit: u64) -> String {
    format!("{base}/{channel}/@{commit}/\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_one_commit() {
        let channel: ChannelName = "dev".parse().unwrap();
        let base = "https://rpm.example.org";
        let repomd = Digest::of(b"repomd");
        let text = Metalink { base, channel: &channel, commit: 7, repomd, size: 6, time: 1 }.render();
        let url = "<url protocol=\"https\" type=\"https\" preference=\"100\">\
                   https://rpm.example.org/dev/@7/repodata/repomd.xml</url>";
        for part in [url, &format!("<hash type=\"sha256\">{repomd}</hash>"), "<size>6</size>", "<mm0:timestamp>1<"] {
            assert!(text.contains(part), "{text}");
        }
        assert_eq!(mirror_list(base, &channel, 7), "https://rpm.example.org/dev/@7/\n");
    }
}
