//! How fast rules are made: the same objectives through each tool's command, as a whole process.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::contenders::{OURS, PYRRA, SLOTH};
use crate::cost::median;
use crate::fleet::as_float;
use crate::servers::{program, run_program};
use crate::verdict::{spread, times};

/// Objectives that are rendered in one go.
const MANY: i64 = 1_000;

/// A tool, and how it is called.
struct Maker {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    /// Seconds of each round.
    seconds: Vec<f64>,
}

/// Lets each tool make the rules of the same objectives, in so many rounds, and says how long it took.
pub(crate) fn measure(rounds: usize) -> Result<String, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let mut makers = [ours(folder.path())?, sloth(folder.path())?, pyrra(folder.path())?];
    for _ in 0..rounds {
        for maker in &mut makers {
            let arguments: Vec<&str> = maker.arguments.iter().map(String::as_str).collect();
            let begin = Instant::now();
            run_program(&maker.program, &arguments)?;
            maker.seconds.push(begin.elapsed().as_secs_f64());
        }
    }
    table(&makers)
}

fn table(makers: &[Maker]) -> Result<String, Box<dyn Error>> {
    let mut text = format!("rules of {MANY} objectives, made by one call of the tool's command\n");
    writeln!(text, "{:<31} {:>23} {:>12} {:>21}", "", "s", "objectives/s", "x ours")?;
    for maker in makers {
        let an_objective = median(&maker.seconds) / as_float(MANY);
        let ratio = times(&maker.seconds, &makers[0].seconds);
        writeln!(
            text,
            "{:<31} {:>23} {:>12.0} {:>21}",
            maker.name,
            spread(&maker.seconds, 2),
            1.0 / an_objective,
            spread(&ratio, 1)
        )?;
    }
    Ok(text)
}

fn ours(folder: &Path) -> Result<Maker, Box<dyn Error>> {
    let program = std::env::var_os("AGENTSLO_PROGRAM");
    let program =
        program.ok_or("AGENTSLO_PROGRAM does not name the operator as it ships; use `make bench-peers`")?;
    let slo = |number| {
        format!(
            "apiVersion: agentslo.dev/v1alpha1\nkind: AgentSLO\nmetadata: {{name: agent-{number}, namespace: support}}\n\
             spec: {{agent: agent-{number}, objective: \"99\", window: 30d, indicator: {{success: {{}}}}}}\n"
        )
    };
    let input = write(folder, "ours", slo)?;
    Ok(maker(OURS, program.into(), &["render", "-f", &input]))
}

fn sloth(folder: &Path) -> Result<Maker, Box<dyn Error>> {
    let slo = |number| {
        let all = format!("agent_queries_total{{agent_name=\"agent-{number}\",namespace=\"support\"}}");
        let bad = all.replace('}', ",status!=\"success\"}");
        format!(
            "version: prometheus/v1\nservice: agent-{number}\nslos:\n- name: success\n  objective: 99\n  \
             sli: {{events: {{error_query: 'sum(rate({bad}[{{{{.window}}}}]))', total_query: 'sum(rate({all}[{{{{.window}}}}]))'}}}}\n  \
             alerting: {{name: Errors}}\n"
        )
    };
    let (input, output) = (write(folder, "sloth", slo)?, empty(folder, "sloth-rules")?);
    Ok(maker(SLOTH, program("sloth")?, &["generate", "-i", &input, "-o", &output]))
}

fn pyrra(folder: &Path) -> Result<Maker, Box<dyn Error>> {
    let slo = |number| {
        let all = format!("agent_queries_total{{agent_name=\"agent-{number}\",namespace=\"support\"}}");
        let bad = all.replace('}', ",status!=\"success\"}");
        format!(
            "{{apiVersion: pyrra.dev/v1alpha1, kind: ServiceLevelObjective, \
             metadata: {{name: agent-{number}, namespace: support}}, spec: {{target: '99', window: 30d, \
             indicator: {{ratio: {{errors: {{metric: '{bad}'}}, total: {{metric: '{all}'}}}}}}}}}}\n"
        )
    };
    let (input, output) = (write(folder, "pyrra", slo)?, empty(folder, "pyrra-rules")?);
    let (input, output) = (format!("--config-files={input}/*.yaml"), format!("--prometheus-folder={output}"));
    Ok(maker(PYRRA, program("pyrra")?, &["generate", &input, &output]))
}

fn maker(name: &'static str, program: PathBuf, arguments: &[&str]) -> Maker {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    Maker { name, program, arguments, seconds: Vec::new() }
}

/// Writes a file for each objective into a folder of its own.
fn write(folder: &Path, name: &str, slo: impl Fn(i64) -> String) -> Result<String, Box<dyn Error>> {
    let input = empty(folder, name)?;
    for number in 0..MANY {
        std::fs::write(Path::new(&input).join(format!("{number}.yaml")), slo(number))?;
    }
    Ok(input)
}

fn empty(folder: &Path, name: &str) -> Result<String, Box<dyn Error>> {
    let folder = folder.join(name);
    std::fs::create_dir(&folder)?;
    Ok(folder.display().to_string())
}
