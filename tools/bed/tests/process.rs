//! What a process promises, with shells in the place of servers: needs no binaries.

#![allow(clippy::print_stdout, reason = "one process tells another its number")]

use std::{
    env,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    sync::LazyLock,
    time::Duration,
};

use bed::{Error, Launch, Probe, Process, eventually};
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(20);
/// Set in the process that `a_server_ends_when_its_owner_is_killed` kills.
const OWNER: &str = "BED_TEST_OWNER";

/// Something listens here for as long as the tests run.
static LISTENER: LazyLock<TcpListener> =
    LazyLock::new(|| TcpListener::bind("127.0.0.1:0").expect("a free port"));

/// A shell that is ready at once, for the port it is probed by is ours.
async fn given_server(folder: &TempDir, script: &str) -> Result<Process, Error> {
    let port = LISTENER.local_addr().expect("an address").port();
    let log = folder.path().join("server.log");
    let launch = Launch::new("server", Path::new("sh"), &log, Probe::Port(port));
    Process::launch(launch.args(["-c", script])).await
}

fn is_alive(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    // A zombie has ended; it only waits for its parent.
    status.is_ok_and(|status| !status.contains(") Z "))
}

async fn ends(pid: u32) -> bool {
    let ended = eventually(DEADLINE, || async { (!is_alive(pid)).then_some(()) });
    ended.await.is_some()
}

#[tokio::test]
async fn a_dropped_server_has_ended() {
    let folder = TempDir::new().expect("a folder");
    let server = given_server(&folder, "sleep 100").await.expect("ready");
    let pid = server.pid().expect("running");
    drop(server);
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_server_that_ignores_the_request_to_end_is_forced() {
    let folder = TempDir::new().expect("a folder");
    let script = "trap '' TERM; echo armed; while :; do sleep 1; done";
    let server = given_server(&folder, script).await.expect("ready");
    let pid = server.pid().expect("running");
    let armed = || async { std::fs::read(server.log()).ok().filter(|log| !log.is_empty()) };
    eventually(DEADLINE, armed).await.expect("its trap is set");
    server.stop().await;
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_paused_server_can_be_stopped() {
    let folder = TempDir::new().expect("a folder");
    let server = given_server(&folder, "sleep 100").await.expect("ready");
    let pid = server.pid().expect("running");
    server.pause();
    server.stop().await;
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_killed_server_starts_again() {
    let folder = TempDir::new().expect("a folder");
    let server = given_server(&folder, "sleep 100").await.expect("ready");
    let first = server.pid().expect("running");
    server.kill9();
    assert_eq!(server.pid(), None);
    server.start().await.expect("ready again");
    assert_ne!(server.pid().expect("running again"), first);
}

#[tokio::test]
async fn an_early_end_is_an_error_that_carries_the_log() {
    let folder = TempDir::new().expect("a folder");
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = nobody.local_addr().expect("an address").port();
    drop(nobody);
    let log = folder.path().join("server.log");
    let launch = Launch::new("server", Path::new("sh"), &log, Probe::Port(port));
    let script = "echo wrong flag >&2; exit 3";
    let error = Process::launch(launch.args(["-c", script])).await;
    let message = error.expect_err("it ended").to_string();
    assert!(message.contains("wrong flag"), "{message}");
    assert!(message.contains("exit status: 3"), "{message}");
}

#[tokio::test]
async fn a_server_ends_when_its_owner_is_killed() {
    let this = env::current_exe().expect("a test binary");
    let mut owner = Command::new(this)
        .args(["--exact", "owner", "--nocapture"])
        .env(OWNER, "yes")
        .stdout(Stdio::piped())
        .spawn()
        .expect("the owner starts");
    let lines = BufReader::new(owner.stdout.take().expect("piped")).lines();
    let pid = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("server ")?.parse().ok())
        .expect("the owner names its server");
    assert!(is_alive(pid));
    owner.kill().expect("it runs");
    owner.wait().expect("it ends");
    assert!(ends(pid).await);
}

/// Not a test by itself: the process that the test above kills.
#[tokio::test]
async fn owner() {
    if env::var_os(OWNER).is_none() {
        return;
    }
    let folder = TempDir::new().expect("a folder");
    let server = given_server(&folder, "sleep 100").await.expect("ready");
    println!("server {}", server.pid().expect("running"));
    tokio::time::sleep(DEADLINE).await;
}
