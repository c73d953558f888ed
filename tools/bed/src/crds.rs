//! The CRDs of prometheus-operator, as many as the bed needs.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use futures::future::try_join_all;
use http::{Request, header::CONTENT_TYPE};
use kube::{Client, discovery};

use crate::{Error, Part, eventually, site::Site};

/// The API group of prometheus-operator's kinds.
pub(crate) const GROUP: &str = "monitoring.coreos.com";

/// Without agents, Thanos rulers and scrape configurations, which it does without, and which are
/// half of the bytes and of the time.
const PLURALS: [&str; 7] = [
    "alertmanagerconfigs",
    "alertmanagers",
    "podmonitors",
    "probes",
    "prometheuses",
    "prometheusrules",
    "servicemonitors",
];

const DEADLINE: Duration = Duration::from_secs(30);

/// Applies the CRDs and waits until all of them are served.
pub(crate) async fn apply_crds(site: &Site, client: &Client) -> Result<(), Error> {
    let folder = site.server(Part::MonitoringCrds.name())?;
    let applying = PLURALS.map(|plural| apply_crd(client, &folder, plural));
    try_join_all(applying).await?;
    eventually(DEADLINE, || are_served(client))
        .await
        .ok_or_else(|| Error::Late { what: format!("serving the kinds of {GROUP}"), waited: DEADLINE })
}

/// Sends the file as it is: parsing close to a megabyte of YAML here too would double the time.
async fn apply_crd(client: &Client, folder: &Path, plural: &str) -> Result<(), Error> {
    let file = folder.join(format!("{GROUP}_{plural}.yaml"));
    let text = fs::read(&file).map_err(Error::io(format!("read {}", file.display())))?;
    let request = Request::patch(format!(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.{GROUP}\
         ?fieldManager=bed&force=true"
    ))
    .header(CONTENT_TYPE, "application/apply-patch+yaml")
    .body(text)
    .expect("the path and the header are well formed");
    client.request_text(request).await.map_err(Error::kubernetes(format!("apply the CRD of {plural}")))?;
    Ok(())
}

/// A CRD is in discovery from when it is established.
async fn are_served(client: &Client) -> Option<()> {
    let group = discovery::group(client, GROUP).await.ok()?;
    let resources = group.resources_by_stability();
    let served: BTreeSet<&str> = resources.iter().map(|(resource, _)| resource.plural.as_str()).collect();
    PLURALS.iter().all(|plural| served.contains(plural)).then_some(())
}
