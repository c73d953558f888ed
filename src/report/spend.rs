//! What an agent is estimated to cost, rounded so that a cent is not news.

use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::tz::TimeZone;

use crate::api::v1alpha1::{Spend, SpendSource};
use crate::domain::sighting::{Sighting, SpendSeen};

/// Share by which an amount must move before it is worth a write.
const NEWS: f64 = 0.05;
/// Smallest amount in US dollars that is worth a write.
const FLOOR: f64 = 0.01;

/// The figures, unchanged as long as they are nearly true.
pub(super) fn update(before: Option<&Spend>, sighting: &Sighting, now: Timestamp) -> Option<Spend> {
    let Sighting::Seen(seen) = sighting else { return before.cloned() };
    let by_ledger = seen.ledger_spend.map(|spend| (spend, SpendSource::Ledger));
    let (spend, source) = by_ledger.or_else(|| Some((seen.spend?, SpendSource::Metrics)))?;
    let figures = figures(spend, source, now);
    match before {
        Some(before) if is_nearly(before, &figures) => Some(before.clone()),
        Some(_) | None => Some(figures),
    }
}

fn figures(seen: SpendSeen, source: SpendSource, now: Timestamp) -> Spend {
    let a_day = if seen.days > 0.0 { seen.last_7d / seen.days } else { 0.0 };
    let days_in_month = f64::from(now.to_zoned(TimeZone::UTC).days_in_month());
    Spend {
        estimated_last24h_usd: dollars(seen.last_24h),
        estimated_last7d_usd: dollars(seen.last_7d),
        estimated_month_usd: dollars(a_day * days_in_month),
        days_observed: format!("{:.1}", seen.days.min(7.0)),
        source,
    }
}

fn dollars(amount: f64) -> String {
    format!("{amount:.2}")
}

fn is_nearly(before: &Spend, now: &Spend) -> bool {
    let near = |before: &str, now: &str| match (before.parse::<f64>(), now.parse::<f64>()) {
        (Ok(before), Ok(now)) => (now - before).abs() <= FLOOR.max(NEWS * before.abs()),
        _ => false,
    };
    let whole_days = |days: &str| days.split('.').next().map(str::to_owned);
    before.source == now.source
        && near(&before.estimated_last24h_usd, &now.estimated_last24h_usd)
        && near(&before.estimated_last7d_usd, &now.estimated_last7d_usd)
        && near(&before.estimated_month_usd, &now.estimated_month_usd)
        && whole_days(&before.days_observed) == whole_days(&now.days_observed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sighting::Seen;

    fn updated(before: Option<&Spend>, last_24h: f64, last_7d: f64, days: f64) -> Option<Spend> {
        let spend = Some(SpendSeen { last_24h, last_7d, days });
        // 1 November 2026, a month of 30 days.
        let now = Timestamp::from_second(1_793_491_200).expect("test data should be a time");
        update(before, &Sighting::Seen(Seen { spend, ..Seen::default() }), now)
    }

    #[test]
    fn a_month_is_projected_from_the_days_that_were_seen() {
        let spend = updated(None, 10.0, 25.0, 2.5).expect("the telemetry has a cost");
        assert_eq!(spend.estimated_month_usd, "300.00");
        assert_eq!((spend.estimated_last24h_usd.as_str(), spend.days_observed.as_str()), ("10.00", "2.5"));
    }

    #[test]
    fn small_moves_are_no_news() {
        let before = updated(None, 10.0, 25.0, 2.5);
        assert_eq!(updated(before.as_ref(), 10.4, 25.4, 2.6), before);
        assert_ne!(updated(before.as_ref(), 11.0, 26.0, 2.6), before);
    }

    #[test]
    fn the_ledger_is_believed_where_there_is_one() {
        let spent = |last_24h| Some(SpendSeen { last_24h, last_7d: 7.0, days: 7.0 });
        let seen = Seen { spend: spent(1.0), ledger_spend: spent(2.0), ..Seen::default() };
        let spend = update(None, &Sighting::Seen(seen), Timestamp::UNIX_EPOCH).expect("both say something");
        assert_eq!((spend.estimated_last24h_usd.as_str(), spend.source), ("2.00", SpendSource::Ledger));
    }

    #[test]
    fn what_cannot_be_read_stays_as_it_was() {
        let before = updated(None, 10.0, 25.0, 2.5);
        assert_eq!(update(before.as_ref(), &Sighting::Pending, Timestamp::UNIX_EPOCH), before);
    }
}
