//! The animals: what each of them does, in words that its processes go by.
//!
//! A script is a list of words. A process obeys one after the other and exits with 0 after the last.
//! A word that starts another process is followed by that one's script, in brackets. What the words
//! mean stands in [`act`](super::act).

/// A program that behaves badly.
#[derive(Clone, Copy, Debug)]
pub struct Animal {
    /// What it is called.
    pub name: &'static str,
    /// What it does, for people.
    pub about: &'static str,
    /// What it does, for its first process.
    pub script: &'static str,
    /// How its first process ends by itself.
    pub end: End,
}

/// How the first process of an animal ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// With 0, where it is let; else it stays.
    Well,
    /// With 0, also where others stay.
    Always,
    /// By a signal, also where others stay.
    Badly,
}

impl Animal {
    const fn new(name: &'static str, about: &'static str, script: &'static str) -> Self {
        Self { name, about, script, end: End::Well }
    }

    const fn ends(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// How many of its processes report that they are where they wanted to be.
    #[must_use]
    pub fn crew(&self) -> usize {
        self.script.split_whitespace().map(reports).sum()
    }
}

fn reports(word: &str) -> usize {
    match word.split_once(':') {
        Some(("bomb", count)) => count.parse().unwrap_or_default(),
        // The word `here` in their common script is counted by itself.
        Some(("loners", count)) => count.parse().map_or(0, |count: usize| count.saturating_sub(1)),
        Some(("hydra", _)) => 2,
        Some(("print", _)) => 1,
        _ => usize::from(["here", "on-term"].contains(&word)),
    }
}

/// All animals.
pub const ANIMALS: &[Animal] = &[
    Animal::new("tame", "does as it is told", "here end"),
    Animal::new("daemon", "a child in a session of its own", "child [ setsid here wait ] here end"),
    Animal::new(
        "orphan",
        "forks twice: a grandchild without a parent",
        "child [ child [ here wait ] ] here end",
    ),
    Animal::new(
        "ghost",
        "forks twice, own session, no files, no environment, no directory",
        "child [ bare silent child [ setsid close root here wait ] ] here end",
    ),
    Animal::new("deaf", "does not heed SIGTERM", "deaf child [ deaf here wait ] here end"),
    Animal::new(
        "deaf-grandchild",
        "a grandchild blocks every signal that can be blocked",
        "child [ child [ deaf-to-all here wait ] wait ] here end",
    ),
    Animal::new("stopped", "stops itself", "child [ here stop wait ] here stop-if-staying end"),
    Animal::new(
        "stopper",
        "a grandchild stops its parent",
        "child [ child [ stop-parent here wait ] wait ] here end",
    ),
    Animal::new("bomb", "200 processes, all alive", "bomb:200 here end"),
    Animal::new(
        "setsid-bomb",
        "50 processes, each in a session of its own, without environment",
        "loners:50 [ setsid here wait ] here end",
    ),
    Animal::new("flood", "prints lines without end", "print:lines:67108864 end"),
    Animal::new("endless-line", "prints a line without end", "print:line:67108864 end"),
    Animal::new("bars", "draws a progress bar with carriage returns", "print:bars:67108864 end"),
    Animal::new("binary", "prints what is no UTF-8", "print:binary:16777216 end"),
    Animal::new("nuls", "prints NULs", "print:nuls:16777216 end"),
    Animal::new("both", "prints on both pipes in turn", "print:both:16777216 end"),
    Animal::new("mute", "closes its pipes and stays", "close here end"),
    Animal::new(
        "holder",
        "exits with 0; a grandchild holds the pipe",
        "child [ child [ deaf here wait ] ] here leave",
    )
    .ends(End::Always),
    Animal::new(
        "runaway",
        "exits with 0; a grandchild lives on in a session of its own",
        "child [ silent child [ setsid here wait ] ] here leave",
    )
    .ends(End::Always),
    Animal::new(
        "pipe-filler",
        "exits with 0; a grandchild in another session fills the pipe without end",
        "child [ bare child [ setsid here print-on wait ] ] here leave",
    )
    .ends(End::Always),
    Animal::new("core", "dumps core", "child [ setsid here wait ] here core").ends(End::Badly),
    Animal::new("elephant", "a megabyte of arguments", "big child [ here wait ] here end"),
    Animal::new(
        "group-changer",
        "a child leaves the process group, another joins it there",
        "child [ newgroup child [ here wait ] here wait ] here end",
    ),
    Animal::new(
        "mimic",
        "has another name, in its arguments and for the system",
        "bare masked child [ setsid rename here wait ] rename here end",
    ),
    Animal::new(
        "respawner",
        "starts a child anew whenever it ends",
        "child [ setsid deaf here respawn [ here wait ] ] here end",
    ),
    Animal::new(
        "hydra",
        "two processes that start each other anew",
        "child [ hydra:0:100 ] here end",
    ),
    Animal::new(
        "chain",
        "20 processes, each the child of the one before",
        "nest:20 [ here wait ] end",
    ),
    Animal::new(
        "shedder",
        "becomes another program 20 times over",
        "exec:20 child [ exec:20 here wait ] here end",
    ),
    Animal::new(
        "late-forker",
        "starts another session when SIGTERM comes",
        "child [ on-term [ bare child [ setsid wait ] ] ] here end",
    ),
    Animal::new("reader", "reads its input to the end first", "read here end"),
    Animal::new("undertaker", "keeps 50 ended children", "zombies:50 here end"),
];

/// The animal of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Animal> {
    ANIMALS.iter().find(|animal| animal.name == name)
}
