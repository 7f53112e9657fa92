//! A conversation with a child process: what it is told, and what it says until it ends.

use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::task::JoinHandle;

/// What a host may print before it is cut off, in bytes.
const OUTPUT_LIMIT: usize = 8 * 1024 * 1024;
/// How long output may follow the end of `ssh`: a connection kept open by older versions keeps stderr open too.
const AFTER_END: Duration = Duration::from_millis(300);

/// Sends the script and reads what comes back until `ssh` ends.
pub(super) async fn converse(mut child: Child, text: String) -> std::io::Result<(ExitStatus, String, String)> {
    let stdin = child.stdin.take();
    let send = async move {
        if let Some(mut stdin) = stdin {
            // A host that refuses the login reads nothing; its refusal is in stderr.
            let _ = stdin.write_all(text.as_bytes()).await;
            let _ = stdin.shutdown().await;
        }
    };
    let stdout = Capture::start(child.stdout.take());
    let stderr = Capture::start(child.stderr.take());
    let ((), status) = tokio::join!(send, child.wait());
    Ok((status?, stdout.finish().await, stderr.finish().await))
}

/// What a pipe has brought so far.
struct Capture {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Capture {
    fn start(pipe: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bytes);
        let reader = tokio::spawn(async move {
            let Some(mut pipe) = pipe else { return };
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() < OUTPUT_LIMIT {
                    kept.extend_from_slice(&buffer[..count]);
                }
            }
        });
        Self { bytes, reader }
    }

    async fn finish(self) -> String {
        let ended = tokio::time::timeout(AFTER_END, self.reader).await;
        tracing::trace!(in_time = ended.is_ok(), "pipe read");
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}
