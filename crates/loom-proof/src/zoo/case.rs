//! What there is to try: animals, endings, modes.

use crate::zoo::animals::{ANIMALS, Animal, End};

/// How the commands of an engine are held together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// A control group for each.
    Cgroup,
    /// A supervising process for each.
    Supervisor,
    /// Process group and mark.
    Sweep,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cgroup, Self::Supervisor, Self::Sweep];

    /// In one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cgroup => "cgroup",
            Self::Supervisor => "supervisor",
            Self::Sweep => "sweep",
        }
    }

    /// Whether nobody may get away.
    #[must_use]
    pub const fn is_strict(self) -> bool {
        !matches!(self, Self::Sweep)
    }

    /// The mode of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The first process of its command ends by itself.
    Completes,
    /// It is cancelled.
    Cancel,
    /// It takes too long.
    Timeout,
    /// Its engine is shut down.
    Close,
    /// Its engine is killed, and another one takes care of what is left.
    Kill9,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Completes, Self::Cancel, Self::Timeout, Self::Close, Self::Kill9];

    /// In one word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completes => "completes",
            Self::Cancel => "cancel",
            Self::Timeout => "timeout",
            Self::Close => "close",
            Self::Kill9 => "kill9",
        }
    }

    /// The ending of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ending| ending.as_str() == name)
    }

    /// How a task may stand at this ending: status, and failure code where it has one.
    ///
    /// A command that ends by itself in any case may do so before its end is asked for.
    #[must_use]
    pub fn allowed(self, end: End) -> Vec<(&'static str, Option<&'static str>)> {
        let asked = match self {
            Self::Completes => None,
            Self::Cancel => Some(("cancelled", None)),
            Self::Timeout => Some(("failed", Some("timeout"))),
            Self::Close => Some(("failed", Some("interrupted"))),
            Self::Kill9 => Some(("failed_crash", Some("crashed"))),
        };
        let own = match end {
            End::Badly => ("failed", Some("signal")),
            End::Well | End::Always => ("completed", None),
        };
        match (asked, end) {
            (None, _) => vec![own],
            (Some(asked), End::Well) => vec![asked],
            (Some(asked), _) => vec![asked, own],
        }
    }
}

/// One trial.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The animal.
    pub animal: &'static Animal,
    /// How its task ends.
    pub ending: Ending,
    /// How its processes are held together.
    pub mode: Mode,
}

/// Which trials are asked for. Empty lists mean all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The modes.
    pub modes: Vec<Mode>,
    /// The endings.
    pub endings: Vec<Ending>,
    /// The names of animals.
    pub animals: Vec<String>,
    /// Whether each animal is tried with two endings only, others for each animal and mode.
    pub short: bool,
}

/// The trials of a mode.
#[must_use]
pub fn plan(choice: &Choice, mode: Mode) -> Vec<Case> {
    let turn = Mode::ALL.iter().position(|other| *other == mode).unwrap_or_default();
    let wanted = |(number, animal): (usize, &'static Animal)| {
        let endings = endings(choice, number + turn);
        endings.into_iter().map(move |ending| Case { animal, ending, mode })
    };
    let is_wanted = |animal: &Animal| {
        choice.animals.is_empty() || choice.animals.iter().any(|name| name == animal.name)
    };
    let animals = ANIMALS.iter().enumerate().filter(|(_, animal)| is_wanted(animal));
    animals.flat_map(wanted).collect()
}

fn endings(choice: &Choice, turn: usize) -> Vec<Ending> {
    let wanted = Ending::ALL.into_iter().enumerate().filter(|(number, ending)| {
        let is_wanted = choice.endings.is_empty() || choice.endings.contains(ending);
        // Two that are apart: their pairs reach every ending within five turns.
        let comes = [turn, turn + 2].iter().any(|at| at % Ending::ALL.len() == *number);
        is_wanted && (!choice.short || comes)
    });
    wanted.map(|(_, ending)| ending).collect()
}
