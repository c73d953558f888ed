//! The operator behind a wire that is slow, cut, deaf or silent, and with a token that is no longer good.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use agentslo::domain::names::child_name;
use bed::{Bed, Launch, Options, Part, Probe, Process, eventually};
use serde_json::{Value, json};

use crate::stage;
use crate::support::{SOON, program, success_slo};
use crate::wire::{Proxy, Wire};

/// As the API server knows the operator's ServiceAccount.
const ACCOUNT: &str = "system:serviceaccount:agentslo-system:agentslo";

struct Wired {
    bed: Bed,
    wire: Proxy,
    operator: Process,
    token: PathBuf,
}

impl Wired {
    async fn start() -> Self {
        let options = Options::nothing().with(Part::ControllerManager).with(Part::MonitoringCrds);
        let bed = Bed::start(options).await.expect("the bed should start");
        stage::install(&bed, "wires").await.expect("the CRDs should install");
        stage::permit(&bed, ACCOUNT).await.expect("the account should get its rights");
        let kubeconfig = fs::read_to_string(bed.kubeconfig("operator").expect("the user should be known"));
        let mut kubeconfig: Value =
            serde_json::from_str(&kubeconfig.expect("it should be readable")).expect("it should be JSON");
        let server = kubeconfig["clusters"][0]["cluster"]["server"].as_str().unwrap_or_default();
        let port = server.rsplit(':').next().and_then(|port| port.parse().ok());
        let wire = Proxy::to(port.expect("the address should have a port")).await;
        kubeconfig["clusters"][0]["cluster"]["server"] = format!("https://127.0.0.1:{}", wire.port()).into();
        let token = bed.folder().join("operator.token");
        fs::write(&token, new_token(&bed).await).expect("the token should be written");
        kubeconfig["users"][0]["user"] = json!({"tokenFile": token.display().to_string()});
        let file = bed.folder().join("operator.kubeconfig");
        fs::write(&file, kubeconfig.to_string()).expect("the kubeconfig should be written");
        let listen = format!("127.0.0.1:{}", bed.port().expect("there should be a port"));
        let ready = Probe::Url(format!("http://{listen}/readyz"));
        let launch = Launch::new("operator", program(), &bed.logs().join("operator.log"), ready)
            .args(["run", "--listen", &listen, "--log-format", "text"])
            .env("KUBECONFIG", file.display().to_string())
            .deadline(Duration::from_mins(2));
        let operator = Process::launch(launch).await.expect("the operator should start");
        Self { bed, wire, operator, token }
    }

    async fn write(&self, objective: &str) {
        self.bed.apply_yaml(&success_slo("wires", "one", objective)).await.expect("it should be accepted");
    }

    /// Waits until the rules say so, and says how often they were changed by then.
    async fn rules_say(&self, objective: &str) -> i64 {
        let name = child_name("AgentSLO", "wires", "one");
        let said = async || {
            let args = ["get", "prometheusrules", "-n", "wires", &name, "-o", "json"];
            let text = self.bed.kubectl(&args).await.ok()?;
            let rules: Value = serde_json::from_str(&text).ok()?;
            let says_so = text.contains(&format!("\"objective\": \"{objective}\""));
            says_so.then(|| rules["metadata"]["generation"].as_i64().unwrap_or_default())
        };
        let generation = eventually(PATIENCE, said).await;
        generation.unwrap_or_else(|| panic!("the rules should be of objective {objective}"))
    }

    /// Until the status says so, and then nothing more is written.
    async fn comes_to_rest(&self) {
        let args = ["get", "agentslo", "-n", "wires", "one", "-o", "json"];
        let text = async || self.bed.kubectl(&args).await.unwrap_or_default();
        let is_ready = async || {
            let slo: Value = serde_json::from_str(&text().await).ok()?;
            let ready = crate::support::condition(&slo, "Ready")?;
            let is_about_this = slo["status"]["observedGeneration"] == slo["metadata"]["generation"];
            (ready["status"] == "True" && is_about_this).then_some(())
        };
        eventually(SOON, is_ready).await.expect("it should be ready");
        let before = text().await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(text().await, before, "nothing is written at rest");
    }
}

/// Longer than the operator waits for somebody who says nothing.
const PATIENCE: Duration = Duration::from_mins(5);

async fn new_token(bed: &Bed) -> String {
    let token = bed.kubectl(&["create", "token", "agentslo", "-n", "agentslo-system"]).await;
    token.expect("the account should get a token").trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_wire_does_no_edit_is_lost_and_none_is_made_twice() {
    let wired = Wired::start().await;
    wired.write("99").await;
    assert_eq!(wired.rules_say("99").await, 1);
    wired.comes_to_rest().await;
    let mut generation = 1;
    let states = [Wire::Slow(Duration::from_millis(200)), Wire::Cut, Wire::Deaf, Wire::Silent];
    for (state, objective) in states.into_iter().zip(["98", "97", "96", "95"]) {
        eprintln!("{state:?}");
        wired.wire.become_(state);
        wired.write(objective).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        wired.wire.become_(Wire::Sound);
        generation += 1;
        assert_eq!(wired.rules_say(objective).await, generation, "{state:?}");
        wired.comes_to_rest().await;
    }
    a_token_that_is_no_longer_good_is_replaced(&wired).await;
    the_store_may_die(&wired).await;
    wired.operator.stop().await;
    wired.bed.stop().await;
}

/// The account that it was for is gone; what lies in the file is read again every minute.
async fn a_token_that_is_no_longer_good_is_replaced(wired: &Wired) {
    let account = ["serviceaccount", "agentslo", "-n", "agentslo-system"];
    wired.bed.kubectl(&[&["delete"], &account[..]].concat()).await.expect("it should be deleted");
    wired.bed.kubectl(&[&["create"], &account[..]].concat()).await.expect("it should be made anew");
    // Every connection asks who it is again.
    wired.wire.become_(Wire::Cut);
    wired.write("94").await;
    tokio::time::sleep(Duration::from_secs(15)).await;
    wired.wire.become_(Wire::Sound);
    fs::write(&wired.token, new_token(&wired.bed).await).expect("the token should be written");
    wired.rules_say("94").await;
    wired.comes_to_rest().await;
}

async fn the_store_may_die(wired: &Wired) {
    wired.bed.server(Part::Etcd).kill9();
    tokio::time::sleep(Duration::from_secs(5)).await;
    wired.bed.server(Part::Etcd).start().await.expect("etcd should come back");
    let written = async || wired.bed.apply_yaml(&success_slo("wires", "one", "93")).await.ok();
    eventually(SOON, written).await.expect("the API server should find it again");
    wired.rules_say("93").await;
    wired.comes_to_rest().await;
}
