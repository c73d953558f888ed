//! A past for a report: a month of counts, two pages, and money.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use agentslo::inspect::Month;
use k8s_openapi::jiff::Timestamp;

use crate::stage::{self, Past};

/// Days of which there are counts: more than a month.
const DAYS: u64 = 33;
/// Seconds between two samples of what is sampled every minute.
const MINUTE: usize = 60;

/// The month that was a day ago, whatever month begins meanwhile: at least a day of it has passed, which has a bad
/// event of `checkout`.
pub(super) static MONTH: LazyLock<Month> = LazyLock::new(|| {
    let now = stage::now().expect("the clock should be past 1970");
    let at =
        |seconds: u64| Timestamp::from_second(seconds.try_into().expect("it fits")).expect("it is a time");
    Month::parse(&Month::name_of(at(now - 24 * 3600)), at(now)).expect("it has begun")
});

/// Counts of two AgentSLOs: `checkout` keeps its objective of 99.5 %, `search` does not keep its 99 %.
pub(super) fn write(file: &Path, namespace: &str) {
    let end = stage::last_mark().expect("the clock should be past 1970");
    let pasts = [
        Past { slo: "checkout", per_tile: 5, one_bad_in: 1000 },
        Past { slo: "search", per_tile: 5, one_bad_in: 50 },
    ];
    stage::write_history(file, namespace, &pasts, DAYS, end).expect("the history should be written");
    let text = std::fs::read_to_string(file).expect("it was just written");
    let mut text = text.trim_end().trim_end_matches("# EOF").to_owned();
    let month_end = u64::try_from(MONTH.end).expect("it is after 1970");
    let mut add = |series: &str, value: &str, from: u64, to: u64, step: usize| {
        for at in (from..=to).step_by(step) {
            writeln!(text, "{series} {value} {at}").expect("text should grow");
        }
    };
    let own = |slo: &str| format!("namespace=\"{namespace}\",agentslo=\"{slo}\"");
    for (slo, agent, objective) in [("checkout", "support-agent", "99.5"), ("search", "search-agent", "99")] {
        let about =
            format!("agent=\"{agent}\",objective=\"{objective}\",window=\"30d\",indicator=\"success\"");
        add(&format!("agentslo:slo:info{{{},{about}}}", own(slo)), "1", month_end - 7200, month_end, MINUTE);
    }
    let page =
        "alertname=\"AgentSLOBudgetBurn\",alertstate=\"firing\",urgency=\"page\",severity=\"critical\"";
    for before in [6000, 3600] {
        let page = format!("ALERTS{{{},{page}}}", own("search"));
        add(&page, "1", month_end - before, month_end - before + 600, MINUTE);
    }
    let dollars = format!(
        "agentslo:guard:increase5m{{namespace=\"{namespace}\",agent=\"support-agent\",event=\"dollar\"}}"
    );
    add(&dollars, "0.5", month_end - 3300, month_end, 300);
    text.push_str("# EOF\n");
    std::fs::write(file, text).expect("the history should be written");
}
