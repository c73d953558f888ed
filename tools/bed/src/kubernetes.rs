//! etcd, kube-apiserver and kube-controller-manager, and who may talk to them.
//!
//! No node, no scheduler, no kubelet: objects are stored, validated, authorised and watched, and
//! nothing runs. `ServiceAccount` admission is off, since no controller creates the accounts.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use kube::{Client, Config, config::Kubeconfig};
use serde_json::json;

use crate::{
    Error, Part, Probe, Process,
    authority::{Authority, Identity, TokenKeys},
    options::User,
    port::random,
    site::{Site, write},
};

/// The users that the bed's own parts need, apart from those in the options.
const OWN_USERS: [Part; 2] = [Part::ControllerManager, Part::PrometheusOperator];

/// What it runs: it empties deleted namespaces, deletes what lost its owner, and checks the types of admission
/// policies.
const CONTROLLERS: [&str; 3] =
    ["garbage-collector-controller", "namespace-controller", "validatingadmissionpolicy-status-controller"];

/// One line for each answered request: who, which verb, which object.
const AUDIT_POLICY: &str =
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n";

/// Everything that belongs to one apiserver: how to start it, and how to reach it.
#[derive(Debug)]
pub(crate) struct Kubernetes {
    pub(crate) authority: Authority,
    kubeconfigs: PathBuf,
    etcd_port: u16,
    port: u16,
}

impl Kubernetes {
    /// Reserves ports, makes keys and writes a kubeconfig for each user. Starts nothing.
    pub(crate) fn prepare(site: &Site, users: &[User]) -> Result<Self, Error> {
        let kubernetes = Self {
            authority: Authority::new()?,
            kubeconfigs: site.subfolder("kubeconfigs")?,
            etcd_port: site.port()?,
            port: site.port()?,
        };
        kubernetes.write_keys(&site.data(Part::Apiserver.name())?)?;
        kubernetes.write_users(site, users)?;
        Ok(kubernetes)
    }

    pub(crate) async fn start_etcd(&self, site: &Site) -> Result<Process, Error> {
        let name = Part::Etcd.name();
        let clients = format!("http://127.0.0.1:{}", self.etcd_port);
        let peers = format!("http://127.0.0.1:{}", site.port()?);
        let launch = site
            .launch(name, Probe::Url(format!("{clients}/readyz")))?
            .arg(format!("--data-dir={}", site.data(name)?.display()))
            .arg(format!("--listen-client-urls={clients}"))
            .arg(format!("--advertise-client-urls={clients}"))
            .arg(format!("--listen-peer-urls={peers}"))
            .arg(format!("--initial-advertise-peer-urls={peers}"))
            .arg(format!("--initial-cluster=default={peers}"))
            .arg("--unsafe-no-fsync");
        Process::launch(launch).await
    }

    pub(crate) async fn start_apiserver(&self, site: &Site) -> Result<Process, Error> {
        let name = Part::Apiserver.name();
        let data = site.data(name)?;
        let file = |name: &str| data.join(name).display().to_string();
        let launch = site
            .launch(name, Probe::Url(format!("{}/readyz", self.url())))?
            .arg(format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port))
            .args(["--bind-address=127.0.0.1", "--authorization-mode=RBAC"])
            .arg(format!("--secure-port={}", self.port))
            .arg(format!("--cert-dir={}", data.display()))
            .arg(format!("--tls-cert-file={}", file("tls.crt")))
            .arg(format!("--tls-private-key-file={}", file("tls.key")))
            .arg(format!("--token-auth-file={}", file("tokens.csv")))
            .arg("--service-account-issuer=https://kubernetes.default.svc")
            .arg(format!("--service-account-signing-key-file={}", file("accounts.key")))
            .arg(format!("--service-account-key-file={}", file("accounts.pub")))
            .arg("--service-cluster-ip-range=10.0.0.0/24")
            .arg(format!("--audit-policy-file={}", file("audit.yaml")))
            .arg(format!("--audit-log-path={}", site.audit_log().display()))
            // Whoever reads it reads all of it: it is never put aside for a new one.
            .arg("--audit-log-maxsize=100000")
            .arg("--disable-admission-plugins=ServiceAccount")
            .arg("--allow-privileged=true")
            // It has nothing to lose, and would wait for every watch to end.
            .grace(Duration::from_secs(1));
        Process::launch(launch).await
    }

    pub(crate) async fn start_controller_manager(&self, site: &Site) -> Result<Process, Error> {
        let name = Part::ControllerManager.name();
        let port = site.port()?;
        let kubeconfig = self.kubeconfig(name)?.display().to_string();
        let launch = site
            .launch(name, Probe::Url(format!("https://127.0.0.1:{port}/healthz")))?
            .arg(format!("--kubeconfig={kubeconfig}"))
            // Nobody authenticates with it; looking up how would fail every 5 seconds.
            .arg("--authentication-skip-lookup=true")
            .arg(format!("--authorization-kubeconfig={kubeconfig}"))
            .arg(format!("--controllers={}", CONTROLLERS.join(",")))
            .args(["--leader-elect=false", "--bind-address=127.0.0.1"])
            .arg(format!("--secure-port={port}"))
            .arg(format!("--cert-dir={}", site.data(name)?.display()));
        Process::launch(launch).await
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The kubeconfig of a user.
    pub(crate) fn kubeconfig(&self, user: &str) -> Result<PathBuf, Error> {
        let file = self.kubeconfigs.join(user);
        let known = file.is_file();
        known.then_some(file).ok_or_else(|| Error::UnknownUser { name: user.to_owned() })
    }

    /// A client that acts as a user. It lives on the runtime of its caller.
    pub(crate) fn client(&self, user: &str) -> Result<Client, Error> {
        let kubeconfig = Kubeconfig::read_from(self.kubeconfig(user)?).map_err(Box::new)?;
        let config = Config::try_from(kubeconfig).map_err(Box::new)?;
        Client::try_from(config).map_err(Error::kubernetes(format!("make a client for {user}")))
    }

    fn write_keys(&self, folder: &Path) -> Result<(), Error> {
        let Identity { certificate, key } = self.authority.identify(Part::Apiserver.name())?;
        write(&folder.join("tls.crt"), certificate)?;
        write(&folder.join("tls.key"), key)?;
        write(&folder.join("audit.yaml"), AUDIT_POLICY)?;
        let TokenKeys { private, public } = TokenKeys::generate()?;
        write(&folder.join("accounts.key"), private)?;
        write(&folder.join("accounts.pub"), public)
    }

    fn write_users(&self, site: &Site, users: &[User]) -> Result<(), Error> {
        let own = OWN_USERS.map(|part| User::new(part.name(), &["system:masters"]));
        let mut tokens = String::new();
        for User { name, groups } in own.iter().chain(users) {
            let token = format!("{:016x}{:016x}", random(), random());
            writeln!(tokens, "{token},{name},{name},\"{}\"", groups.join(","))
                .expect("writing to a string cannot fail");
            self.write_kubeconfig(name, &token)?;
        }
        let file = site.data(Part::Apiserver.name())?.join("tokens.csv");
        write(&file, tokens)
    }

    /// JSON, which is YAML.
    fn write_kubeconfig(&self, user: &str, token: &str) -> Result<(), Error> {
        let root = k8s_openapi::ByteString(self.authority.root().into_bytes());
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "bed", "cluster": {
                "server": self.url(), "certificate-authority-data": root,
            }}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": user, "context": {"cluster": "bed", "user": user}}],
            "current-context": user,
        });
        write(&self.kubeconfigs.join(user), format!("{kubeconfig:#}"))
    }
}
