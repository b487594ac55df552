//! What else the machine was doing.

use std::fs;

/// How busy the machine has been since it was started, in ticks of its clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    total: u64,
    busy: u64,
    /// By this process and the programs that it ran.
    ours: u64,
}

impl Machine {
    /// As the system tells it now; `None` where it does not.
    #[must_use]
    pub fn now() -> Option<Self> {
        let all = fs::read_to_string("/proc/stat").ok()?;
        let own = fs::read_to_string("/proc/self/stat").ok()?;
        Self::read(&all, &own)
    }

    /// Reads Linux's `/proc/stat` and `/proc/self/stat`.
    #[must_use]
    pub fn read(all: &str, own: &str) -> Option<Self> {
        let all = numbers(all.lines().next()?.strip_prefix("cpu ")?);
        let [user, nice, system, idle, waiting, interrupts, soft, stolen] = *all.first_chunk()?;
        let busy = user + nice + system + interrupts + soft + stolen;
        // The name of the program may hold blanks, but nothing after it holds a bracket.
        let (_, own) = own.rsplit_once(')')?;
        let own: Vec<&str> = own.split_whitespace().collect();
        // Its own time and that of its children, each in the program and in the kernel.
        let ours = own.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Some(Self { total: busy + idle + waiting, busy, ours })
    }

    /// How much of the machine others have used since `before`, in percent.
    #[must_use]
    pub fn others_percent(self, before: Self) -> f64 {
        let busy = self.busy.saturating_sub(before.busy);
        let others = busy.saturating_sub(self.ours.saturating_sub(before.ours));
        let total = self.total.saturating_sub(before.total).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a machine does not run for 2^52 ticks")]
        let share = others as f64 / total as f64;
        100.0 * share
    }
}

fn numbers(text: &str) -> Vec<u64> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}
