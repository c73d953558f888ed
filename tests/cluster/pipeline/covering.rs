//! A sample in which every pair of options of any two parameters occurs together.

use std::collections::BTreeSet;

type Pair = ((usize, usize), (usize, usize));

/// Cases as one option for each parameter, given how many options each has. Greedy: each case takes the
/// options that cover most of what is not covered yet.
pub(crate) fn pairwise(options: &[usize]) -> Vec<Vec<usize>> {
    let mut missing = all_pairs(options);
    let mut cases = Vec::new();
    while let Some(&(first, second)) = missing.iter().next() {
        let mut case: Vec<Option<usize>> = vec![None; options.len()];
        case[first.0] = Some(first.1);
        case[second.0] = Some(second.1);
        for parameter in 0..options.len() {
            if case[parameter].is_none() {
                let gain = |option: usize| covered(&case, parameter, option, &missing);
                // The last of equals, so that options late in a list are not neglected.
                case[parameter] = (0..options[parameter]).max_by_key(|option| gain(*option));
            }
        }
        let case: Vec<usize> = case.into_iter().map(|option| option.expect("each was chosen")).collect();
        missing.retain(|(one, other)| case[one.0] != one.1 || case[other.0] != other.1);
        cases.push(case);
    }
    cases
}

fn all_pairs(options: &[usize]) -> BTreeSet<Pair> {
    let mut pairs = BTreeSet::new();
    for second in 0..options.len() {
        for first in 0..second {
            for one in 0..options[first] {
                pairs.extend((0..options[second]).map(|other| ((first, one), (second, other))));
            }
        }
    }
    pairs
}

fn covered(case: &[Option<usize>], parameter: usize, option: usize, missing: &BTreeSet<Pair>) -> usize {
    let chosen = case.iter().enumerate().filter_map(|(other, chosen)| Some((other, (*chosen)?)));
    chosen
        .filter(|other| {
            let this = (parameter, option);
            missing.contains(&if *other < this { (*other, this) } else { (this, *other) })
        })
        .count()
}

#[test]
fn every_pair_is_covered_by_few_cases() {
    let options = [2, 3, 4, 5, 3, 6];
    let cases = pairwise(&options);
    for pair in all_pairs(&options) {
        let ((first, one), (second, other)) = pair;
        assert!(cases.iter().any(|case| case[first] == one && case[second] == other), "{pair:?}");
    }
    assert!(cases.len() < 45, "{} cases are too many", cases.len());
}
