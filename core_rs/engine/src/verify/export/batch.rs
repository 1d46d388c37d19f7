//! Work on many items at once, by as many threads as there are cores.
#![deny(clippy::indexing_slicing, clippy::as_conversions)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

/// Small, so that a thread that is held up by other programs holds up few items.
const BLOCK: usize = 16;

/// `work` of each item, in order.
pub(super) fn each<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let blocks: Vec<&[T]> = items.chunks(BLOCK).collect();
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(block) = blocks.get(at) else {
                return done;
            };
            done.push((at, block.iter().map(&work).collect::<Vec<R>>()));
        }
    };
    let mut parts = thread::scope(|scope| {
        // Where the system gives no thread, this one does it all.
        let others: Vec<_> = (1..threads.min(blocks.len()))
            .filter_map(|_| Builder::new().spawn_scoped(scope, take).ok())
            .collect();
        let mut parts = take();
        for other in others {
            match other.join() {
                Ok(some) => parts.extend(some),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    parts.sort_unstable_by_key(|(at, _)| *at);
    parts.into_iter().flat_map(|(_, done)| done).collect()
}

#[cfg(test)]
mod tests {
    use super::each;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        for threads in [0, 1, 2, 7] {
            let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(each(&items, threads, |item| item * 2), doubled);
        }
    }
}
