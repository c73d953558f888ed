//! `agentslo ledger erase`: takes contents out of the ledger.

use std::path::PathBuf;
use std::process::ExitCode;

use agentslo_ledger::store::{self, Occasion, Whose};
use clap::{ArgGroup, Args};

use super::database::{Database, unreachable};
use super::pseudonyms;
use super::time::{nanoseconds, now};
use crate::cli::cluster::{Stop, block_on};
use crate::cli::print::{escaped, write_out};

const EXAMPLES: &str = "\
Examples:
  # Whatever was done for a user, who has asked for it
  agentslo ledger erase --database-url postgres://localhost/ledger --user alice@example.com --pseudonym-key-file pseudonyms.key --reason request-4711

Exit codes:
  0  something was erased
  1  nothing was entered of that session or user
  2  usage
  3  the database could not be reached, or refused";

/// Take the contents out of what was entered of a session or a user. The chain stays whole.
///
/// As a member of `ledger_keeper`. What was erased, when and why is entered itself. Backups of the database and exports
/// are not reached.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("whose").required(true))]
pub(super) struct Arguments {
    #[command(flatten)]
    database: Database,
    /// Everything of this session.
    #[arg(long, group = "whose", value_name = "SESSION")]
    session: Option<String>,
    /// Everything that was done for the user with this pseudonym.
    #[arg(long, group = "whose", value_name = "PSEUDONYM")]
    pseudonym: Option<String>,
    /// Everything that was done for this user.
    #[arg(long, group = "whose", value_name = "USER", requires = "pseudonym_key_file")]
    user: Option<String>,
    /// File with the key of the pseudonyms under which users are entered.
    #[arg(long, env = "AGENTSLO_PSEUDONYM_KEY_FILE", value_name = "FILE")]
    pseudonym_key_file: Option<PathBuf>,
    /// Why, for whoever reads the chain later. It should name no person.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    block_on(async {
        let pseudonym = pseudonym(arguments).map_err(Stop::Usage)?;
        let whose = match (&arguments.session, &pseudonym) {
            (Some(session), _) => Whose::Session(session),
            (None, Some(pseudonym)) => Whose::User(pseudonym),
            (None, None) => return Err(Stop::Usage("a session or a user is missing".to_owned())),
        };
        let mut client = arguments.database.connect().await?;
        let occasion = Occasion { at: nanoseconds(now()), reason: &arguments.reason };
        let taken = store::take_out(&mut client, whose, occasion).await;
        let taken = taken.map_err(|error| unreachable(&error))?;
        if taken.is_empty() {
            return Err(Stop::Finding("nothing was entered of that session or user".to_owned()));
        }
        for (stream, count) in taken {
            write_out(&format!("{}: {count} entries were erased\n", escaped(&stream)));
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn pseudonym(arguments: &Arguments) -> Result<Option<String>, String> {
    match (&arguments.user, &arguments.pseudonym_key_file) {
        (Some(user), Some(file)) => {
            Ok(Some(agentslo_ledger::intake::pseudonym(&pseudonyms::key(file)?, user)))
        }
        _ => Ok(arguments.pseudonym.clone()),
    }
}
