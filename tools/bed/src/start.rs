//! How a bed comes to run: first the ground for all parts, since they name one another's ports and
//! files, then the processes, as many at a time as do not need one another.

use std::collections::BTreeMap;

use kube::Client;
use serde_json::json;
use tokio::try_join;

use crate::{
    Bed, Error, Options, Part, Process, Receiver,
    admission::start_webhook,
    alertmanager::{Alertmanager, routes},
    apply::apply,
    background::Background,
    bed::ADMIN,
    crds::apply_crds,
    kubelet::{Destination, carry_routes, carry_rules},
    kubernetes::Kubernetes,
    loopback::install_crypto,
    prometheus::Prometheus,
    prometheus_operator::start_operator,
    site::Site,
};

/// Processes that are ready.
type Started = Vec<(Part, Process)>;

impl Bed {
    /// Starts what was asked for, and returns when all of it is ready.
    ///
    /// # Errors
    /// Names the server that failed, with the end of its log.
    pub async fn start(options: Options) -> Result<Self, Error> {
        install_crypto();
        let mut bed = Self::prepare(&options)?;
        let (metrics, cluster) = try_join!(bed.start_metrics(&options), bed.start_cluster(&options))?;
        bed.processes.extend(metrics);
        bed.processes.extend(cluster);
        bed.start_kubelet(&options)?;
        Ok(bed)
    }

    /// Everything but the processes: their ports and files must exist before the first of them
    /// starts, since they name one another.
    fn prepare(options: &Options) -> Result<Self, Error> {
        let site = Site::new(options.keep)?;
        let background = Background::new()?;
        let kubernetes =
            options.has(Part::Apiserver).then(|| Kubernetes::prepare(&site, &options.users)).transpose()?;
        let receiver = options
            .has(Part::Alertmanager)
            .then(|| Receiver::start(&site, background.handle()))
            .transpose()?;
        let alertmanager = options
            .has(Part::Alertmanager)
            .then(|| Alertmanager::prepare(&site, &routes(receiver.as_ref())))
            .transpose()?;
        let prometheus = options
            .has(Part::Prometheus)
            .then(|| Prometheus::prepare(&site, options, alertmanager.as_ref()))
            .transpose()?;
        Ok(Self {
            background,
            processes: BTreeMap::new(),
            kubernetes,
            prometheus,
            alertmanager,
            receiver,
            site,
        })
    }

    async fn start_metrics(&self, options: &Options) -> Result<Started, Error> {
        let site = &self.site;
        let alertmanager = self.alertmanager.as_ref().map(|it| it.start(site));
        let prometheus = self.prometheus.as_ref().map(|it| it.start(site, options));
        let (alertmanager, prometheus) =
            try_join!(optional(Part::Alertmanager, alertmanager), optional(Part::Prometheus, prometheus),)?;
        Ok(alertmanager.into_iter().chain(prometheus).collect())
    }

    async fn start_cluster(&self, options: &Options) -> Result<Started, Error> {
        let Some(kubernetes) = &self.kubernetes else {
            return Ok(Started::new());
        };
        let etcd = kubernetes.start_etcd(&self.site).await?;
        let apiserver = kubernetes.start_apiserver(&self.site).await?;
        let mut started = vec![(Part::Etcd, etcd), (Part::Apiserver, apiserver)];
        let client = kubernetes.client(ADMIN)?;
        // The apiserver creates it a moment after it says that it is ready.
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"},
        });
        apply(&client, namespace).await?;
        // Boxed for its size.
        let controllers = Box::pin(self.start_controllers(options, kubernetes, &client));
        started.extend(controllers.await?);
        Ok(started)
    }

    async fn start_controllers(
        &self,
        options: &Options,
        kubernetes: &Kubernetes,
        client: &Client,
    ) -> Result<Started, Error> {
        let collector =
            options.has(Part::ControllerManager).then(|| kubernetes.start_controller_manager(&self.site));
        let (collector, mut started) = try_join!(
            optional(Part::ControllerManager, collector),
            self.start_monitoring(options, kubernetes, client),
        )?;
        started.extend(collector);
        Ok(started)
    }

    async fn start_monitoring(
        &self,
        options: &Options,
        kubernetes: &Kubernetes,
        client: &Client,
    ) -> Result<Started, Error> {
        let site = &self.site;
        if options.has(Part::MonitoringCrds) {
            apply_crds(site, client).await?;
        }
        let routes = routes(self.receiver.as_ref());
        let webhook = options.has(Part::AdmissionWebhook).then(|| start_webhook(site, kubernetes, client));
        let operator =
            options.has(Part::PrometheusOperator).then(|| start_operator(site, kubernetes, client, &routes));
        let (webhook, operator) = try_join!(
            optional(Part::AdmissionWebhook, webhook),
            optional(Part::PrometheusOperator, operator),
        )?;
        Ok(webhook.into_iter().chain(operator).collect())
    }

    /// Only prometheus-operator gives a kubelet something to carry.
    fn start_kubelet(&self, options: &Options) -> Result<(), Error> {
        if !options.has(Part::PrometheusOperator) {
            return Ok(());
        }
        let runtime = self.background.handle();
        // A client lives on the runtime it is made in.
        let _inside = runtime.enter();
        let log = self.logs().join("kubelet.log");
        if let Some(prometheus) = &self.prometheus {
            let destination =
                Destination { folder: prometheus.rules(), url: prometheus.url(), log: log.clone() };
            runtime.spawn(carry_rules(self.client(ADMIN)?, destination, options.hastened));
        }
        if let Some(alertmanager) = &self.alertmanager {
            let destination = Destination { folder: alertmanager.folder(), url: alertmanager.url(), log };
            runtime.spawn(carry_routes(self.client(ADMIN)?, destination));
        }
        Ok(())
    }
}

/// Starts a part, if it was asked for.
async fn optional(
    part: Part,
    starting: Option<impl Future<Output = Result<Process, Error>>>,
) -> Result<Option<(Part, Process)>, Error> {
    match starting {
        Some(starting) => Ok(Some((part, starting.await?))),
        None => Ok(None),
    }
}
