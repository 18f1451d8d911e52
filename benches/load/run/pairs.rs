//! Runs of the server with one store and with another, in pairs: what a busy minute of the machine does
//! to one it does to the other, or is seen not to.

use anyhow::Result;

use super::report::Row;
use super::stores::Store;

/// One of the things that are compared of two runs.
struct Figure {
    what: &'static str,
    of: fn(&Row) -> f64,
}

const FIGURES: [Figure; 6] = [
    Figure { what: "p50, ms", of: |row| row.tally.both_ways.spread().p50 },
    Figure { what: "p99, ms", of: |row| row.tally.both_ways.spread().p99 },
    Figure { what: "p99.9, ms", of: |row| row.tally.both_ways.spread().p999 },
    Figure { what: "CPU/frame, µs", of: |row| row.per_frame(row.cpu.all_us()) },
    Figure { what: "core busy, %", of: |row| 100.0 * row.subject_busy },
    Figure { what: "KiB per call", of: |row| row.memory.end_kib() },
];

type Figures = [f64; FIGURES.len()];

/// Measures every store so often, and prints by how much the others differ from the first.
pub(crate) fn compare(
    stores: &[Store],
    pairs: u32,
    mut measured: impl FnMut(Store) -> Result<Row>,
) -> Result<()> {
    print!("\n{:<6}{:<10}", "pair", "store");
    FIGURES.iter().for_each(|figure| print!("{:>14}", figure.what));
    println!("{:>12}{:>9}{:>9}{:>9}", "slip, p99", "lost", "records", "steps/s");
    let mut rounds: Vec<Vec<Option<Figures>>> = Vec::new();
    for pair in 0..pairs as usize {
        let mut round = vec![None; stores.len()];
        for place in order(stores.len(), pair) {
            let row = measured(stores[place])?;
            let figures = FIGURES.map(|figure| (figure.of)(&row));
            print!("{:<6}{:<10}", pair + 1, stores[place].word());
            figures.iter().for_each(|figure| print!("{figure:>14.3}"));
            let (slip, lost) = (row.slip.p99, row.tally.lost);
            let (records, steps) = (row.kept.closed, row.steps_a_second);
            println!("{slip:>12.3}{lost:>9}{records:>9}{steps:>9.2}");
            let faults = row.faults();
            faults.iter().for_each(|fault| println!("NOT VALID: {fault}"));
            round[place] = faults.is_empty().then_some(figures);
        }
        rounds.push(round);
    }
    for (place, store) in stores.iter().enumerate().skip(1) {
        differ(stores[0], *store, &both(&rounds, place));
    }
    Ok(())
}

/// The order of the stores in a round: each comes first, and next, and last, as often as the others.
fn order(stores: usize, round: usize) -> Vec<usize> {
    let mut order: Vec<_> = (0..stores).collect();
    order.rotate_left(round % stores);
    if (round / stores) % 2 == 1 {
        order.reverse();
    }
    order
}

/// The figures of the first store and of the one at this place, from the rounds in which both are
/// valid.
fn both(rounds: &[Vec<Option<Figures>>], place: usize) -> Vec<(Figures, Figures)> {
    rounds.iter().filter_map(|round| Some((round[0]?, round[place]?))).collect()
}

/// Prints how far a store is from the first one.
fn differ(first: Store, store: Store, pairs: &[(Figures, Figures)]) {
    let (word, beside) = (store.word(), first.word());
    if pairs.is_empty() {
        println!("\nNo pair of {beside} and {word} is valid.");
        return;
    }
    let heading = format!("Medians of {} pairs", pairs.len());
    println!("\n{heading:<24}{beside:>12}{word:>12}{:>12}{:>12} … most", "difference", "least");
    for (at, Figure { what, .. }) in FIGURES.iter().enumerate() {
        let first = Middle::of(pairs.iter().map(|(first, _)| first[at]));
        let other = Middle::of(pairs.iter().map(|(_, other)| other[at]));
        let apart = Middle::of(pairs.iter().map(|(first, other)| other[at] - first[at]));
        let (Some(first), Some(other), Some(apart)) = (first, other, apart) else { return };
        let Middle { least, median, most } = apart;
        let (first, other) = (first.median, other.median);
        println!("{what:<24}{first:>12.3}{other:>12.3}{median:>+12.3}{least:>+12.3} … {most:+.3}");
    }
}

/// The middle of some figures, and their ends.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Middle {
    least: f64,
    median: f64,
    most: f64,
}

impl Middle {
    /// Nothing of none.
    fn of(figures: impl Iterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<_> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let (below, above) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        Some(Self { least, median: f64::midpoint(below, above), most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_store_is_measured_as_often_before_as_behind_every_other() {
        for stores in 2..=3_usize {
            let rounds: Vec<_> = (0..2 * stores).map(|round| order(stores, round)).collect();
            for one in 0..stores {
                let place_of = |order: &Vec<usize>, store| order.iter().position(|s| *s == store);
                for place in 0..stores {
                    let here = rounds.iter().filter(|order| order[place] == one).count();
                    assert_eq!(here, 2, "{one} at {place}: {rounds:?}");
                }
                for other in (0..stores).filter(|other| *other != one) {
                    let before =
                        |order: &&Vec<usize>| place_of(order, one) < place_of(order, other);
                    assert_eq!(rounds.iter().filter(before).count(), stores, "{rounds:?}");
                }
            }
        }
    }

    #[test]
    fn a_pair_counts_where_both_of_it_are_valid() {
        let run = |figure: f64| Some([figure; FIGURES.len()]);
        let rounds = [
            vec![run(1.0), run(2.0), None],
            vec![None, run(3.0), run(4.0)],
            vec![run(5.0), None, run(7.0)],
        ];
        let of_place = |place| both(&rounds, place).iter().map(|(a, b)| (a[0], b[0])).collect();
        let (second, third): (Vec<_>, Vec<_>) = (of_place(1), of_place(2));
        assert_eq!((second, third), (vec![(1.0, 2.0)], vec![(5.0, 7.0)]));
    }

    #[test]
    fn the_median_of_differences_is_not_the_difference_of_medians() {
        let pairs = [(1.0, 2.0), (10.0, 10.5), (3.0, 9.0)];
        let apart = Middle::of(pairs.iter().map(|(first, other)| other - first));
        assert_eq!(apart, Some(Middle { least: 0.5, median: 1.0, most: 6.0 }));
        let even = Middle::of([4.0, 1.0, 2.0, 8.0].into_iter());
        assert_eq!(even, Some(Middle { least: 1.0, median: 3.0, most: 8.0 }));
        assert_eq!(Middle::of([].into_iter()), None);
    }
}
