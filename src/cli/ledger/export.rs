//! `agentslo ledger export`: chains for somebody without the database.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use agentslo_ledger::anchor::Anchor;
use agentslo_ledger::chain::Head;
use agentslo_ledger::export::Line;
use agentslo_ledger::store::{self, Client};
use clap::Args;
use futures::TryStreamExt;

use super::anchors::{Place, parsed};
use super::database::{Database, unreachable};
use crate::cli::cluster::{Stop, block_on};
use crate::cli::print::try_write_out;

const EXAMPLES: &str = "\
Examples:
  # A session, for an auditor: its entries, and of what lies between them only the hashes
  agentslo ledger export --database-url postgres://localhost/ledger --anchors anchors.jsonl --session s-1 > session.jsonl

  # What the auditor does with it
  agentslo ledger verify --export session.jsonl --public-key anchor.pub

Exit codes:
  0  it was exported
  1  nothing was entered of that session
  2  a file cannot be read
  3  the database could not be reached";

/// Export chains as lines of JSON that somebody without the database can verify.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    /// Only the entries of a session, and the hashes of what lies between them and up to the next anchor.
    #[arg(long, value_name = "SESSION", conflicts_with = "streams")]
    session: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Streams, as `namespace/agent`. By default all of them.
    streams: Vec<String>,
}

/// A part of a stream.
struct Part {
    stream: String,
    after: u64,
    through: Option<u64>,
    /// Places of the entries that are disclosed; all where nobody says which.
    disclosed: Option<BTreeSet<u64>>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let anchors = parsed(&arguments.place.read().await?).map_err(Stop::Usage)?;
        let client = arguments.database.connect().await?;
        let parts = match &arguments.session {
            Some(session) => of_session(&client, session, &anchors).await?,
            None => whole(&client, &arguments.streams).await?,
        };
        for part in &parts {
            let anchors = anchors.get(&part.stream).map_or(&[][..], Vec::as_slice);
            if !export(&client, part, anchors).await? {
                break;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn whole(client: &Client, named: &[String]) -> Result<Vec<Part>, Stop> {
    let streams = match named {
        [] => store::streams(client).await.map_err(|error| unreachable(&error))?,
        named => named.to_vec(),
    };
    Ok(streams.into_iter().map(|stream| Part { stream, after: 0, through: None, disclosed: None }).collect())
}

/// From the first entry of a session to the first anchor after its last, in each stream that has any.
async fn of_session(
    client: &Client,
    session: &str,
    anchors: &BTreeMap<String, Vec<Anchor>>,
) -> Result<Vec<Part>, Stop> {
    let entries = store::of_session(client, session).await.map_err(|error| unreachable(&error))?;
    let mut places: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    for stored in entries {
        places.entry(stored.stream).or_default().insert(stored.link.sequence);
    }
    if places.is_empty() {
        return Err(Stop::Finding(format!("nothing was entered of a session '{session}'")));
    }
    let part = |(stream, places): (String, BTreeSet<u64>)| {
        let (first, last) = (*places.first()?, *places.last()?);
        let anchored =
            anchors.get(&stream).into_iter().flatten().map(|anchor| anchor.statement.head.sequence);
        let through = anchored.filter(|anchored| *anchored >= last).min().unwrap_or(last);
        Some(Part { stream, after: first - 1, through: Some(through), disclosed: Some(places) })
    };
    Ok(places.into_iter().filter_map(part).collect())
}

/// Prints a part; says whether anybody still reads.
async fn export(client: &Client, part: &Part, anchors: &[Anchor]) -> Result<bool, Stop> {
    let links = store::links(client, &part.stream, part.after, part.through).await;
    let mut links = std::pin::pin!(links.map_err(|error| unreachable(&error))?);
    let mut ends: Option<(u64, u64)> = None;
    while let Some(link) = links.try_next().await.map_err(|error| unreachable(&error))? {
        let sequence = link.sequence;
        if ends.is_none() {
            let after = Head { sequence: sequence - 1, hash: link.previous };
            try_write_out(&Line::stream(&part.stream, after).text());
        }
        ends = Some((ends.map_or(sequence, |(first, _)| first), sequence));
        let is_disclosed = part.disclosed.as_ref().is_none_or(|places| places.contains(&sequence));
        if !try_write_out(&Line::link(link, is_disclosed).text()) {
            return Ok(false);
        }
    }
    let Some((first, last)) = ends else { return Ok(true) };
    let is_of_it = |anchor: &&Anchor| (first..=last).contains(&anchor.statement.head.sequence);
    Ok(anchors.iter().filter(is_of_it).all(|anchor| try_write_out(&Line::Anchor(anchor.clone()).text())))
}
