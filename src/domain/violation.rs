//! The user's mistakes, as data.

use std::fmt;

/// Which rule a spec breaks. The name is the reason of condition `Accepted`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Rule {
    /// The objective is not a usable percentage.
    InvalidObjective,
    /// A window or duration is of a wrong form or out of bounds.
    InvalidWindow,
    /// A threshold, amount or score is of a wrong form or out of bounds.
    InvalidThreshold,
    /// None or several where exactly one is meant.
    NotExactlyOne,
    /// A metric or label has an impossible name.
    InvalidName,
    /// A name that the operator keeps for itself.
    ReservedName,
    /// Text that cannot be inserted literally.
    InvalidText,
    /// A URL that is not a plain https one.
    InvalidUrl,
    /// A regular expression that RE2 would not take.
    InvalidRegex,
    /// PromQL that does not parse or does not fit.
    InvalidQuery,
    /// Two fields contradict each other.
    Contradiction,
    /// A burn-rate pair that can never fire.
    Unreachable,
    /// The telemetry profile has no series for the indicator.
    UnsupportedIndicator,
    /// The profile does not exist.
    UnknownProfile,
    /// The object that is referred to does not exist.
    UnknownReference,
    /// The AgentPlatform forbids it.
    NotPermitted,
    /// More than the AgentPlatform's limit.
    LimitExceeded,
    /// An older resource does the same.
    Superseded,
    /// The field or the value has a wrong type, or is not known at all.
    InvalidSchema,
}

impl Rule {
    /// The reason in conditions and the label in metrics, CamelCase.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidObjective => "InvalidObjective",
            Self::InvalidWindow => "InvalidWindow",
            Self::InvalidThreshold => "InvalidThreshold",
            Self::NotExactlyOne => "NotExactlyOne",
            Self::InvalidName => "InvalidName",
            Self::ReservedName => "ReservedName",
            Self::InvalidText => "InvalidText",
            Self::InvalidUrl => "InvalidUrl",
            Self::InvalidRegex => "InvalidRegex",
            Self::InvalidQuery => "InvalidQuery",
            Self::Contradiction => "Contradiction",
            Self::Unreachable => "Unreachable",
            Self::UnsupportedIndicator => "UnsupportedIndicator",
            Self::UnknownProfile => "UnknownProfile",
            Self::UnknownReference => "UnknownReference",
            Self::NotPermitted => "NotPermitted",
            Self::LimitExceeded => "LimitExceeded",
            Self::Superseded => "Superseded",
            Self::InvalidSchema => "InvalidSchema",
        }
    }
}

/// One mistake: where, which rule, and a sentence that says what is wrong and what would be right.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Violation {
    /// Place in the spelling of the YAML, for example `spec.alerting.burnRates[0].longWindow`.
    pub path: String,
    /// The rule that is broken.
    pub rule: Rule,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.message)
    }
}

/// All mistakes in one object; never none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// The value if nothing was wrong with it, else everything that was, in the order of the paths.
    ///
    /// # Errors
    /// Every violation, if there is one.
    pub fn unless_any<T>(mut found: Vec<Violation>, value: Option<T>) -> Result<T, Self> {
        found.sort();
        found.dedup();
        match value {
            Some(value) if found.is_empty() => Ok(value),
            _ => Err(Self(found)),
        }
    }

    /// The first one, which names the reason.
    #[must_use]
    pub fn first(&self) -> Option<&Violation> {
        self.0.first()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.0.iter()
    }
}
