//! Thousands of damaged packages, uploaded to a running server: each is taken or refused with a reason, and the channel
//! stays readable.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::Digest;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use repo_api::{Problem, PublishRequest, StagedPackage};
use repo_server::{Limits, ServerSettings};

use crate::reader::{Reader, Way};
use crate::support::{Running, rpm, rpmbuild};
use crate::surgery::Patient;
use crate::zoo;

const TASKS: u64 = 4;
const LEAD_SIZE: usize = 96;
/// The longest that one upload may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// How much memory the uploads may cost for good, bytes: those that are taken stay in the channel.
const GROWTH: u64 = 200 << 20;

const ODD_NUMBERS: [u32; 10] = [0, 1, 2, 16, 0xff, 0xffff, 0x0010_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
const ODD_TEXTS: [&[u8]; 8] =
    [b"\xef\xbf\xbe", b"\xed\xa0\x80", b"\xff\xfe", b"]]>", b"<&\">'", b"\x01\x1f", b"../../../", b"\n\r\t "];

/// How many packages are uploaded; `HOSTILE_UPLOADS` says otherwise.
fn uploads() -> u64 {
    std::env::var("HOSTILE_UPLOADS").ok().and_then(|text| text.parse().ok()).unwrap_or(1000)
}

/// What came of the uploads, by HTTP status and kind of problem.
type Outcomes = BTreeMap<String, u64>;

#[tokio::test(flavor = "multi_thread")]
async fn damaged_packages_are_taken_or_refused() {
    let limits = Limits { writes_per_second: u32::MAX, writes_at_once: u32::MAX, ..Limits::default() };
    let settings = ServerSettings { limits, ..ServerSettings::new("127.0.0.1:0".parse().unwrap()) };
    let server = Arc::new(Running::with(settings, |access| access).await);
    let models = Arc::new(models(&server));
    let mut outcomes = send_all(&server, &models, 0, uploads() / 4).await;
    let before = resident();
    for (outcome, count) in send_all(&server, &models, 1, uploads() * 3 / 4).await {
        *outcomes.entry(outcome).or_default() += count;
    }
    let grown = resident().saturating_sub(before);
    println!("{outcomes:?}, {} MB more", grown >> 20);
    assert!(grown < GROWTH, "{grown} bytes more");
    assert_eq!(outcomes.values().sum::<u64>(), uploads() / 4 / TASKS * TASKS + uploads() * 3 / 4 / TASKS * TASKS);
    assert!(
        outcomes.contains_key("201") && outcomes.keys().any(|outcome| outcome.ends_with("NotAnRpm")),
        "{outcomes:?}"
    );

    server.lab.publish("dev", vec![rpm("healthy", "1", "a")]).await;
    let key = server.lab.repository.keys().keys().public().to_owned();
    let reader = Reader::new(&server.url, "dev", Way::BaseUrl, "127.0.0.1".parse().unwrap(), &key);
    let found = reader.refresh().await.unwrap();
    for named in &found.packages {
        reader.package(&found.base, named).await.unwrap();
    }
    assert!(found.packages.iter().any(|named| named.href == "Packages/healthy-1-1.noarch.rpm"));
}

/// Healthy and strange packages to damage.
fn models(server: &Running) -> Vec<Vec<u8>> {
    let built = rpmbuild(server.lab.directory.path(), crate::createrepo::FEATURES);
    let built: Vec<Vec<u8>> = built.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let strange = zoo::packages(&Patient::open(&built[0])).into_iter();
    // Large ones only take time.
    let strange = strange.map(|(_, bytes)| bytes).filter(|bytes| bytes.len() < 50_000);
    built.iter().cloned().chain(strange).chain([rpm("model", "1", "a")]).collect()
}

async fn send_all(server: &Arc<Running>, models: &Arc<Vec<Vec<u8>>>, round: u64, count: u64) -> Outcomes {
    let tasks = (0..TASKS).map(|task| {
        let (server, models) = (Arc::clone(server), Arc::clone(models));
        tokio::spawn(async move {
            let http = crate::reader::http().build().unwrap();
            let mut random = StdRng::seed_from_u64(round * TASKS + task);
            let mut outcomes = Outcomes::new();
            for _ in 0..count / TASKS {
                let package = damaged(&models, &mut random);
                let outcome = send(&http, &server.url, package).await;
                *outcomes.entry(outcome).or_default() += 1;
            }
            outcomes
        })
    });
    let mut all = Outcomes::new();
    for task in tasks.collect::<Vec<_>>() {
        for (outcome, count) in task.await.unwrap() {
            *all.entry(outcome).or_default() += count;
        }
    }
    all
}

/// Uploads and publishes a file; an answer is a success, or a problem that says what is wrong.
async fn send(http: &reqwest::Client, url: &str, bytes: Vec<u8>) -> String {
    let (started, sha256) = (Instant::now(), Digest::of(&bytes).to_string());
    let uploaded = http.put(format!("{url}/api/v1/blobs/{sha256}")).body(bytes).send().await.unwrap();
    assert!(uploaded.status().is_success(), "{}", uploaded.text().await.unwrap());
    let staged = StagedPackage { sha256: sha256.parse().unwrap(), file_name: "damaged.rpm".to_owned(), time: None };
    let request = PublishRequest { packages: vec![staged], who: None, why: None };
    let answer = http.post(format!("{url}/api/v1/channels/dev/packages")).json(&request).send().await.unwrap();
    assert!(started.elapsed() < PATIENCE, "{sha256} took {:?}", started.elapsed());
    let status = answer.status();
    if status.is_success() {
        return status.as_str().to_owned();
    }
    let text = answer.text().await.unwrap();
    assert!(status.is_client_error(), "{sha256}: {status} {text}");
    let problem: Problem = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert!(problem.detail.len() > 10 && problem.detail.contains("damaged.rpm") || status == 409, "{text}");
    format!("{} {:?}", status.as_str(), problem.kind)
}

/// One of the models with some bytes, a field of an index, or its end changed.
fn damaged(models: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut package = models[random.gen_range(0..models.len())].clone();
    for _ in 0..random.gen_range(1..6) {
        let at = random.gen_range(0..package.len());
        match random.gen_range(0..10) {
            0 => package[at] = random.r#gen(),
            1 => package[at] ^= 1 << random.gen_range(0..8),
            2 | 3 => overwrite(&mut package, at, ODD_TEXTS[random.gen_range(0..ODD_TEXTS.len())]),
            4..9 => damage_index(&mut package, random),
            _ => package.truncate(at.max(1)),
        }
    }
    package
}

fn overwrite(package: &mut [u8], at: usize, text: &[u8]) {
    for (byte, new) in package[at..].iter_mut().zip(text) {
        *byte = *new;
    }
}

/// Changes one of the four numbers of a tag, in one of the headers.
fn damage_index(package: &mut [u8], random: &mut StdRng) {
    let number = |at: usize| package.get(at..at + 4).map(|bytes| u32::from_be_bytes(bytes.try_into().unwrap()));
    let mut start = LEAD_SIZE;
    if random.gen_range(0..4) > 0 {
        let (Some(tags), Some(bytes)) = (number(start + 8), number(start + 12)) else { return };
        start = (start + 16).saturating_add(16 * tags as usize).saturating_add(bytes as usize).next_multiple_of(8);
    }
    let Some(tags) = number(start.saturating_add(8)) else { return };
    let at = start + 16 + 16 * random.gen_range(0..tags.clamp(1, 200) as usize) + 4 * random.gen_range(0..4);
    let Some(value) = number(at) else { return };
    let value = match random.gen_range(0..4) {
        0 => value.wrapping_add(1),
        1 => value.wrapping_sub(1),
        2 => random.gen_range(1000..1160),
        _ => ODD_NUMBERS[random.gen_range(0..ODD_NUMBERS.len())],
    };
    overwrite(package, at, &value.to_be_bytes());
}

/// The memory of this process, bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}
