//! The shell: which watches wake which kind, and what runs beside them.

mod agent_observability;
mod agent_platform;
mod agent_slo;
mod apply;
mod bring_about;
mod budget;
mod children;
mod clock;
mod confirm;
mod connect;
mod contests;
mod context;
mod duplicates;
mod election;
mod error;
mod events;
mod gather;
mod incoming;
mod kinds;
mod limits;
mod lookout;
mod measure;
mod pace;
mod platforms;
mod poison;
mod publish;
mod references;
mod registry;
mod rollout;
mod scope;
mod seniority;
mod server_side_apply;
mod settings;
mod sightings;
mod survey;
mod visit;
mod wake;
mod watches;
mod work;
mod workqueue;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::select;
use futures::{FutureExt, StreamExt};
use kube::Client;
use kube::runtime::Controller;
use tokio::sync::{SetOnce, oneshot, watch};

use self::budget::Budget;
use self::clock::Clock;
use self::contests::Contests;
use self::context::Context;
use self::election::{Keeper, Tenure};
use self::events::Events;
use self::kinds::Kinds;
use self::limits::Limits;
use self::lookout::Lookout;
use self::measure::Meter;
use self::references::References;
use self::registry::Registry;
use self::sightings::Sightings;
use self::wake::Wake;
use self::watches::{Stores, Watches};
use self::work::work;
use self::workqueue::WorkQueue;
use crate::metrics::Metrics;
use crate::render::ArtifactKind;
use crate::server::{Probes, Readiness, serve};

pub use error::{ReconcileError, Retry};
pub use settings::{Election, Scope, Settings, without_ledgers};

/// Longest wait for reconciliations under way when the operator stops.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the operator until `stop` is done.
///
/// # Errors
/// If the address for probes and metrics cannot be listened on.
pub async fn run(
    client: Client,
    settings: Settings,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (clock, client) = Clock::listen(client);
    let metrics = Metrics::default();
    let readiness = Readiness::default();
    let (stopping, stopped) = watch::channel(false);
    tokio::spawn(async move {
        stop.await;
        let _ = stopping.send(true);
    });
    let (tenure, keeper) = elect(&client, &settings, &metrics);
    let is_alive = {
        let tenure = Arc::clone(&tenure);
        Arc::new(move || tenure.is_kept())
    };
    let probes = Probes { readiness: readiness.clone(), is_alive };
    let (done, work_done) = oneshot::channel::<()>();
    let work = async {
        reconcile_all((client, clock), &settings, (metrics.clone(), readiness), tenure, stopped).await;
        drop(done);
    };
    let keep = async {
        // What is held is given up when nothing is under way any more.
        match keeper {
            Some(keeper) => keeper.run(work_done.map(drop)).await,
            None => drop(work_done.await),
        }
    };
    tokio::select! {
        served = serve(settings.listen, metrics.clone(), probes) => served,
        _ = futures::future::join(work, keep) => Ok(()),
    }
}

/// What this replica is responsible for, and who sees to it where there is an election.
fn elect(client: &Client, settings: &Settings, metrics: &Metrics) -> (Arc<Tenure>, Option<Keeper>) {
    let Some(election) = &settings.election else {
        return (Arc::new(Tenure::unlimited(metrics.clone())), None);
    };
    let tenure = Arc::new(Tenure::none(election.shards, metrics.clone()));
    let candidate = (election.shards, election.identity.clone());
    let namespace = &settings.operator_namespace;
    let keeper = Keeper::new(client.clone(), namespace, &election.lease, candidate, Arc::clone(&tenure));
    (tenure, Some(keeper))
}

async fn reconcile_all(
    (client, clock): (Client, Clock),
    settings: &Settings,
    (metrics, readiness): (Metrics, Readiness),
    tenure: Arc<Tenure>,
    stopped: watch::Receiver<bool>,
) {
    let (wake, woken) = Wake::new();
    let Watches { slos, observabilities, platforms, namespaces, children, served, stores } =
        Watches::start(&client, &settings.scope, &wake);
    let (events, waiting) = Events::new();
    let ctx = Arc::new(Context {
        events,
        client,
        clock,
        slos: stores.slos.clone(),
        observabilities: stores.observabilities.clone(),
        platforms: stores.platforms.clone(),
        namespaces: stores.namespaces.clone(),
        caches_full: SetOnce::new(),
        children: Arc::clone(&stores.children),
        kinds: Kinds::new(settings.kinds.clone(), served),
        seniority: Arc::clone(&stores.seniority),
        queue: Mutex::new(WorkQueue::new()),
        limits: Limits::default(),
        contests: Contests::default(),
        budget: Budget::new(),
        registry: Registry::default(),
        sightings: Sightings::default(),
        references: References::default(),
        metrics,
        tenure,
        valid_platforms: Mutex::default(),
        answers: Mutex::default(),
        failures: Mutex::default(),
    });
    let meter = Meter {
        ctx: Arc::clone(&ctx),
        operator_namespace: settings.operator_namespace.clone(),
        interval: settings.poll_interval,
        wake: wake.clone(),
    };
    let lookout = Lookout {
        ctx: Arc::clone(&ctx),
        operator_namespace: settings.operator_namespace.clone(),
        interval: settings.poll_interval,
        wake,
    };
    let concerns_all = select(stores.policy_changes(), ctx.tenure.changes());
    let working = work(Arc::clone(&ctx), woken, concerns_all, stop_signal(stopped.clone()));
    let platforms = Controller::for_stream(platforms, stores.platforms.clone())
        .reconcile_all_on(ctx.tenure.changes())
        .graceful_shutdown_on(stop_signal(stopped.clone()))
        .run(agent_platform::reconcile, agent_platform::after_error, Arc::clone(&ctx))
        .for_each(|_| futures::future::ready(()));
    let watching = futures::future::join4(slos, observabilities, namespaces, children);
    let telling = Box::pin(waiting.write(Arc::clone(&ctx)));
    let ready = get_ready(Arc::clone(&ctx), stores, readiness);
    let looking = futures::future::join4(ready, meter.run(), lookout.run(), telling);
    tokio::select! {
        _ = futures::future::join(working, platforms) => {}
        _ = futures::future::join(watching, looking) => {}
        () = give_up(stopped) => tracing::warn!("reconciliations under way did not end in time"),
    }
}

/// Waits until the caches are full, and says so. It is done when all kinds of children that are installed are watched.
async fn get_ready(ctx: Arc<Context>, stores: Stores, readiness: Readiness) {
    let all = ArtifactKind::ALL.into();
    // Children are watched from here on. Their lists take as long as the others, so they begin with them;
    // where this fails it is asked again below.
    let _ = ctx.kinds.installed(&all, &ctx.client).await;
    // One waits for all: a cache that fills wakes only the last of those who wait for it.
    stores.synced().await;
    // What is there from before must be watched, also where nobody asks for its kind any more.
    let asked = ctx.kinds.installed(&all, &ctx.client).await;
    match &asked {
        Ok(kinds) => ctx.children.listed(kinds).await,
        Err(error) => tracing::warn!(%error, "could not ask which kinds are installed; will ask again"),
    }
    ctx.caches_full.set(()).expect("nobody else should set it");
    readiness.set();
    ctx.metrics.synced.set(1);
    tracing::info!("the caches are full");
    if asked.is_err() {
        ctx.kinds.ask_until_answered(&ctx.client).await;
    }
}

async fn stop_signal(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which also means to stop.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn give_up(stopped: watch::Receiver<bool>) {
    stop_signal(stopped).await;
    tokio::time::sleep(GRACE).await;
}
