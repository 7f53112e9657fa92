//! A headless Chromium of a test's own, driven over its debugging pipe.
//!
//! The protocol: <https://chromedevtools.github.io/devtools-protocol/>; over a pipe, messages of JSON end with a zero byte.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::program::run;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page, ended with the test.
pub(crate) struct Browser {
    process: Child,
    to: File,
    from: Receiver<Value>,
    last: u64,
    session: String,
    /// What happened and has not been looked at.
    events: Vec<Value>,
    _directory: tempfile::TempDir,
}

impl Browser {
    #[track_caller]
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        run(Command::new("mkfifo").args(["in", "out"]).current_dir(directory.path())).ok();
        // The browser reads from descriptor 3 and writes to descriptor 4.
        let script = "exec chromium-headless-shell --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
                      --remote-debugging-pipe --no-proxy-server --user-data-dir=profile about:blank 3<in 4>out";
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(directory.path()).env("HOME", directory.path());
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let to = File::options().write(true).open(directory.path().join("in")).unwrap();
        let mut from = BufReader::new(File::open(directory.path().join("out")).unwrap());
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while from.read_until(0, &mut message).is_ok_and(|count| count > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { return };
                if sender.send(value).is_err() {
                    return;
                }
                message.clear();
            }
        });
        let session = String::new();
        let mut browser =
            Self { process, to, from: receiver, last: 0, session, events: Vec::new(), _directory: directory };
        browser.attach();
        browser
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attached = self.call("Target.attachToTarget", json!({ "targetId": target["targetId"], "flatten": true }));
        self.session = attached["sessionId"].as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log", "Audits", "Accessibility", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Calls a method and gives its result.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = self.session.clone().into();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let received = self.receive();
            if received["id"] == self.last {
                assert!(received["error"].is_null(), "{method}: {received}");
                return received["result"].clone();
            }
            self.events.push(received);
        }
    }

    #[track_caller]
    fn receive(&mut self) -> Value {
        self.from.recv_timeout(PATIENCE).expect("the browser answers")
    }

    /// Goes to a URL, and waits until all of it is there.
    #[track_caller]
    pub(crate) fn go(&mut self, url: &str) {
        self.events.retain(|event| event["method"] != "Page.loadEventFired");
        let answer = self.call("Page.navigate", json!({ "url": url }));
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        self.wait_for_load();
    }

    #[track_caller]
    fn wait_for_load(&mut self) {
        let is_load = |event: &Value| event["method"] == "Page.loadEventFired";
        while !self.events.iter().any(is_load) {
            let event = self.receive();
            self.events.push(event);
        }
        self.events.retain(|event| !is_load(event));
    }

    /// Evaluates an expression in the page.
    #[track_caller]
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let answer = self.call("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true }));
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Clicks with the mouse on the first link or button of a text, and waits for the page to which that leads.
    #[track_caller]
    pub(crate) fn click(&mut self, text: &str) {
        let place = self.evaluate(&format!(
            "(() => {{ const all = [...document.querySelectorAll('main a, main button, header a, header button')];
               const found = all.find(one => one.textContent.trim() === {}); if (!found) return null;
               found.scrollIntoView({{ block: 'center', behavior: 'instant' }});
               const box = found.getClientRects()[0];
               return [box.x + box.width / 2, box.y + box.height / 2]; }})()",
            json!(text)
        ));
        assert!(place.is_array(), "nothing to click on is called `{text}`: {}", self.text());
        self.events.retain(|event| event["method"] != "Page.loadEventFired");
        for kind in ["mousePressed", "mouseReleased"] {
            let parameters = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", parameters);
        }
        self.wait_for_load();
    }

    /// Presses a key.
    #[track_caller]
    pub(crate) fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            other => panic!("no such key here: {other}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let parameters =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
            self.call("Input.dispatchKeyEvent", parameters);
        }
    }

    /// Types a text where the focus is, and Enter, and waits for the page to which that leads.
    #[track_caller]
    pub(crate) fn enter(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
        self.events.retain(|event| event["method"] != "Page.loadEventFired");
        self.press("Enter");
        self.wait_for_load();
    }

    /// All text of the page as it is seen.
    #[track_caller]
    pub(crate) fn text(&mut self) -> String {
        self.evaluate("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Makes the window as wide as given, and bright or dark.
    #[track_caller]
    pub(crate) fn look(&mut self, width: u32, scheme: &str) {
        let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", size);
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
    }

    /// What went wrong on the pages so far: exceptions, errors on the console, dialogs, violations of a policy.
    #[track_caller]
    pub(crate) fn troubles(&mut self) -> Vec<String> {
        // A call more, and what happened before it has come.
        self.evaluate("1");
        let is_trouble = |event: &Value| match event["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" | "Page.javascriptDialogOpening" | "Audits.issueAdded" => true,
            "Runtime.consoleAPICalled" => event["params"]["type"] == "error",
            "Log.entryAdded" => event["params"]["entry"]["level"] == "error",
            _ => false,
        };
        let (troubles, _): (Vec<Value>, Vec<Value>) = self.events.drain(..).partition(is_trouble);
        troubles.iter().map(ToString::to_string).collect()
    }

    /// The accessibility tree: role and name of each node that is not ignored, in the order of the page.
    #[track_caller]
    pub(crate) fn accessible(&mut self) -> Vec<(String, String)> {
        let tree = self.call("Accessibility.getFullAXTree", json!({}));
        let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
        let nodes = tree["nodes"].as_array().unwrap().iter().filter(|node| node["ignored"] != true);
        nodes.map(|node| (text(&node["role"]), text(&node["name"]))).collect()
    }

    /// Saves a picture of the whole page where `PAGES_PICTURES` names a directory.
    #[track_caller]
    pub(crate) fn picture(&mut self, name: &str) {
        let Ok(directory) = std::env::var("PAGES_PICTURES") else { return };
        let shot = self.call("Page.captureScreenshot", json!({ "captureBeyondViewport": true }));
        let mut decode = Command::new("base64");
        let path = File::create(format!("{directory}/{name}.png")).unwrap();
        let mut child = decode.arg("-d").stdin(Stdio::piped()).stdout(path).spawn().unwrap();
        child.stdin.take().unwrap().write_all(shot["data"].as_str().unwrap().as_bytes()).unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
